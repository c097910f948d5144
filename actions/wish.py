"""Somebody's wish to cancel or to pause a plan, as the journal or a signal tells it."""

import threading
from collections.abc import Callable

from actions.journal import Journal
from actions.plan import Plan
from console.clock import Clock

CANCEL = "cancel"
PAUSE = "pause"
# Nobody wishes it, but the process has to go: the host shuts down.
LEAVE = "leave"
_LOOK_SECONDS = 0.3


def _never() -> bool:
    return False


class Wish:
    """Tells whether a plan is to end early; cheap enough to be asked in a loop, by any thread.

    Attributes:
        heeded: a step has asked for it, and so will end early once it is there.
    """

    def __init__(
        self, journal: Journal, plan: Plan, clock: Clock, told_to_end: Callable[[], bool] = _never
    ) -> None:
        """Take what tells of wishes.

        Args:
            journal: where other consoles write them.
            plan: whose wishes; only one without an end of its own can be paused.
            clock: tells how old a look at the journal is.
            told_to_end: whether a signal told this process to end. Such a plan then keeps what it
                has; any other is cancelled.
        """
        self._journal = journal
        self._plan = plan
        self._clock = clock
        self._told_to_end = told_to_end
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._kind = ""
        self.heeded = False

    def kind(self) -> str:
        """Give `cancel`, `pause` or `leave` by a look that is at most 0.3 s old, else empty.

        Once there it stays, but for a cancel that comes while a pause is not met yet.
        """
        with self._lock:
            now = self._clock.monotonic()
            due = self._looked is None or now - self._looked >= _LOOK_SECONDS
            if self._kind != CANCEL and (due or (self._told_to_end() and not self._kind)):
                self._looked = now
                self._kind = self._look() or self._kind
            return self._kind

    def kind_now(self) -> str:
        """Give it by a fresh look."""
        with self._lock:
            self._looked = None
        return self.kind()

    def there(self) -> bool:
        """Tell whether there is one of any kind."""
        return bool(self.kind())

    def there_now(self) -> bool:
        """Tell it by a fresh look."""
        return bool(self.kind_now())

    def pausing(self) -> bool:
        """Tell whether it means only for now: what is there is kept."""
        return self.kind() in {PAUSE, LEAVE}

    def heed(self) -> bool:
        """Tell it to a step."""
        self.heeded = True
        return self.there()

    def _look(self) -> str:
        wished = self._journal.plans.wished(self._plan.id)
        if wished == CANCEL or (wished and self._plan.endless and self._plan.pausable):
            return wished
        if not self._told_to_end():
            return ""
        if self._plan.endless:
            return LEAVE
        self._journal.plans.request_cancel(self._plan.id, self._clock.now())
        return CANCEL
