"""Which part of a log is wanted."""

from datetime import datetime

import msgspec


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a container's log is wanted, and whether to wait for more.

    Attributes:
        since: nothing older.
        until: nothing newer.
        tail: at most so many lines from the end, as the engine counts them.
        follow: wait for more, until the container ends.
        last_start: nothing from before the container was last started.
        stay: with `follow`, wait on after the container ended, for it to be started again.
    """

    since: datetime | None = None
    until: datetime | None = None
    tail: int | None = None
    follow: bool = True
    last_start: bool = False
    stay: bool = False


def unix(time: datetime | None) -> str:
    """Give a time as the engine takes it: Unix seconds with decimals; empty for None."""
    if time is None:
        return ""
    micros = round(time.timestamp() * 1_000_000)
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}000"
