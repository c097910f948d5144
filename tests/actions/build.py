"""The studio's two cards and its containers, for tests of what is made of them."""

from typing import Any

from console.engine.snapshot import Container, GpuDeclaration
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.unknown import Unknown
from tests.support.snapshots import (
    NOT_SUPPORTED,
    container,
    gpu,
    gpu_snapshot,
)

NO_PROCESSES = Unknown("nvml.wsl-no-process-memory", "the driver does not tell under WSL2")

RTX_3080 = "GPU-30800000-aaaa-bbbb-cccc-000000003080"
RTX_3090 = "GPU-30900000-aaaa-bbbb-cccc-000000003090"


def make_gpu(**changes: Any) -> Gpu:
    """Give an RTX 3080 Laptop at index 0 (CUDA ordinal 1), 6 of 16 GiB used."""
    facts: dict[str, Any] = {
        "uuid": RTX_3080,
        "cuda_ordinal": 1,
        "pci_bus_id": "00000000:01:00.0",
        "fan_percent": NOT_SUPPORTED,
        "processes": NO_PROCESSES,
    }
    return gpu(0, "NVIDIA GeForce RTX 3080 Laptop GPU", 16, 6, **{**facts, **changes})


def make_3090(**changes: Any) -> Gpu:
    """Give an RTX 3090 at index 1 (CUDA ordinal 0), 21.4 of 24 GiB used."""
    facts: dict[str, Any] = {
        "uuid": RTX_3090,
        "cuda_ordinal": 0,
        "pci_bus_id": "00000000:41:00.0",
        "temperature_celsius": 71,
        "throttle_reasons": ("sw_power_cap",),
        "processes": NO_PROCESSES,
    }
    return gpu(1, "NVIDIA GeForce RTX 3090", 24, 21.4, **{**facts, **changes})


def make_cards(*gpus: Gpu, **changes: Any) -> GpuSnapshot:
    """Give a reading of these cards (the two of the studio where none is named)."""
    return gpu_snapshot(*(gpus or (make_gpu(), make_3090())), **changes)


def make_container(name: str = "myia", **changes: Any) -> Container:
    """Give a container that runs and is well, and whose settings name no card."""
    state = changes.pop("state", "running")
    return container(name, state, **{"gpu": GpuDeclaration(), "exit_code": None, **changes})
