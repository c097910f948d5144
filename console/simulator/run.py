"""One run of a container's process: how its life is lived, with the turns that orders gave it."""

from collections.abc import Iterator

import msgspec

from console.simulator.life import Life, LogLine, Moment


class Turn(msgspec.Struct, frozen=True):
    """From stage time `at` on, the life goes on at `position` (seconds since the start)."""

    at: float
    position: float


class Run(msgspec.Struct):
    """One run; times in seconds since the scene opened.

    Attributes:
        turns: the leaps it made, each forward in its life: a job that began or was broken off.
        released: the position at which the models were last unloaded.
    """

    start: float
    end: float | None = None
    paused_at: float | None = None
    turns: list[Turn] = []
    released: float | None = None

    def position(self, at: float) -> float:
        """Give how far its life has come at a time."""
        if self.paused_at is not None:
            at = min(at, self.paused_at)
        for turn in reversed(self.turns):
            if turn.at <= at:
                return turn.position + at - turn.at
        return at - self.start

    def leap(self, at: float, position: float) -> None:
        """Go on with the life elsewhere."""
        self.turns.append(Turn(at, position))

    def moment(self, life: Life, at: float, context: int, load: float) -> Moment:
        """Give what it does at a time; unloaded models come back with the next job.

        `context` is what a process holds without its models, in bytes, `load` how many seconds
        they take to come back.
        """
        position = self.position(at)
        moment = life.at(position)
        released = self.released
        if released is None or position < released or moment.vram_bytes <= context:
            return moment
        begins = life.next_job(released)
        if position < begins:
            return msgspec.structs.replace(moment, vram_bytes=context)
        share = min(1.0, (position - begins) / load) if load else 1.0
        held = context + int((moment.vram_bytes - context) * share)
        return msgspec.structs.replace(moment, vram_bytes=held)

    def cpu_seconds(self, life: Life, at: float) -> float:
        """Give the processor time used up to a time."""
        return sum(
            life.cpu_seconds(last) - life.cpu_seconds(first)
            for _, first, last in self._stretches(at)
        )

    def lines(self, life: Life, after: float, until: float) -> Iterator[LogLine]:
        """Give the lines written after a time and not after another; their times are stage times.

        `after` before the start asks for the very first line too.
        """
        for begun, first, last in self._stretches(until):
            low = first + (after - begun) if after > begun else first
            if begun == self.start and after < begun:
                low = -1.0
            for line in life.lines(low, last):
                yield LogLine(begun + line.at - first, line.stream, line.text)

    def _stretches(self, until: float) -> Iterator[tuple[float, float, float]]:
        """Give the pieces between leaps: stage time of the beginning, first and last position."""
        marks = [Turn(self.start, 0.0), *self.turns]
        for number, mark in enumerate(marks):
            after = marks[number + 1].at if number + 1 < len(marks) else until
            last = min(after, until)
            if last >= mark.at:
                yield mark.at, mark.position, mark.position + last - mark.at
