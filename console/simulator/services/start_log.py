"""What Forge and ComfyUI write while they start, on the card they got."""

from console.simulator.services.cuda import MIB, Picked


def comfyui_lines(picked: Picked, ram: int, version: str, port: int, address: str) -> list[str]:
    """Give ComfyUI's start log; a line that begins with `! ` goes to stderr, as its logger's do."""
    lines = [f"! Set cuda device to: {picked.ordinal}"] if picked.ordinal is not None else []
    if not picked.cards:
        return [*lines, "! RuntimeError: No CUDA GPUs are available"]
    card = picked.cards[0]
    return [
        *lines,
        f"! Total VRAM {card.memory // MIB} MB, total RAM {ram // MIB} MB",
        "! pytorch version: 2.8.0+cu128",
        "! Set vram state to: NORMAL_VRAM",
        f"! Device: cuda:0 {card.name} : cudaMallocAsync",
        f"! ComfyUI version: {version}",
        "! Starting server",
        f"! To see the GUI go to: http://{address}:{port}",
    ]


def forge_lines(picked: Picked, ram: int, model: str) -> list[str]:
    """Give Forge's start log, all on stdout, as ai-dock's tail of its files shows it."""
    lines = [
        "==> /var/log/supervisor/forge.log <==",
        "Starting Forge...",
        "Python 3.10.15 (main, Sep 27 2024, 08:00:00) [GCC 11.4.0]",
        "Version: f2.0.1v1.10.1-previous-633-g2d3903d",
    ]
    if picked.ordinal is not None:
        lines.append(f"Set device to: {picked.ordinal}")
    lines.append("Using cudaMallocAsync backend.")
    if not picked.cards:
        return [*lines, "RuntimeError: No CUDA GPUs are available"]
    card = picked.cards[0]
    return [
        *lines,
        f"Total VRAM {card.memory // MIB} MB, total RAM {ram // MIB} MB",
        "pytorch version: 2.4.1+cu121",
        "Set vram state to: NORMAL_VRAM",
        f"Device: cuda:0 {card.name} : cudaMallocAsync",
        f"Model selected: {{'checkpoint_info': {{'filename': '{model}'}}}}",
        "Running on local URL:  http://127.0.0.1:17860",
    ]
