"""Somebody's wish to cancel a plan, as the journal has it."""

import threading

from actions.journal import Journal
from console.clock import Clock

_LOOK_SECONDS = 0.3


class Wish:
    """Tells whether somebody asked to cancel; cheap enough to be asked in a loop, by any thread.

    Attributes:
        heeded: a step has asked for it, and so will end early once it is there.
    """

    def __init__(self, journal: Journal, plan_id: str, clock: Clock) -> None:
        self._journal = journal
        self._plan_id = plan_id
        self._clock = clock
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._asked = False
        self.heeded = False

    def there(self) -> bool:
        """Tell it by a look at the journal that is at most 0.3 s old; once there, it stays."""
        with self._lock:
            now = self._clock.monotonic()
            if not self._asked and (self._looked is None or now - self._looked >= _LOOK_SECONDS):
                self._looked = now
                self._asked = self._journal.plans.cancel_requested(self._plan_id)
            return self._asked

    def there_now(self) -> bool:
        """Tell it by a fresh look."""
        with self._lock:
            self._looked = None
        return self.there()

    def heed(self) -> bool:
        """Tell it to a step."""
        self.heeded = True
        return self.there()
