"""Builders of hand-made cards, containers and engines: healthy unless a test says otherwise."""

from datetime import UTC, datetime
from typing import Any

from console.engine.snapshot import Container, EngineSnapshot, GpuDeclaration
from console.gpu.snapshot import Gpu, GpuDriver, GpuSnapshot
from console.unknown import Unknown

NOW = datetime(2026, 11, 22, 21, 41, 7, tzinfo=UTC)
GIB = 1024**3
NO_PROCESSES = Unknown("nvml.wsl-no-process-memory", "the driver does not tell under WSL2")

RTX_3080 = "GPU-30800000-aaaa-bbbb-cccc-000000003080"
RTX_3090 = "GPU-30900000-aaaa-bbbb-cccc-000000003090"


def make_gpu(**changes: Any) -> Gpu:
    """Give an RTX 3080 Laptop at index 0 (CUDA ordinal 1), 6 of 16 GiB used."""
    facts: dict[str, Any] = {
        "uuid": RTX_3080,
        "index": 0,
        "cuda_ordinal": 1,
        "pci_bus_id": "00000000:01:00.0",
        "name": "NVIDIA GeForce RTX 3080 Laptop GPU",
        "compute_capability": "8.6",
        "memory_total_bytes": 16 * GIB,
        "memory_used_bytes": 6 * GIB,
        "memory_free_bytes": 10 * GIB,
        "utilization_percent": 37,
        "memory_utilization_percent": 20,
        "temperature_celsius": 58,
        "power_watts": 142.0,
        "power_limit_watts": 200.0,
        "clock_graphics_mhz": 1545,
        "clock_memory_mhz": 7001,
        "fan_percent": Unknown("nvml.not-supported", "this card does not tell"),
        "throttle_reasons": (),
        "pcie_generation": 4,
        "pcie_width": 16,
        "ecc_mode": "off",
        "ecc_errors": Unknown("nvml.not-supported", "this card does not tell"),
        "performance_state": "P2",
        "processes": NO_PROCESSES,
    }
    return Gpu(**{**facts, **changes})


def make_3090(**changes: Any) -> Gpu:
    """Give an RTX 3090 at index 1 (CUDA ordinal 0), 21.4 of 24 GiB used."""
    facts: dict[str, Any] = {
        "uuid": RTX_3090,
        "index": 1,
        "cuda_ordinal": 0,
        "pci_bus_id": "00000000:41:00.0",
        "name": "NVIDIA GeForce RTX 3090",
        "memory_total_bytes": 24 * GIB,
        "memory_used_bytes": int(21.4 * GIB),
        "memory_free_bytes": int(2.6 * GIB),
        "utilization_percent": 92,
        "temperature_celsius": 71,
        "power_watts": 338.0,
        "power_limit_watts": 350.0,
        "fan_percent": 63,
        "throttle_reasons": ("sw_power_cap",),
    }
    return make_gpu(**{**facts, **changes})


def make_cards(*gpus: Gpu, **changes: Any) -> GpuSnapshot:
    """Give a reading of these cards (the two of the studio where none is named)."""
    facts: dict[str, Any] = {
        "gpus": gpus or (make_gpu(), make_3090()),
        "driver": GpuDriver(
            version="580.97", nvml_version="13.580.97", cuda_version="13.0", library="simulated"
        ),
        "taken_at": NOW,
        "taken_monotonic": 1_000.0,
    }
    return GpuSnapshot(**{**facts, **changes})


def make_container(name: str = "myia", **changes: Any) -> Container:
    """Give a container that runs and is well; its id is made from its name."""
    facts: dict[str, Any] = {
        "id": (name.encode().hex() + "0" * 64)[:64],
        "name": name,
        "image": "ghcr.io/ai-dock/stable-diffusion-webui-forge:latest-cuda",
        "state": "running",
        "status": "Up 2 days",
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
        "ports": (),
        "compose": None,
        "health": "none",
        "exit_code": None,
        "error": "",
        "oom_killed": False,
        "restart_count": 0,
        "restart_policy": "unless-stopped",
        "started_at": datetime(2026, 11, 20, 21, 0, tzinfo=UTC),
        "finished_at": None,
        "stop_timeout": None,
        "pid": 4242,
        "gpu": GpuDeclaration(),
    }
    return Container(**{**facts, **changes})


def make_engine(*containers: Container, **changes: Any) -> EngineSnapshot:
    """Give a connected engine that has these containers."""
    facts: dict[str, Any] = {
        "endpoint": "unix:///var/run/docker.sock",
        "endpoint_source": "default",
        "state": "connected",
        "version": "29.1.3",
        "api_version": "1.52",
        "containers": containers,
        "taken_at": NOW,
        "heard_monotonic": 1_000.0,
    }
    return EngineSnapshot(**{**facts, **changes})
