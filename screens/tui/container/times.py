"""A moment as an operator types it: a time of day, a day with a time, or how long ago."""

from datetime import datetime, timedelta

from console.units import parse_duration

_CLOCKS = ("%H:%M", "%H:%M:%S")
_DAYS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


def moment_of(text: str, now: datetime) -> datetime:
    """Read `14:05`, `2026-11-22 14:05` (local time) or `10m` (ago).

    A time of day that is still to come is yesterday's.

    Raises:
        ValueError: it is none of these; the message says what one looks like.
    """
    words = " ".join(text.replace("T", " ").split())
    here = now.astimezone()
    for pattern in _DAYS:
        found = _read(words, pattern)
        if found is not None:
            return found.astimezone()
    for pattern in _CLOCKS:
        found = _read(words, pattern)
        if found is not None:
            at = datetime.combine(here.date(), found.time()).astimezone()
            return at if at <= here else at - timedelta(days=1)
    try:
        return here - timedelta(seconds=parse_duration(words))
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:40]!r} is no time such as 14:05, 2026-11-22 14:05 or 10m (ago)"
        ) from None


def _read(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 -- local: made aware by the caller
    except ValueError:
        return None
