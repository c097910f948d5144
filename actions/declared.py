"""Following a container's settings to the card they lead to, as the driver and CUDA would.

The chain: what the engine grants (`device_ids`, `--gpus`, `NVIDIA_VISIBLE_DEVICES`), then how CUDA
counts (`CUDA_DEVICE_ORDER`), then what the process picks (`CUDA_VISIBLE_DEVICES`, or the flag of
Forge or ComfyUI that overrides it). Three different numberings meet here: the engine counts in
driver order, CUDA fastest card first unless told `PCI_BUS_ID`, a flag in CUDA's order of what is
visible. On WSL2 the grant is not honoured: every GPU container sees every card.

Where a value is not known here (a shell's variable, a MIG instance, WSL or not), neither is the
card: a guess would look like a fact.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from actions.flags import CardFlag, card_flag, command_variables
from actions.snapshot import ChainStep, Claim
from console.engine.snapshot import DeviceRequest, GpuDeclaration
from console.gpu.snapshot import Gpu
from console.mask import MASK
from console.unknown import known

GRANTS_NOTHING = frozenset({"none", "void", ""})
MEANT_ONLY = "grants no card of its own; what follows is what is meant"
_INSTANCE = re.compile(r"(\d{1,4}):\d{1,4}", re.ASCII)


class GpuOrder:
    """The host's cards in each of the orders in which somebody may count them."""

    def __init__(self, gpus: Sequence[Gpu]) -> None:
        self.by_index = sorted(gpus, key=lambda gpu: gpu.index)

    def fastest_first(self, gpus: Sequence[Gpu]) -> list[Gpu] | None:
        """Order cards as CUDA does by default; None where an ordinal is not known."""
        if len(gpus) == 1:
            return list(gpus)
        ordinals = {gpu.uuid: gpu.cuda_ordinal for gpu in gpus if known(gpu.cuda_ordinal)}
        if len(ordinals) < len(gpus):
            return None
        return sorted(gpus, key=lambda gpu: ordinals[gpu.uuid])

    def pci_order(self, gpus: Sequence[Gpu]) -> list[Gpu]:
        """Order cards by PCI bus id, which is also how the driver counts them."""
        buses = {gpu.uuid: gpu.pci_bus_id for gpu in gpus if known(gpu.pci_bus_id)}
        if len(buses) < len(gpus):
            return sorted(gpus, key=lambda gpu: gpu.index)
        return sorted(gpus, key=lambda gpu: (buses[gpu.uuid], gpu.index))


@dataclass
class _Trail:
    """What is left of the cards after each setting; None is "can't be told"."""

    cards: list[Gpu] | None = field(default_factory=list)
    steps: list[ChainStep] = field(default_factory=list)

    def note(self, setting: str, value: str, effect: str) -> None:
        self.steps.append(ChainStep(setting=setting, value=value, effect=effect))


def declared_claim(declaration: GpuDeclaration, order: GpuOrder, wsl: bool | None) -> Claim:
    """Resolve the declared chain; `uses_gpu` is False where nothing grants a card.

    Args:
        declaration: what the container's settings say.
        order: the host's cards.
        wsl: None where it is not known whether the engine's choice counts.
    """
    environment = {**dict(declaration.environment), **command_variables(declaration)}
    trail = _Trail()
    if not _grant(trail, declaration, environment, order, wsl):
        source = "declared" if trail.steps else "unknown"
        return Claim(gpu_uuids=(), source=source, uses_gpu=False, chain=tuple(trail.steps))
    _pick(trail, declaration, environment, order, wsl)
    if trail.cards is None:
        return Claim(gpu_uuids=(), source="unknown", uses_gpu=True, chain=tuple(trail.steps))
    uuids = tuple(gpu.uuid for gpu in trail.cards)
    return Claim(
        gpu_uuids=uuids,
        source="declared",
        uses_gpu=True,
        chain=tuple(trail.steps),
        declared_uuids=uuids,
    )


def granted_card(declaration: GpuDeclaration, order: GpuOrder) -> str | None:
    """Give the one card that a container is granted by name, whether or not the host honours it.

    `device_ids` or `NVIDIA_VISIBLE_DEVICES` in driver order, as UUID or as the beginning of one;
    None where they name none, several or all. On WSL2 it says what was meant.
    """
    entries: list[str] = []
    for request in declaration.requests:
        entries += [item.removeprefix("nvidia.com/gpu=") for item in request.device_ids]
    if not declaration.requests:
        environment = {**dict(declaration.environment), **command_variables(declaration)}
        visible = environment.get("NVIDIA_VISIBLE_DEVICES", "")
        entries = [entry.strip() for entry in visible.split(",")]
    if any(_is_instance(entry) for entry in entries):
        return None
    found = {gpu.uuid for gpu in order.by_index for entry in entries if _names(entry, gpu)}
    return found.pop() if len(found) == 1 else None


