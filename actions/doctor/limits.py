"""When the doctor says something: `assets/doctor.toml`."""

from functools import cache

import msgspec

from console.packaged import read_table


class HostLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the host; sizes in bytes, percentages 0 to 100."""

    memory_low_percent: float
    memory_small_bytes: int
    swap_used_percent: float
    disk_low_bytes: int
    disk_full_bytes: int
    clock_apart_seconds: float


class Limits(msgspec.Struct, frozen=True):
    """All limits."""

    host: HostLimits


@cache
def limits() -> Limits:
    """Read the limits once."""
    return msgspec.convert(read_table("doctor.toml")["limits"], Limits)
