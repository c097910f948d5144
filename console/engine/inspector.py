"""The thread that looks at single containers, so that a slow look holds nothing else up.

While the engine starts or stops a container it answers an inspect of it only afterwards; with a
GPU hook that can take seconds.
"""

import threading
from collections.abc import Iterable

from console.clock import Clock, SystemClock
from console.engine.client import EngineClient
from console.engine.due import Due
from console.engine.endpoint import Endpoint
from console.engine.faults import (
    EngineError,
    EngineUnreachableError,
    NoSuchContainerError,
    fault,
)
from console.engine.inbox import Ended, Inbox, Looked, NotTold, Vanished

_RETRY_AFTER = 5.0


class Inspector(threading.Thread):
    """Inspects the containers it is told to, one after another, over one kept connection."""

    def __init__(self, endpoint: Endpoint, inbox: Inbox, limit: float) -> None:
        super().__init__(name="engine-inspector", daemon=True)
        self._client = EngineClient(endpoint, limit)
        self._inbox = inbox
        self._due = Due()
        # Its own pace is real time even where the program's clock is held.
        self._pace: Clock = SystemClock()
        self._wake = threading.Condition()
        self._stopping = False
        self._busy_since: float | None = None

    def look_at(self, container_ids: Iterable[str], *, urgent: bool = True) -> None:
        """Ask for a look at these containers; any thread."""
        with self._wake:
            now = self._pace.monotonic()
            for container_id in container_ids:
                self._due.mark(container_id, now, urgent=urgent)
            self._wake.notify()

    def keep_only(self, container_ids: set[str]) -> None:
        """Forget about containers that are gone; any thread."""
        with self._wake:
            self._due.keep_only(container_ids)

    def busy_seconds(self) -> float:
        """Give how long the look under way has taken so far; 0 when there is none."""
        since = self._busy_since
        return 0.0 if since is None else self._pace.monotonic() - since

    def idle(self) -> bool:
        """Tell whether nothing is looked at and nothing could be by now; any thread."""
        with self._wake:
            at = self._due.next_at()
            return self._busy_since is None and (at is None or at > self._pace.monotonic())

    def run(self) -> None:
        """Look at what is due until told to stop."""
        try:
            with self._client:
                while (container_id := self._next()) is not None:
                    self._look(container_id)
        finally:
            self._inbox.put(Ended(fault(EngineUnreachableError, "engine.lost", what="inspect")))

    def cancel(self) -> None:
        """Stop from any thread, also in the middle of a look."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._client.abort()

    def _next(self) -> str | None:
        """Wait for the next container; None when it is time to stop."""
        with self._wake:
            while not self._stopping:
                now = self._pace.monotonic()
                container_id = self._due.pop(now)
                if container_id is not None:
                    self._busy_since = now
                    return container_id
                at = self._due.next_at()
                self._wake.wait(None if at is None else max(at - now, 0))
        return None

    def _look(self, container_id: str) -> None:
        try:
            self._inbox.put(Looked(container_id, self._client.inspect(container_id)))
        except NoSuchContainerError:
            self._inbox.put(Vanished(container_id))
        except EngineError as error:
            if self._stopping:
                return
            self._inbox.put(NotTold(container_id, error))
            with self._wake:
                now = self._pace.monotonic()
                self._due.mark(container_id, now, urgent=False, delay=_RETRY_AFTER)
        finally:
            with self._wake:
                self._busy_since = None
            # The watcher publishes at once when the last of a batch is in.
            self._inbox.wake()
