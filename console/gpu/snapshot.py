"""What the GPU door publishes: immutable readings of every card."""

from datetime import datetime

import msgspec

from console.unknown import Unknown

OVERDUE_SECONDS = 3.0
"""By so much may a reading be late before it counts as stale."""


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that holds VRAM on a card, as the driver tells it.

    Attributes:
        pid: process id in the host's namespace.
        name: executable's name, cleaned for display; Unknown where /proc does not know the pid.
        used_bytes: its VRAM in bytes; Unknown on WSL2, where the driver never tells.
        kind: `compute`, `graphics` or `both`.
        container_id: full id of its container by cgroup; None where it runs outside of one.
    """

    pid: int
    name: str | Unknown
    used_bytes: int | Unknown
    kind: str
    container_id: str | Unknown | None


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One physical card at one moment; every field on its own may be Unknown, except its uuid.

    `index` is NVML's (nvidia-smi's) order; `cuda_ordinal` is CUDA's default order (fastest first),
    worked out, never the same thing by definition. Memory is in bytes and of one struct version:
    used is the driver's own figure, as nvidia-smi shows it, for the whole card, Windows desktop
    included; where total is more than used + free, the driver keeps the rest for itself.
    Percentages are 0-100. `lost` is set while the card does not answer though others may.
    """

    uuid: str
    index: int
    cuda_ordinal: int | Unknown
    pci_bus_id: str | Unknown
    name: str | Unknown
    compute_capability: str | Unknown
    memory_total_bytes: int | Unknown
    memory_used_bytes: int | Unknown
    memory_free_bytes: int | Unknown
    utilization_percent: int | Unknown
    memory_utilization_percent: int | Unknown
    temperature_celsius: int | Unknown
    power_watts: float | Unknown
    power_limit_watts: float | Unknown
    clock_graphics_mhz: int | Unknown
    clock_memory_mhz: int | Unknown
    fan_percent: int | Unknown
    throttle_reasons: tuple[str, ...] | Unknown
    pcie_generation: int | Unknown
    pcie_width: int | Unknown
    ecc_mode: str | Unknown
    ecc_errors: int | Unknown
    performance_state: str | Unknown
    processes: tuple[GpuProcess, ...] | Unknown
    lost: Unknown | None = None


class GpuDriver(msgspec.Struct, frozen=True, kw_only=True):
    """The driver behind all cards, read once per initialisation.

    Attributes:
        version: such as `580.97`.
        nvml_version: such as `13.580.97`.
        cuda_version: newest CUDA the driver supports, such as `13.0`.
        library: where the NVML library was loaded from.
    """

    version: str | Unknown
    nvml_version: str | Unknown
    cuda_version: str | Unknown
    library: str


class GpuSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All cards as last read.

    Attributes:
        gpus: in driver order; the last good readings are kept while a later one is overdue.
        driver: facts of the driver, or why there is none.
        problem: why there are no (fresh) readings: no library, no driver, version mismatch,
            access blocked, hanging. None while all is well.
        taken_at: wall time of the reading; None before the first.
        taken_monotonic: the same on the monotonic counter, seconds; for age and staleness.
    """

    gpus: tuple[Gpu, ...] = ()
    driver: GpuDriver | Unknown = Unknown("gpu.not-read-yet", "not read yet")
    problem: Unknown | None = None
    taken_at: datetime | None = None
    taken_monotonic: float | None = None
