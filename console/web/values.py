"""Values out of a service's JSON, whatever it holds: typed, or Unknown where they are not."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from console.text import clean_line
from console.unknown import Unknown

_LARGEST = 1 << 63
_MOST_ITEMS = 20_000


def odd(field: str) -> Unknown:
    """Say that the service's answer has nothing usable in `field`."""
    return Unknown("service.odd-answer", f"the service's answer has no usable {field}")


def within(data: object, path: str) -> Any:
    """Give what stands at a dotted path of JSON objects; None where there is nothing."""
    for key in path.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def mapping(value: object) -> Mapping[str, Any]:
    """Give a JSON object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """Give the items of a JSON list, at most 20 000, or none."""
    return value[:_MOST_ITEMS] if isinstance(value, list) else ()


def number(data: object, path: str) -> float | Unknown:
    """Give the number at a path; neither NaN nor infinity counts as one."""
    value = within(data, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return odd(path)
    try:
        plain = float(value)
    except OverflowError:
        return odd(path)
    return plain if math.isfinite(plain) else odd(path)


def size(data: object, path: str) -> int | Unknown:
    """Give a count or a size in bytes at a path: whole, not negative, of at most 63 bits."""
    value = number(data, path)
    if isinstance(value, Unknown):
        return value
    return int(value) if 0 <= value < _LARGEST else odd(path)


def text(data: object, path: str, limit: int = 300) -> str | Unknown:
    """Give the text at a path as one clean line; an empty one counts as none."""
    value = within(data, path)
    line = clean_line(value, limit) if isinstance(value, str) else ""
    return line or odd(path)


def texts(value: object, limit: int = 300) -> tuple[str, ...]:
    """Give the texts in a list, each as one clean line; what is no text is left out."""
    lines = (clean_line(item, limit) for item in items(value) if isinstance(item, str))
    return tuple(line for line in lines if line)
