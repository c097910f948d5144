"""How a container behaves over time: closed formulas of the seconds since it started."""

import bisect
import itertools
import math
from collections.abc import Iterator

import msgspec

from console.simulator.scene import GIB, Phase, seconds

_RESTING = Phase(name="running", seconds=3600.0, vram=0.0, memory=0.02, cpu=0.0)

_AT_ONCE = 0.0005
"""Seconds between two lines of a program that writes them one after the other."""


class Moment(msgspec.Struct, frozen=True):
    """What a container does at one moment; memory in bytes, `cpu` in percent of one core."""

    phase: str
    vram_bytes: int
    memory_bytes: int
    gpu: float
    cpu: float
    ready: bool
    stage: str = ""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A job in a life: when it begins and ends, in seconds since the start of the container.

    `step` of `steps` is where the sampler stands.
    """

    what: str
    begin: float
    end: float
    step: int
    steps: int


class LogLine(msgspec.Struct, frozen=True):
    """A line a container wrote; `at` in seconds since it started, `stream` 1 or 2."""

    at: float
    stream: int
    text: str


class Life:
    """The phases of a container, laid end to end, the looping part repeated for ever."""

    def __init__(self, phases: tuple[Phase, ...], loop: str = "") -> None:
        self._phases = phases or (_RESTING,)
        self._lengths = [seconds(phase.seconds) for phase in self._phases]
        self._starts = [0.0, *itertools.accumulate(self._lengths)]
        names = [phase.name for phase in self._phases]
        self._loop = names.index(loop) if loop else None
        self._vram = _levels([phase.vram for phase in self._phases])
        self._memory = _levels([phase.memory for phase in self._phases])

    @property
    def end(self) -> tuple[float, int, bool] | None:
        """When and how the process ends on its own: seconds, exit code, out of memory."""
        for index, phase in enumerate(self._phases):
            if phase.exit is not None:
                return self._starts[index + 1], phase.exit, phase.oom
        return None

    def at(self, elapsed: float) -> Moment:
        """Give what the container does `elapsed` seconds after its start."""
        index, into, cycle = self._find(elapsed)
        phase = self._phases[index]
        share = _eased(into / self._lengths[index]) if self._lengths[index] else 1.0
        before = index - 1
        if cycle and index == self._loop:
            before = len(self._phases) - 1
        vram = _between(self._vram, before, index, share)
        memory = _between(self._memory, before, index, share)
        return Moment(
            phase.name,
            int(vram * GIB),
            int(memory * GIB),
            phase.gpu,
            phase.cpu,
            phase.ready,
            phase.stage,
        )

    def job(self, elapsed: float) -> Span | None:
        """Give the job under way; None where none is."""
        index, into, cycle = self._find(elapsed)
        phase = self._phases[index]
        if not phase.job:
            return None
        steps = max((p.steps for p in self._phases if p.job == phase.job), default=0)
        first, last = self._one_job(index, cycle)
        start = elapsed - into
        begin = start - sum(self._lengths[first:index])
        end = start + sum(self._lengths[index : last + 1])
        done = into / self._lengths[index] if self._lengths[index] else 1.0
        step = int(min(1.0, done) * phase.steps)
        return Span(what=phase.job, begin=begin, end=end, step=step, steps=steps)

    def _one_job(self, index: int, cycle: int) -> tuple[int, int]:
        """Give the first and the last phase of the job that a phase belongs to."""
        what = self._phases[index].job
        floor = self._loop if cycle and self._loop is not None else 0
        first = last = index
        while first > floor and self._phases[first - 1].job == what:
            first -= 1
        while last + 1 < len(self._phases) and self._phases[last + 1].job == what:
            last += 1
        return first, last

    def next_job(self, elapsed: float) -> float:
        """Give when the next job begins, from a moment without one; infinity where none will."""
        for seen, (start, phase, _) in enumerate(self._laid_out(elapsed)):
            if phase.job:
                return max(start, elapsed)
            if seen > 2 * len(self._phases):
                break
        return math.inf

    def cpu_seconds(self, elapsed: float) -> float:
        """Give the processor time used since the start, for the counters of `stats`."""
        index, into, cycle = self._find(elapsed)
        spent = self._cpu(0, index) + into * self._phases[index].cpu / 100
        if cycle and self._loop is not None:
            spent += cycle * self._cpu(self._loop, len(self._phases))
        return spent

    def lines(self, after: float, until: float) -> Iterator[LogLine]:
        """Give the log lines written after `after` and not after `until`, in order."""
        for start, phase, length in self._laid_out(after):
            if start > until:
                return
            count = len(phase.log)
            for number, text in enumerate(phase.log):
                share = length * (number + 0.5) / count
                at = start + (share if phase.spread else _AT_ONCE * (number + 1))
                if after < at <= until:
                    yield _line(at, text)

    def _laid_out(self, after: float) -> Iterator[tuple[float, Phase, float]]:
        """Give the phases in order with their starts, from the one `after` falls in."""
        index, into, _cycle = self._find(max(after, 0.0))
        start = max(after, 0.0) - into
        while True:
            yield start, self._phases[index], self._lengths[index]
            start += self._lengths[index]
            index += 1
            if index == len(self._phases):
                if self._loop is None:
                    return
                index = self._loop

    def _find(self, elapsed: float) -> tuple[int, float, int]:
        """Give the phase's index, the seconds into it, and which round of the loop it is."""
        total = self._starts[-1]
        cycle = 0
        if elapsed >= total:
            if self._loop is None:
                return len(self._phases) - 1, elapsed - self._starts[-2], 0
            begin = self._starts[self._loop]
            cycle = int((elapsed - begin) // (total - begin))
            elapsed = begin + (elapsed - begin) % (total - begin)
        index = min(bisect.bisect_right(self._starts, elapsed) - 1, len(self._phases) - 1)
        return index, elapsed - self._starts[index], cycle

    def _cpu(self, first: int, last: int) -> float:
        pairs = zip(self._phases[first:last], self._lengths[first:last], strict=True)
        return sum(length * phase.cpu / 100 for phase, length in pairs)


def _levels(targets: list[float | None]) -> list[float]:
    """Give the level each phase ends at; a phase without one keeps what was before."""
    levels: list[float] = []
    for target in targets:
        levels.append(target if target is not None else (levels[-1] if levels else 0.0))
    return levels


def _between(levels: list[float], before: int, index: int, share: float) -> float:
    low = levels[before] if before >= 0 else 0.0
    return low + (levels[index] - low) * share


def _eased(share: float) -> float:
    share = min(1.0, share)
    return share * share * (3 - 2 * share)


def _line(at: float, text: str) -> LogLine:
    if text.startswith("! "):
        return LogLine(at, 2, text[2:])
    return LogLine(at, 1, text)
