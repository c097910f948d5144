"""A moment as people write it: how long ago, a time of day, or a date with a time."""

from datetime import UTC, datetime, timedelta

from console.units import parse_duration

_LEAST_UNIX = 1_000_000.0


def parse_moment(text: str, now: datetime) -> datetime:
    """Read `10m` (`ago` or not), `14:30`, `2026-11-22 14:30`, ISO 8601, Unix seconds; gives UTC.

    A time without a zone is local. A time of day that is still to come is yesterday's. A number
    without a unit is seconds ago, or where that would be weeks ago Unix seconds, as docker takes
    them.

    Raises:
        ValueError: it is none of these; the message says what one looks like.
    """
    try:
        return _read(text.strip(), now)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text[:40]!r} is no time such as 10m, 14:30 or 2026-11-22T14:30"
        ) from None


def _read(text: str, now: datetime) -> datetime:
    if text.replace(".", "", 1).isdecimal() and float(text) > _LEAST_UNIX:
        return datetime.fromtimestamp(float(text), UTC)
    if "-" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    if ":" in text:
        return _of_today(text, now)
    return now.astimezone(UTC) - timedelta(seconds=parse_duration(text.removesuffix(" ago")))


def _of_today(text: str, now: datetime) -> datetime:
    """Give the newest local moment with this time of day that is not in the future."""
    here = now.astimezone()
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    moment = here.replace(
        hour=int(hours), minute=int(minutes), second=int(seconds or 0), microsecond=0
    )
    return (moment if moment <= here else moment - timedelta(days=1)).astimezone(UTC)