def picked_card(declaration: GpuDeclaration, order: GpuOrder, wsl: bool | None) -> str | None:
    """Give the one card that the process picks in a way that no order of cards can turn around.

    By `CUDA_DEVICE_ORDER=PCI_BUS_ID` with a flag or `CUDA_VISIBLE_DEVICES`, or by UUID.
    """
    environment = {**dict(declaration.environment), **command_variables(declaration)}
    flag = card_flag(declaration)
    value = flag.value if flag is not None else environment.get("CUDA_VISIBLE_DEVICES", "")
    by_uuid = value.strip().lower().startswith("gpu-")
    by_pci = environment.get("CUDA_DEVICE_ORDER", "").strip() == "PCI_BUS_ID"
    if not value.strip() or not (by_uuid or by_pci):
        return None
    claim = declared_claim(declaration, order, wsl)
    return claim.gpu_uuids[0] if len(claim.gpu_uuids) == 1 else None


def _grant(
    trail: _Trail,
    declaration: GpuDeclaration,
    environment: dict[str, str],
    order: GpuOrder,
    wsl: bool | None,
) -> bool:
    """Apply what the engine gives the container; False where it gives no card."""
    requests = [item for item in declaration.requests if _wants_gpu(item)]
    if requests:
        for request in requests:
            _grant_request(trail, request, order, wsl)
        return True
    visible = environment.get("NVIDIA_VISIBLE_DEVICES")
    if visible is not None and visible.strip().lower() in GRANTS_NOTHING:
        trail.note("NVIDIA_VISIBLE_DEVICES", visible, "no card is given to the container")
        return False
    # As some host's default the NVIDIA runtime is that of every container, and gives nothing to
    # one that does not ask.
    granted = declaration.runtime == "nvidia" and visible is not None
    if not granted and not _asks_for_card(declaration, environment):
        return False
    if declaration.runtime != "nvidia":
        trail.note("runtime", declaration.runtime or "default", MEANT_ONLY)
    if visible is None:
        trail.cards = list(order.by_index)
        if declaration.runtime == "nvidia":
            trail.note("NVIDIA_VISIBLE_DEVICES", "not set", MEANT_ONLY)
        return True
    entries = [entry.strip() for entry in visible.split(",")]
    _narrow(trail, "NVIDIA_VISIBLE_DEVICES", visible, entries, order, wsl)
    return True


def _asks_for_card(declaration: GpuDeclaration, environment: dict[str, str]) -> bool:
    """Tell whether settings name a card though nothing grants one.

    `NVIDIA_VISIBLE_DEVICES=all` does not count: CUDA base images carry it wherever they run.
    """
    visible = environment.get("NVIDIA_VISIBLE_DEVICES", "all").strip().lower()
    picked = environment.get("CUDA_VISIBLE_DEVICES") is not None
    return visible != "all" or picked or card_flag(declaration) is not None


def _wants_gpu(request: DeviceRequest) -> bool:
    return (
        "gpu" in request.capabilities
        or request.driver in {"nvidia", "cdi"}
        or any(item.startswith("nvidia.com/gpu") for item in request.device_ids)
    )


def _grant_request(
    trail: _Trail, request: DeviceRequest, order: GpuOrder, wsl: bool | None
) -> None:
    if request.device_ids:
        entries = [item.removeprefix("nvidia.com/gpu=") for item in request.device_ids]
        _narrow(trail, "device_ids", ",".join(request.device_ids), entries, order, wsl)
    elif request.count < 0:
        _narrow(trail, "gpus", "all", ["all"], order, wsl)
    else:
        # One too many is enough to say so; the figure itself may be anything.
        asked = min(request.count, len(order.by_index) + 1)
        entries = [str(number) for number in range(asked)]
        _narrow(trail, "gpus count", str(request.count), entries, order, wsl)


