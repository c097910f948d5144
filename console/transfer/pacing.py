"""How fast and when to ask: the bandwidth limit, the rate just now, waiting after faults.

All of it goes by the monotonic clock, so that a wall clock that jumps changes nothing.
"""

import math
import threading
from collections import deque
from collections.abc import Callable

from console.clock import Clock
from console.errors import ConsoleError

LONGEST_BACKOFF = 30.0
"""Seconds between two tries, where the other side does not say."""

LONGEST_REQUESTED_WAIT = 3600.0
"""Seconds that another side may ask for; one that asks for more is not waited for."""

_LOOK = 0.2
_RATE_SECONDS = 5.0
_BURST_SECONDS = 0.25


class Pace:
    """A limit in bytes a second over all connections; it may change at any time."""

    def __init__(self, clock: Clock, closing: threading.Event) -> None:
        self._clock = clock
        self._closing = closing
        self._guard = threading.Lock()
        self._limit: float | None = None
        self._paid_until = 0.0

    def set(self, limit: float | None) -> None:
        """Take another limit; None or nothing positive is none."""
        with self._guard:
            usable = limit is not None and math.isfinite(limit) and limit > 0
            if usable != (self._limit is not None) or limit != self._limit:
                self._paid_until = 0.0
            self._limit = limit if usable else None

    def spend(self, count: int) -> None:
        """Account for bytes that came, and wait until they are within the limit."""
        with self._guard:
            if self._limit is None:
                return
            now = self._clock.monotonic()
            begin = max(self._paid_until, now - _BURST_SECONDS)
            self._paid_until = mine = begin + count / self._limit
        while (left := mine - self._clock.monotonic()) > 0 and self._paid_until >= mine:
            if self._closing.wait(min(left, _LOOK)):
                return


class Meter:
    """The rate over the last seconds, from a counter that is looked at now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def rate(self, count: int) -> float | None:
        """Take the counter's value, and give bytes a second; None until there is a second's."""
        now = self._clock.monotonic()
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _RATE_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        return (count - before) / (now - began) if now - began >= 1.0 else None

    def restart(self) -> None:
        """Forget what was, after a wait."""
        self._seen.clear()


class Patience:
    """When the other side may be asked again: 1, 2, 4 up to 30 s after faults, later if it says so.

    Attributes:
        rate_limited: the wait that is on now was asked for by the other side.
        why: the fault that is waited for, in its own words.
    """

    def __init__(self, clock: Clock, closing: threading.Event) -> None:
        self._clock = clock
        self._closing = closing
        self._guard = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self._waited_from = 0.0
        self.rate_limited = False
        self.why = ""

    def failed(self, fault: ConsoleError, asked_at: float) -> int:
        """Take a fault of a request that began at `asked_at`; give how many there were in a row.

        Faults of requests that were under way when the last one was noted are the same trouble.
        """
        wanted = wish_of(fault)
        with self._guard:
            now = self._clock.monotonic()
            if asked_at >= self._waited_from or wanted is not None:
                if asked_at >= self._waited_from:
                    self._failures += 1
                    self._waited_from = now
                pause = min(LONGEST_BACKOFF, 2.0 ** min(self._failures - 1, 10))
                # A wish of 0 s, or of 1 s for an hour, is no reason to knock without end.
                self._until = max(self._until, now + max(pause, wanted or 0.0))
                self.rate_limited = wanted is not None
                self.why = fault.title
            return self._failures

    def went_on(self) -> None:
        """Note that new bytes came."""
        if self._failures:
            with self._guard:
                self._failures = 0

    def left(self) -> float:
        """Give the seconds until the other side may be asked again; 0 where it may now."""
        return max(0.0, self._until - self._clock.monotonic())

    @property
    def until(self) -> float:
        """When, by the monotonic clock, the last wait ends or ended."""
        return self._until

    def wait(self, given_up: Callable[[], bool]) -> bool:
        """Wait as long as must be; False where there is no need to ask any more."""
        while not self._closing.is_set() and not given_up():
            left = self.left()
            if left <= 0:
                return True
            self._closing.wait(min(left, _LOOK))
        return False


def wish_of(fault: ConsoleError) -> float | None:
    """Give the seconds that a fault says the other side wants to be left alone; None without."""
    wanted = getattr(fault, "retry_after", None)
    if not isinstance(wanted, int | float) or not math.isfinite(wanted) or wanted < 0:
        return None
    return float(wanted)
