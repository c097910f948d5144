"""What containers have written: every run's lines, cut to what a client asks for."""

from collections.abc import Iterator

import msgspec

from console.simulator.actor import Actor
from console.simulator.engine.wire import frame, full_time, raw
from console.simulator.stage import Stage

_FAR_BACK = 6 * 3600.0
"""Seconds of a long run whose lines are kept, beside those of its first minutes."""

_FIRST = 600.0


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants of a log; times are moments of the scene."""

    stdout: bool
    stderr: bool
    timestamps: bool = False
    follow: bool = False
    tail: int | None = None
    since: float | None = None
    until: float | None = None


class Entry(msgspec.Struct, frozen=True):
    """A line with the moment it was written."""

    at: float
    stream: int
    text: str


def entries(actor: Actor, after: float, until: float) -> Iterator[Entry]:
    """Give the lines of all runs written after a moment and not after another."""
    for run in actor.runs:
        last = min(until, run.end if run.end is not None else until)
        last = min(last, run.paused_at if run.paused_at is not None else last)
        for first, end in _stretches(run.start, after, last):
            for line in run.lines(actor.life, first, end):
                yield Entry(line.at, line.stream, line.text)


def _stretches(start: float, after: float, last: float) -> Iterator[tuple[float, float]]:
    """Leave out the middle of a long run: its beginning and its last hours are what is kept."""
    if last - start <= _FAR_BACK + _FIRST:
        yield max(after, start - 1), last
        return
    if after < start + _FIRST:
        yield max(after, start - 1), start + _FIRST
    yield max(after, last - _FAR_BACK), last


def asked(actor: Actor, query: LogQuery, now: float) -> list[Entry]:
    """Give the lines up to now that a client asked for."""
    until = min(now, query.until if query.until is not None else now)
    after = query.since if query.since is not None else float("-inf")
    wanted = {stream for stream, on in ((1, query.stdout), (2, query.stderr)) if on}
    if actor.spec.tty:
        wanted.add(2)
    found = [entry for entry in entries(actor, after, until) if entry.stream in wanted]
    return found if query.tail is None else found[len(found) - min(query.tail, len(found)) :]


def written(stage: Stage, actor: Actor, query: LogQuery, entry: Entry) -> bytes:
    """Give a line as bytes on the wire: raw with a terminal, in a frame without."""
    ending = b"\r\n" if actor.spec.tty else b"\n"
    stamp = f"{full_time(stage, entry.at)} ".encode() if query.timestamps else b""
    payload = stamp + raw(entry.text) + ending
    return payload if actor.spec.tty else frame(entry.stream, payload)