def _narrow(
    trail: _Trail,
    setting: str,
    value: str,
    entries: list[str],
    order: GpuOrder,
    wsl: bool | None,
) -> None:
    """Add the cards that `entries` (indexes in driver order, UUIDs, `all`) give the container."""
    everything = list(order.by_index)
    if entries == ["all"]:
        trail.cards = everything
        trail.note(setting, value, "every card is given to the container")
        return
    if wsl:
        trail.cards = everything
        trail.note(setting, value, "not honoured on WSL2: the container sees every card")
        return
    if wsl is None:
        trail.cards = None
        trail.note(setting, value, "counts unless this is WSL2, which is not known")
        return
    if any(_is_instance(entry) for entry in entries):
        trail.cards = None
        trail.note(setting, value, "a part of a card (MIG); of which one can't be told here")
        return
    found = [gpu for gpu in everything if any(_names(entry, gpu) for entry in entries)]
    unmatched = [e for e in entries if not any(_names(e, gpu) for gpu in everything)]
    if unmatched:
        trail.note(setting, value, f"no card here is {', '.join(unmatched)}")
    else:
        trail.note(setting, value, f"gives {_names_of(found)}, in driver order")
    if trail.cards is not None:
        trail.cards += [gpu for gpu in found if gpu not in trail.cards]


def _names(entry: str, gpu: Gpu) -> bool:
    instance = _INSTANCE.fullmatch(entry)
    if instance or entry.isdecimal():
        return gpu.index == int(instance[1] if instance else entry)
    return bool(entry) and gpu.uuid.lower().startswith(entry.lower())


def _is_instance(entry: str) -> bool:
    return entry.lower().startswith("mig-")


def _names_of(gpus: Sequence[Gpu]) -> str:
    return ", ".join(str(gpu.name) if known(gpu.name) else gpu.uuid for gpu in gpus) or "no card"


def _pick(
    trail: _Trail,
    declaration: GpuDeclaration,
    environment: dict[str, str],
    order: GpuOrder,
    wsl: bool | None,
) -> None:
    """Apply what the process inside chooses among the cards it was given."""
    if trail.cards is None:
        return
    given = trail.cards
    counting = environment.get("CUDA_DEVICE_ORDER", "").strip()
    by_pci = counting == "PCI_BUS_ID"
    numbered = order.pci_order(given) if by_pci else order.fastest_first(given)
    flag = card_flag(declaration)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if flag is None and visible is None:
        return
    if by_pci:
        trail.note("CUDA_DEVICE_ORDER", "PCI_BUS_ID", "CUDA counts the cards as nvidia-smi does")
    else:
        trail.note("CUDA_DEVICE_ORDER", counting or "not set", _default_order_effect(numbered))
    if visible is not None and flag is not None and flag.overrides_visible:
        trail.note("CUDA_VISIBLE_DEVICES", visible, f"replaced by {flag.name}")
    elif visible is not None:
        numbered = _select(trail, "CUDA_VISIBLE_DEVICES", visible, numbered, given, wsl)
    if flag is not None:
        numbered = _apply_flag(trail, flag, numbered, given, wsl)
    trail.cards = numbered


def _default_order_effect(numbered: list[Gpu] | None) -> str:
    if numbered is None:
        return "CUDA counts the fastest card first; which one that is can't be told here"
    return f"CUDA counts the fastest card first: {_names_of(numbered)} (worked out)"


def _apply_flag(
    trail: _Trail,
    flag: CardFlag,
    numbered: list[Gpu] | None,
    given: list[Gpu],
    wsl: bool | None,
) -> list[Gpu] | None:
    return _select(trail, f"{flag.name} ({flag.where})", flag.value, numbered, given, wsl)


def _select(
    trail: _Trail,
    setting: str,
    value: str,
    numbered: list[Gpu] | None,
    given: list[Gpu],
    wsl: bool | None,
) -> list[Gpu] | None:
    """Read a list of CUDA ordinals or UUIDs; a bad entry hides itself and all after it."""
    if "$" in value or MASK in value:
        trail.note(setting, value, "its value is not known here")
        return None
    chosen: list[Gpu] = []
    for entry in (part.strip() for part in value.split(",")):
        if _is_instance(entry):
            trail.note(setting, value, "a part of a card (MIG); of which one can't be told here")
            return None
        if entry.lower().startswith("gpu-"):
            matches = [gpu for gpu in given if _names(entry, gpu)]
        elif numbered is None and entry.isdecimal():
            trail.note(setting, value, "a CUDA ordinal, and CUDA's order can't be told here")
            return None
        else:
            ordered = numbered or []
            inside = entry.isdecimal() and int(entry) < len(ordered)
            matches = [ordered[int(entry)]] if inside else []
        if len(matches) != 1:
            break
        chosen.extend(gpu for gpu in matches if gpu not in chosen)
    by_uuid = wsl and "gpu-" in value.lower()
    caveat = " (that UUIDs work under WSL2 is not confirmed)" if by_uuid else ""
    effect = f"picks {_names_of(chosen)}{caveat}" if chosen else "names no card it can see"
    trail.note(setting, value, effect)
    return chosen
