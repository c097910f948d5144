"""What the host says about itself."""

import msgspec

from console.unknown import Unknown

NOT_READ_YET = Unknown("host.not-read-yet", "not read yet")


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Space of the file system that holds one path that matters; sizes in bytes."""

    path: str
    purpose: str
    total_bytes: int | Unknown
    free_bytes: int | Unknown
    read_only: bool | Unknown


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The host: platform, kernel, processors, memory, disks; sizes in bytes.

    Attributes:
        platform: `wsl2`, `wsl1` or `linux`.
        wsl_version: of the WSL package or kernel, such as `5.15.153.1`; None outside WSL.
        kernel: release, such as `6.6.87.2-microsoft-standard-WSL2`.
        ssh_origin: address the operator came from, from SSH_CONNECTION; None where local.
    """

    hostname: str
    platform: str | Unknown
    wsl_version: str | Unknown | None
    distribution: str | Unknown
    kernel: str | Unknown
    cpu_model: str | Unknown
    cpu_count: int | Unknown
    memory_total_bytes: int | Unknown
    memory_available_bytes: int | Unknown
    swap_total_bytes: int | Unknown
    swap_free_bytes: int | Unknown
    uptime_seconds: float | Unknown
    disks: tuple[Disk, ...] = ()
