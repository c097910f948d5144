"""The last minutes of every card, in columns that advance together every few seconds."""

from collections import deque

from console.gpu.snapshot import Gpu, GpuSnapshot
from console.unknown import Unknown, known

SPAN_SECONDS = 300.0
"""What a history shows at least; wide ones go further back."""
LEAST_STEP_SECONDS = 10.0
"""A column is never narrower than this in time: every advance rewrites its whole row."""
KEPT_SECONDS = 1_500.0
MOST_DRAWN = 64


class Sample:
    """One reading of a card: shares of 0 to 1, None where it was unknown."""

    __slots__ = ("at", "busy", "memory")

    def __init__(self, at: float, memory: float | None, busy: float | None) -> None:
        self.at = at
        self.memory = memory
        self.busy = busy


class History:
    """Samples of every card by UUID; fed with snapshots, read as columns."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[Sample]] = {}
        self._last: float | None = None
        self._drawn: dict[tuple[str, str, int], tuple[int, tuple[float | None, ...]]] = {}

    def feed(self, snapshot: GpuSnapshot) -> None:
        """Keep the readings of a snapshot; the same one twice is kept once."""
        at = snapshot.taken_monotonic
        if at is None or at == self._last:
            return
        self._last = at
        present = {gpu.uuid for gpu in snapshot.gpus}
        for uuid in self._samples.keys() - present:
            del self._samples[uuid]
            self._drawn.clear()
        for gpu in snapshot.gpus:
            samples = self._samples.setdefault(gpu.uuid, deque())
            samples.append(Sample(at, memory_share(gpu), busy_share(gpu)))
            while samples and samples[0].at < at - KEPT_SECONDS:
                samples.popleft()

    def columns(self, uuid: str, kind: str, width: int) -> tuple[float | None, ...]:
        """Give at most `width` columns of `memory` or `busy`, oldest first.

        Each column is the mean of its slice of time. Slices are cut on the counter itself, so that
        a column never changes once it is full and all rows advance at the same moments.
        """
        samples = self._samples.get(uuid)
        if not samples or width <= 0:
            return ()
        step = self.step(width)
        newest = int(samples[-1].at // step)
        drawn = self._drawn.get((uuid, kind, width))
        if drawn is not None and drawn[0] == newest:
            return drawn[1]
        # The slice still being filled would flicker with every reading: it shows when full.
        first = max(newest - width, int(samples[0].at // step))
        sums: dict[int, list[float]] = {}
        for sample in samples:
            slot = int(sample.at // step)
            value = sample.memory if kind == "memory" else sample.busy
            if value is not None:
                sums.setdefault(slot, []).append(value)
        if newest == first:
            return _means(sums, [first])
        columns = _means(sums, list(range(first, newest)))
        if len(self._drawn) >= MOST_DRAWN:
            self._drawn.clear()
        self._drawn[uuid, kind, width] = (newest, columns)
        return columns

    @staticmethod
    def minutes(width: int) -> int:
        """Give how many minutes `width` columns show."""
        return round(History.step(width) * max(1, width) / 60)

    @staticmethod
    def step(width: int) -> float:
        """Give the seconds that one of `width` columns stands for."""
        return max(LEAST_STEP_SECONDS, SPAN_SECONDS / max(1, width))


def _means(sums: dict[int, list[float]], slots: list[int]) -> tuple[float | None, ...]:
    return tuple(sum(sums[slot]) / len(sums[slot]) if slot in sums else None for slot in slots)


def memory_share(gpu: Gpu) -> float | None:
    """Give the used share of a card's VRAM, 0 to 1; None where a part of it is unknown."""
    used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
    if isinstance(used, Unknown) or isinstance(total, Unknown) or total <= 0:
        return None
    return used / total


def busy_share(gpu: Gpu) -> float | None:
    """Give a card's utilisation, 0 to 1; None where it is unknown."""
    busy = gpu.utilization_percent
    return busy / 100 if known(busy) else None
