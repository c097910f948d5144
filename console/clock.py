"""The clock door: every time the program reads comes through here, so that tests can hold it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for people, a monotonic counter for ages and deadlines."""

    def now(self) -> datetime:
        """Give the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds since some fixed start; never goes back."""
        ...


class SystemClock:
    """The host's own clock."""

    def now(self) -> datetime:
        """Give the wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds since boot or so; never goes back."""
        return time.monotonic()


class HeldClock:
    """A clock that moves only when told; both of its faces move together."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def now(self) -> datetime:
        """Give the held wall time."""
        return self._now

    def monotonic(self) -> float:
        """Give the held counter in seconds."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both faces forward by `seconds`."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
