"""A log's lines on the command line: for people, and for programs."""

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from actions.logs.line import STREAMS, Entry, Level, nanoseconds, short_source

Judged = tuple[Entry, Level]

_MARKS = {"stdout": "out", "stderr": "err", "": "   "}
_COLOURS = {"debug": "2", "warning": "33", "error": "31", "critical": "1;31"}
_WIDEST_LEVEL = 8


class LogText:
    """Lines for people: local time, stream, level in words, whose it is, the text.

    Args:
        several: there is more than one container, so that each line names its own.
        colour: the level is coloured too.
    """

    def __init__(self, *, several: bool, colour: bool) -> None:
        self._several = several
        self._colour = colour

    def line(self, judged: Judged) -> str:
        """Give one line."""
        entry, level = judged
        whose = f"{entry.container} | " if self._several else ""
        source = f"[{short_source(entry.source)}] " if entry.source else ""
        head = f"{local_time(entry.stamp)} {_MARKS[STREAMS[entry.stream]]} "
        word = f"{level:<{_WIDEST_LEVEL}}"
        colour = _COLOURS.get(level) if self._colour else None
        if colour is None:
            return f"{head}{word} {whose}{source}{entry.text}".rstrip()
        return f"{head}\x1b[{colour}m{word}\x1b[0m {whose}{source}{entry.text}".rstrip()


def line_data(judged: Judged, *, several: bool) -> dict[str, Any]:
    """Give one line as data: `time` as the engine stamped it, to the nanosecond."""
    entry, level = judged
    data: dict[str, Any] = {
        "event": "line",
        "time": entry.stamp or None,
        "stream": STREAMS[entry.stream],
        "source": entry.source,
        "level": level,
        "text": entry.text,
    }
    if several:
        data["container"] = entry.container
    return data


def local_time(stamp: str) -> str:
    """Give an engine's stamp as local time, to the millisecond; dashes where there is none."""
    nanos = nanoseconds(stamp)
    if nanos < 0:
        return "-" * 23
    return f"{_local(nanos // 1_000_000_000)}.{nanos // 1_000_000 % 1000:03d}"


@lru_cache(maxsize=64)
def _local(seconds: int) -> str:
    from datetime import datetime

    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


def wants_colour(environ: Mapping[str, str]) -> bool:
    """Tell whether stdout is a terminal that wants colours."""
    if environ.get("NO_COLOR") or environ.get("TERM", "") in {"", "dumb"}:
        return False
    return bool(sys.stdout and sys.stdout.isatty())


def reader_is_gone() -> bool:
    """Tell whether whoever read our stdout has closed it, such as a `head` that has enough."""
    import select

    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


def sources_hint(wanted: Sequence[str], seen: Sequence[str]) -> str:
    """Say which sources there are, where none of those wanted was among them."""
    names = ", ".join(dict.fromkeys(short_source(source) for source in seen)) or "none"
    return f"no line is from {' or '.join(wanted)}; the sources in this log: {names}"
