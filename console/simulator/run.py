"""One run of a container's process: how its life is lived, with the turns that orders gave it."""

import heapq
from collections.abc import Iterator

import msgspec

from console.simulator.life import Life, LogLine, Moment
from console.simulator.services.effort import Effort

_STDERR = 2


class Turn(msgspec.Struct, frozen=True):
    """From stage time `at` on, the life goes on at `position` (seconds since the start).

    `stands`: it does not go on, for a job is done that no life has.
    """

    at: float
    position: float
    stands: bool = False


class Mark(msgspec.Struct, frozen=True):
    """From stage time `at` on the models hold so many bytes, until a job of the life begins."""

    at: float
    position: float
    held: int


class Stint(msgspec.Struct):
    """A job that somebody asked for: when it began, what it takes, what was held before.

    `end` is when it ended; None while it goes on.
    """

    begin: float
    effort: Effort
    before: int
    end: float | None = None


class Run(msgspec.Struct):
    """One run; times in seconds since the scene opened.

    Attributes:
        turns: the leaps it made, each forward in its life: a job that began or was broken off.
        marks: when models were unloaded, or others loaded. stints: jobs that were asked for.
    """

    start: float
    end: float | None = None
    paused_at: float | None = None
    turns: list[Turn] = []
    marks: list[Mark] = []
    stints: list[Stint] = []

    def position(self, at: float) -> float:
        """Give how far its life has come at a time."""
        if self.paused_at is not None:
            at = min(at, self.paused_at)
        for turn in reversed(self.turns):
            if turn.at <= at:
                return turn.position if turn.stands else turn.position + at - turn.at
        return at - self.start

    def stint(self, at: float) -> Stint | None:
        """Give the job that is done at a time, where somebody asked for it."""
        for stint in reversed(self.stints):
            if stint.begin <= at:
                return stint if stint.end is None or at < stint.end else None
        return None

    def take_up(self, at: float, effort: Effort, before: int) -> None:
        """Begin a job that was asked for; the life stands still meanwhile."""
        position = self.position(at)
        self.turns.append(Turn(at, position, stands=True))
        self.stints.append(Stint(at, effort, before))

    def lay_down(self, at: float) -> None:
        """End the job that was asked for: models stay, and the life goes on."""
        stint = self.stints[-1]
        stint.end = at
        position = self.position(at)
        self.turns.append(Turn(at, position))
        held = stint.effort.left(at - stint.begin, stint.before)
        self.marks.append(Mark(at, position, held))

    def release(self, at: float) -> None:
        """Unload the models."""
        self.marks.append(Mark(at, self.position(at), 0))

    def leap(self, at: float, position: float) -> None:
        """Go on with the life elsewhere."""
        self.turns.append(Turn(at, position))

    def moment(self, life: Life, at: float, context: int, load: float) -> Moment:
        """Give what it does at a time; unloaded models come back with the life's next job.

        `context` is what a process holds without its models, in bytes, `load` how many seconds
        they take to come back.
        """
        position = self.position(at)
        moment = life.at(position)
        stint = self.stint(at)
        if stint is not None:
            now = stint.effort.at(at - stint.begin, stint.before)
            return msgspec.structs.replace(
                moment, vram_bytes=context + now.vram, gpu=now.gpu, cpu=now.cpu
            )
        mark = next((mark for mark in reversed(self.marks) if mark.at <= at), None)
        if mark is None or (moment.vram_bytes <= context and not mark.held):
            return moment
        begins = life.next_job(mark.position)
        low = context + mark.held
        if position < begins:
            return msgspec.structs.replace(moment, vram_bytes=low)
        share = min(1.0, (position - begins) / load) if load else 1.0
        held = low + int((moment.vram_bytes - low) * share)
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
        yield from heapq.merge(
            self._of_life(life, after, until),
            self._of_stints(after, until),
            key=lambda line: line.at,
        )

    def _of_stints(self, after: float, until: float) -> Iterator[LogLine]:
        """Give the lines of jobs that were asked for."""
        for stint in self.stints:
            over = until if stint.end is None else min(until, stint.end)
            for offset, text in stint.effort.log:
                if after < stint.begin + offset <= over:
                    yield LogLine(stint.begin + offset, _STDERR, text)

    def _of_life(self, life: Life, after: float, until: float) -> Iterator[LogLine]:
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
            if last >= mark.at and not mark.stands:
                yield mark.at, mark.position, mark.position + last - mark.at
