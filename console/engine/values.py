"""Values out of an engine's answer, whatever it holds: typed, cleaned, or said to be missing."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from console.text import clean_line
from console.unknown import Unknown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_ITEMS = 1000
# Go writes no time as year 1. Its fractions have up to nine digits, Python's six.
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_LARGEST = 1 << 63


def odd(field: str) -> Unknown:
    """Say that the engine's answer has something unexpected in `field`."""
    return Unknown("engine.odd-answer", f"the engine's answer has no usable {field}")


def mapping(value: object) -> Mapping[str, Any]:
    """Give a JSON object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """Give at most 1000 items of a JSON list, or none."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value[:_MOST_ITEMS]
    return ()


def text(value: object, limit: int = 4096) -> str:
    """Give cleaned text of one line, or the empty text."""
    return clean_line(value, limit) if isinstance(value, str) else ""


def texts(value: object, limit: int = 4096) -> tuple[str, ...]:
    """Give the texts of a list, cleaned; a single text stands for a list of one."""
    if isinstance(value, str):
        return (text(value, limit),)
    return tuple(text(item, limit) for item in items(value) if isinstance(item, str))


def pairs(value: object) -> tuple[tuple[str, str], ...]:
    """Give a JSON object of texts as cleaned pairs, sorted by key."""
    found = ((text(key, 512), text(item)) for key, item in mapping(value).items())
    return tuple(sorted(found))[:_MOST_ITEMS]


def integer(value: object) -> int | None:
    """Give a whole number of at most 63 bits, or None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_LARGEST < value < _LARGEST else None


def moment(value: object) -> datetime | None:
    """Give a time of the engine in UTC; None for its zero time and for what is no time.

    The engine writes RFC 3339 with up to nine digits of a second; list entries have Unix seconds.
    """
    if isinstance(value, str):
        return _written(value)
    seconds = integer(value)
    if seconds is None or seconds <= 0:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _written(value: str) -> datetime | None:
    match = _TIME.fullmatch(value)
    if match is None or match[1] == "0001":
        return None
    fraction = (match[7] or "").ljust(6, "0")[:6]
    zone = "+00:00" if match[8] == "Z" else match[8]
    whole = value[:19]
    try:
        return datetime.fromisoformat(f"{whole}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
