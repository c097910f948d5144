"""What a log is made of: entries as they were written, and the lines a reader is shown."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

Level = Literal["", "debug", "info", "warning", "error", "critical"]
LEVELS: tuple[Level, ...] = ("", "debug", "info", "warning", "error", "critical")
STREAMS: tuple[Literal["", "stdout", "stderr"], ...] = ("", "stdout", "stderr")
ERROR = LEVELS.index("error")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTEST_STAMP = 20


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line as it was written: cleaned, but neither folded nor counted.

    Attributes:
        stamp: the engine's time of it, `2026-11-22T14:00:00.123456789Z`; empty where it told none.
        stream: 1 is stdout, 2 stderr; a container with a terminal has stdout only.
        source: the file it came from where a container prints several (`==> file <==`), else empty.
        container: the container's name.
        text: one line, safe to show, of bounded length.
        progress: a progress bar's newest state; the ones before it were overwritten.
        living: not ended yet: the next entry of its stream continues and replaces it.
    """

    stamp: str
    stream: int
    source: str
    container: str
    text: str
    progress: bool = False
    living: bool = False

    @property
    def time(self) -> datetime | None:
        """Give the engine's time, aware, in UTC, to the microsecond; None where it told none."""
        return time_of(self.stamp)


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as a reader is shown it.

    Attributes:
        number: counts from 1 for the whole life of a book; stays the line's when older are dropped.
        time: the engine's time, aware, in UTC; of a repeated line the first, of a progress bar the
            newest; None where the engine told none.
        stream: `stdout` or `stderr`; with a terminal all is `stdout`.
        source: the file it came from where a container prints several, such as
            `/var/log/supervisor/forge.log`; else empty.
        level: as the line itself says; empty where it says nothing.
        text: cleaned, one line, tabs expanded; where it was too long, its end says what was cut.
        container: the container's name.
        repeats: how many times it came in a row, at least 1.
        folded: the lines before it that are folded beneath it: of a traceback all but the last.
        progress: a progress bar; its next state replaces this one in place.
        living: not ended yet; always at the end of a book, replaced by what follows.
    """

    number: int
    time: datetime | None
    stream: Literal["", "stdout", "stderr"]
    source: str
    level: Level
    text: str
    container: str
    repeats: int = 1
    folded: tuple[str, ...] = ()
    progress: bool = False
    living: bool = False


def nanoseconds(stamp: str) -> int:
    """Give a stamp as nanoseconds since 1970; -1 where it is none."""
    if len(stamp) < _SHORTEST_STAMP:
        return -1
    seconds = _seconds(stamp[:19])
    if seconds < 0:
        return -1
    fraction = stamp[20:].rstrip("Z")
    return seconds * 1_000_000_000 + (int(fraction.ljust(9, "0")) if fraction.isdecimal() else 0)


def moment(nanos: int) -> datetime | None:
    """Give nanoseconds since 1970 as a time in UTC; None for -1."""
    return None if nanos < 0 else _EPOCH + timedelta(microseconds=nanos // 1000)


def stamp_of(time: datetime) -> str:
    """Give a time as the engine stamps lines."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def time_of(stamp: str) -> datetime | None:
    """Give a stamp as a time in UTC; None where it is none."""
    return moment(nanoseconds(stamp))


def short_source(source: str) -> str:
    """Give a source's name for narrow places: `forge` of `/var/log/supervisor/forge.log`."""
    return source.rpartition("/")[2].removesuffix(".log")


@lru_cache(maxsize=512)
def _seconds(stamp: str) -> int:
    """Give the whole seconds of `2026-11-22T14:00:00`, which many lines share; -1 where odd."""
    try:
        return int(datetime.strptime(stamp + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp())
    except ValueError:
        return -1
