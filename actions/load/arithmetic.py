"""The arithmetic of a load run: percentiles, throughput, and the gaps in it. Pure."""

import itertools
import math
from collections.abc import Iterable, Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How several durations are spread, in seconds; all None where there was none."""

    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    max: float | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A time without any result, in seconds since the run began."""

    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended - self.begun


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Give the value that `percent` of the values do not exceed, between two where none is it.

    Linear between the closest ranks, as numpy's default and `statistics.quantiles` (inclusive) do.

    Args:
        values: in any order; None is given where there are none.
        percent: 0 to 100.
    """
    if not values:
        return None
    ordered = sorted(values)
    rank = (len(ordered) - 1) * percent / 100
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    # So never outside of the two, whatever is lost in rounding.
    return min(max(low + (high - low) * (rank - below), low), high)


def spread(values: Iterable[float | None]) -> Spread:
    """Give how durations are spread; those that nobody could tell (None) do not count."""
    told = [value for value in values if value is not None and math.isfinite(value)]
    if not told:
        return Spread()
    mean = min(max(math.fsum(told) / len(told), min(told)), max(told))
    return Spread(mean=mean, p50=percentile(told, 50), p95=percentile(told, 95), max=max(told))


def per_minute(count: int, seconds: float) -> float | None:
    """Give how many that is a minute; None where no time has passed."""
    return count * 60 / seconds if seconds > 0 else None


def gaps(ends: Iterable[float], begun: float, ended: float) -> tuple[Gap, ...]:
    """Give the times between one result and the next, the first from the run's beginning.

    Args:
        ends: when results came, in any order; those outside of the run count as at its edge.
        begun: of the run.
        ended: of the run.

    Returns:
        In order and without holes: they add up to the whole run.
    """
    marks = sorted(min(max(end, begun), ended) for end in ends)
    edges = [begun, *marks, ended]
    return tuple(
        Gap(begun=one, ended=other) for one, other in itertools.pairwise(edges) if other > one
    )


def gap_around(ends: Iterable[float], begun: float, ended: float, moment: float) -> Gap:
    """Give the time without a result that a moment of the run lies in.

    A moment at which a result came belongs to the gap that follows it; of a run that took no time
    it is an empty one.
    """
    several = gaps(ends, begun, ended)
    later = (gap for gap in several if gap.begun <= moment < gap.ended)
    return next(later, several[-1] if several else Gap(begun=begun, ended=begun))


def outside(count: int, seconds: float, lost: Iterable[Gap]) -> float | None:
    """Give the throughput a minute without the gaps that something else made.

    Args:
        count: results of the whole run, none of which lies within a gap but at its end.
        seconds: of the whole run.
        lost: gaps; the same one named twice counts once.

    Returns:
        None where nothing is left of the run.
    """
    taken = math.fsum(gap.seconds for gap in {(one.begun, one.ended): one for one in lost}.values())
    left = seconds - taken
    return per_minute(count, left) if left > 1e-9 else None
