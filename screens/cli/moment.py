"""The value of options such as `--since`: a moment, or an error that names the option."""

from datetime import datetime

from console.errors import UsageError
from console.moments import parse_moment


def moment(text: str | None, now: datetime, option: str) -> datetime | None:
    """Give the moment that an option names; None where it is not given.

    Raises:
        UsageError: it cannot be read (`usage.bad-time`).
    """
    if text is None:
        return None
    try:
        return parse_moment(text, now)
    except ValueError as error:
        raise UsageError(
            "usage.bad-time",
            f"{option} is an age or a time that cannot be read",
            "Such as 90s, 10m, 2h, 14:30, 2026-11-22T20:00 or 2026-11-22T20:00:00Z",
        ) from error
