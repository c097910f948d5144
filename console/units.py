"""Sizes and times as people read and write them, in a width that a table can count on."""

import math
import re

from console.unknown import NOT_KNOWN

KIB = 1024
MIB = 1024**2
GIB = 1024**3

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_FACTORS: dict[str, int] = {
    "": 1,
    "b": 1,
    **{
        prefix + tail: 1024**power
        for power, prefix in enumerate("kmgtpe", 1)
        for tail in ("", "i", "ib")
    },
    **{prefix + "b": 1000**power for power, prefix in enumerate("kmgtpe", 1)},
}
_SIZE = re.compile(r"\s*(\d{1,18})(?:\.(\d{1,9}))?\s*([a-z]{0,3})\s*", re.IGNORECASE | re.ASCII)

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*(ms|[smhdwy])\s*", re.ASCII)
_NUMBER = re.compile(r"\s*\d{1,12}(?:\.\d{1,9})?\s*", re.ASCII)


def format_bytes(size: float) -> str:
    """Give a size in bytes such as `21.4 GiB`, `700 MiB` or `512 B`; at most 8 characters.

    One decimal below 100, none above, always binary units. A number that is not finite is a dash.
    """
    if not math.isfinite(size):
        return NOT_KNOWN
    sign, size = ("-", -size) if size < 0 else ("", size)
    if size < KIB:
        whole = math.floor(size)
        return f"{sign}{whole} B"
    for power, unit in enumerate(_BINARY[1:], 1):
        number = size / 1024**power
        if number < 99.95:
            return f"{sign}{number:.1f} {unit}"
        if number < 1023.5 or unit == _BINARY[-1]:
            return f"{sign}{number:.0f} {unit}"
    raise AssertionError("the last unit takes every size")


def format_gib(size: float) -> str:
    """Give a size in bytes as GiB with one decimal and no unit, such as `21.4`."""
    return f"{size / GIB:.1f}" if math.isfinite(size) else NOT_KNOWN


def parse_bytes(text: str) -> int:
    """Read a size such as `700 MiB`, `8GiB`, `8 GB` or `1.5g` into whole bytes.

    `MiB` and a bare `M` are binary, as Docker takes them; `MB` is decimal; no unit is bytes.

    Raises:
        ValueError: it is not a size; the message says what one looks like.
    """
    match = _SIZE.fullmatch(text)
    factor = _FACTORS.get(match[3].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"{text[:40]!r} is not a size such as 700 MiB or 8 GiB")
    decimals = match[2] or ""
    return int(match[1] + decimals) * factor // int("1" + "0" * len(decimals))


def format_age(seconds: float) -> str:
    """Give how long ago something was: `12s`, `3m`, `2h`, `5d`, `3y`; at most 4 characters.

    The largest unit alone, rounded down; the future (a clock set back) counts as now.
    """
    if not math.isfinite(seconds):
        return NOT_KNOWN
    whole = max(0, math.floor(seconds))
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h")):
        if whole < limit:
            return f"{whole // size}{unit}"
    days = whole // 86400
    if days < 1000:
        return f"{days}d"
    return f"{min(days // 365, 999)}y"


def format_duration(seconds: float) -> str:
    """Give how long something takes: `350ms`, `3.2s`, `41s`, `1m46s`, `2h05m`, `3d04h`."""
    if not math.isfinite(seconds):
        return NOT_KNOWN
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 0.9995:
        return f"{round(seconds * 1000)}ms" if round(seconds * 1000) else "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s".replace(".0s", "s")
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def parse_duration(text: str) -> float:
    """Read a time such as `10m`, `1m46s`, `1.5h`, `350ms` or `30` (seconds) into seconds.

    Raises:
        ValueError: it is not a time; the message says what one looks like.
    """
    if _NUMBER.fullmatch(text):
        return float(text)
    total, position = 0.0, 0
    while part := _PART.match(text, position):
        total += float(part[1]) * _SECONDS[part[2]]
        position = part.end()
    if position == 0 or position != len(text):
        raise ValueError(f"{text[:40]!r} is not a time such as 30s, 10m or 2h")
    return total
