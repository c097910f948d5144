"""How often a service is looked at: often while something changes, seldom while it idles."""

from console.services.reading import Reading

IDLE_SECONDS = 5.0
BUSY_SECONDS = 2.5
EAGER_SECONDS = 1.5
UP_ANSWERS = frozenset({"ready", "needs-auth", "odd"})
"""Answers of a service that is no longer starting."""

_PATIENCE_WITH_A_START = 300.0


def seconds_to_next(reading: Reading, in_state_for: float) -> float:
    """Give the seconds until the next look.

    Args:
        reading: the newest look.
        in_state_for: seconds since it gives the same kind of answer. What does not come up for five
            minutes is not looked at eagerly any more.
    """
    if reading.busy:
        return BUSY_SECONDS
    if reading.answer in UP_ANSWERS:
        return IDLE_SECONDS
    return EAGER_SECONDS if in_state_for < _PATIENCE_WITH_A_START else IDLE_SECONDS


def same(before: Reading | None, now: Reading) -> bool:
    """Tell whether two readings say the same, whenever they were taken."""
    if before is None:
        return False
    fields = (name for name in now.__struct_fields__ if name not in _PASSING)
    return all(getattr(before, name) == getattr(now, name) for name in fields)


# How a look was made is no news.
_PASSING = frozenset({"taken_monotonic", "took_seconds", "detail"})
