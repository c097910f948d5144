"""Which part of a log is wanted."""

from datetime import UTC, datetime, timedelta

import msgspec

from console.clock import Clock
from console.errors import UsageError
from console.units import parse_duration


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a container's log is wanted, and whether to wait for more.

    Attributes:
        since: nothing older.
        until: nothing newer.
        tail: at most so many lines from the end, as the engine counts them.
        follow: wait for more, until the container ends.
        last_start: nothing from before the container was last started.
        stay: with `follow`, wait on after the container ended, for it to be started again.
    """

    since: datetime | None = None
    until: datetime | None = None
    tail: int | None = None
    follow: bool = True
    last_start: bool = False
    stay: bool = False


def unix(time: datetime | None) -> str:
    """Give a time as the engine takes it: Unix seconds with decimals; empty for None."""
    if time is None:
        return ""
    micros = round(time.timestamp() * 1_000_000)
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}000"


def parse_moment(text: str, clock: Clock, option: str) -> datetime:
    """Read a moment: an age (`10m`), a clock time of the last 24 hours (`14:30`), or ISO 8601.

    Times without a zone are local ones; a bare number is Unix seconds, as docker takes it.

    Raises:
        UsageError: it is none of these; `option` is named.
    """
    text = text.strip()
    now = clock.now()
    try:
        if text.replace(".", "", 1).isdecimal() and float(text) > 1_000_000:
            return datetime.fromtimestamp(float(text), UTC)
        if ":" not in text and "-" not in text:
            return now - timedelta(seconds=parse_duration(text))
        if "-" not in text:
            return _of_today(text, now)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.astimezone()).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            "logs.bad-time",
            f"{option} is an age or a time that cannot be read",
            "Such as 90s, 10m, 2h, 14:30, 2026-11-22T20:00 or 2026-11-22T20:00:00Z",
        ) from error


def _of_today(text: str, now: datetime) -> datetime:
    """Give the newest local moment with this clock time that is not in the future."""
    here = now.astimezone()
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    moment = here.replace(
        hour=int(hours), minute=int(minutes), second=int(seconds or 0), microsecond=0
    )
    return (moment if moment <= here else moment - timedelta(days=1)).astimezone(UTC)
