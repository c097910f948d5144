"""Unknown as a value of its own: what is missing, why, and what to do about it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard, TypeVar

import msgspec

T = TypeVar("T")

NOT_KNOWN = "\N{EN DASH}"
"""Stands in text for every figure that is not known."""


class Unknown(msgspec.Struct, frozen=True):
    """A value that could not be had, with its reason.

    It stands in a snapshot's field where the value would stand, so that nobody can mistake it for
    a number, and the reason travels with it to the screen and to `unavailable[]` in JSON.

    Attributes:
        code: machine-readable reason, dotted, such as `nvml.not-supported`.
        title: one line for people.
        hint: what to do next; empty where nothing can be done.
    """

    code: str
    title: str
    hint: str = ""

    def __bool__(self) -> bool:
        """An unknown value is never true, so `if value:` can't take it for one."""
        return False


def known(value: "T | Unknown") -> TypeGuard[T]:
    """Tell whether a field holds a value (which may be 0 or empty) rather than `Unknown`."""
    return not isinstance(value, Unknown)


def plain(snapshot: msgspec.Struct) -> dict[str, Any]:
    """Turn a snapshot into JSON-ready data by the contract of the command line.

    Unknown fields become null and are listed in the object's own `unavailable` list as `field`,
    `code`, `title`, `hint`; times become ISO 8601 UTC ending in `Z`; nested snapshots follow.
    """
    data: dict[str, Any] = {}
    unavailable: list[dict[str, str]] = []
    for name in snapshot.__struct_fields__:
        value = getattr(snapshot, name)
        if isinstance(value, Unknown):
            unavailable.append({"field": name, **msgspec.structs.asdict(value)})
            data[name] = None
        else:
            data[name] = plain_value(value)
    if unavailable:
        data["unavailable"] = unavailable + list(data.get("unavailable") or ())
    return data


def plain_value(value: Any) -> Any:
    """Turn one value into what `plain` puts in its place; unknown types are passed through."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, msgspec.Struct):
        return plain(value)
    if isinstance(value, datetime):
        return iso_time(value)
    if isinstance(value, Mapping):
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(item) for item in value]
    return value


def iso_time(moment: datetime) -> str:
    """Give a time as ISO 8601 UTC with whole milliseconds, such as `2026-11-22T20:14:03.120Z`."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
