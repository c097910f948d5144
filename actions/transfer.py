"""How a download goes: the figures of each of its files and of all together."""

from typing import Any

import msgspec


class FileTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a download.

    Attributes:
        id: the catalogue's id, else its name on disk.
        path: its final name on disk.
        state: `waiting`, `checking`, `fetching`, `stalled`, `rate-limited`, `placing`, or how it
            ended: `fetched`, `linked`, `kept`.
        bytes_done: of it on disk now, fetched or found there.
        bytes_total: its size.
        resumed_from_bytes: what this attempt found fetched already.
        note: what it waits for, in words; empty while it simply goes on.
    """

    id: str
    path: str
    state: str
    bytes_done: int
    bytes_total: int
    resumed_from_bytes: int = 0
    note: str = ""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole download.

    Attributes:
        files: in the order of the plan.
        bytes_done, bytes_total: of what is to be fetched; what was there before is in both.
        rate_bytes_per_second: of the last seconds; None before there is one, and in a stall.
        eta_seconds: None while it cannot be told.
        fetched_bytes: over the network in this attempt.
        resumed_from_bytes: what this attempt found fetched already.
        note: what the whole waits for, in words; may be empty.
    """

    files: tuple[FileTransfer, ...] = ()
    bytes_done: int = 0
    bytes_total: int = 0
    rate_bytes_per_second: float | None = None
    eta_seconds: float | None = None
    fetched_bytes: int = 0
    resumed_from_bytes: int = 0
    note: str = ""


def merged(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Join what the steps of a plan resulted in: lists of one key follow each other."""
    whole: dict[str, Any] = {}
    for result in results:
        for key, value in result.items():
            before = whole.get(key)
            if isinstance(before, list) and isinstance(value, list):
                whole[key] = [*before, *value]
            else:
                whole[key] = value
    return whole
