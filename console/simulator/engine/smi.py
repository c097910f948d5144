"""`nvidia-smi` as a container's only command: it lists the cards it sees, or fails as it does."""

import msgspec

from console.simulator.casting import kind_of, seen_cards
from console.simulator.scene import ContainerSpec, Phase, Scene

_NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that "
    "the latest NVIDIA driver is installed and running."
)
_NO_PROGRAM = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: exec: "
    '"nvidia-smi": executable file not found in $PATH: unknown'
)
_WORDS = {
    "LIB_RM_VERSION_MISMATCH": "Failed to initialize NVML: Driver/library version mismatch",
    "DRIVER_NOT_LOADED": _NO_DRIVER,
    "OPERATING_SYSTEM": "Failed to initialize NVML: GPU access blocked by the operating system",
}
_FAILED = 255


def is_nvidia_smi(spec: ContainerSpec) -> bool:
    """Tell whether a container runs nothing but `nvidia-smi`."""
    return (*spec.entrypoint, *spec.command)[:1] == ("nvidia-smi",)


def nvidia_smi(scene: Scene, spec: ContainerSpec) -> ContainerSpec:
    """Give the container the life of `nvidia-smi -L`.

    Where the scene's own containers of cards cannot start, neither can this one: the hook fails.
    """
    failed = next((one.start_error for one in scene.containers.values() if _hindered(one)), "")
    if spec.gpus is None:
        failed = failed or _NO_PROGRAM
    fault = scene.driver.fault
    lines = [_WORDS.get(fault, f"Failed to initialize NVML: {fault}")] if fault else []
    if not fault:
        lines = [
            f"GPU {number}: {scene.cards[card.index].name} (UUID: {scene.cards[card.index].uuid})"
            for number, card in enumerate(seen_cards(scene, spec).cards)
        ]
    phase = Phase(
        name="list", seconds=0.2, memory=0.01, log=tuple(lines), spread=False,
        exit=_FAILED if fault else 0,
    )  # fmt: skip
    return msgspec.structs.replace(
        spec, phases=(phase,), loop="", start_error=failed, term="exit", card=None
    )


def _hindered(spec: ContainerSpec) -> bool:
    return bool(spec.start_error and spec.gpus is not None and kind_of(spec))
