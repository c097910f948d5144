"""Events on their way to the operator: each way has a queue of its own, and tries again."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from actions.session import Session
from actions.watching.telling import WAYS, Teller, ways_of
from console.unknown import Unknown

log = logging.getLogger("gpuconsole.watching")

MOST_WAITING = 100
PAUSES = (5.0, 30.0, 120.0)
"""Seconds until an event that was not taken is told again; after the last it is given up."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event on one way.

    Attributes:
        way: `command` or `webhook`.
        data: the event as it was told.
        problem: why it was not taken; None where it was.
        again: seconds until it is tried again; None where it is not.
    """

    way: str
    data: Mapping[str, object]
    problem: Unknown | None
    again: float | None = None


class Delivery:
    """Tells events in threads of its own: a way that hangs holds up neither the other nor us.

    Args:
        session: whose config names the ways; it is read again for each event.
        told: is called from those threads with what became of each try.
        pauses: seconds between the tries.
    """

    def __init__(
        self,
        session: Session,
        told: Callable[[Delivered], None],
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._session = session
        self._lanes = {way: _Lane(session, way, told, pauses) for way in WAYS}

    def send(self, data: dict[str, object]) -> None:
        """Tell an event by every way that is set; returns at once."""
        for way in ways_of(self._session.settings.watch):
            self._lanes[way].put(data)

    def stop(self, patience: float) -> None:
        """End: what is under way gets `patience` seconds, what waits is dropped."""
        for lane in self._lanes.values():
            lane.stop()
        for lane in self._lanes.values():
            lane.join(patience)


class _Lane(threading.Thread):
    """One way, in a thread that begins with its first event."""

    def __init__(
        self,
        session: Session,
        way: str,
        told: Callable[[Delivered], None],
        pauses: Sequence[float],
    ) -> None:
        super().__init__(name=f"watch-{way}", daemon=True)
        self._way = way
        self._told = told
        self._pauses = pauses
        self._teller = Teller(session, way)
        self._waiting: deque[dict[str, object]] = deque()
        self._news = threading.Condition()
        self._stopping = threading.Event()

    def put(self, data: dict[str, object]) -> None:
        dropped = None
        with self._news:
            if self._stopping.is_set():
                return
            if len(self._waiting) >= MOST_WAITING:
                dropped = self._waiting.popleft()
            self._waiting.append(data)
            self._news.notify()
        if self.ident is None:
            self.start()
        if dropped is not None:
            problem = Unknown("hook.too-many", f"more than {MOST_WAITING} events wait")
            self._told(Delivered(way=self._way, data=dropped, problem=problem))

    def stop(self) -> None:
        with self._news:
            self._stopping.set()
            self._waiting.clear()
            self._news.notify()

    def join(self, timeout: float | None = None) -> None:
        """Wait for what is under way; then cut it."""
        if self.ident is None:
            return
        super().join(timeout)
        if self.is_alive():
            self._teller.abort()
            super().join(2.5)

    def run(self) -> None:
        while (data := self._next()) is not None:
            for pause in (*self._pauses, None):
                problem = self._tried(data)
                again = None if problem is None or self._stopping.is_set() else pause
                self._told(Delivered(way=self._way, data=data, problem=problem, again=again))
                if again is None or self._stopping.wait(again):
                    break

    def _tried(self, data: dict[str, object]) -> Unknown | None:
        try:
            return self._teller.tell(data)
        except Exception as error:
            log.exception("an alert could not be told")
            name = type(error).__name__
            return Unknown("hook.internal", f"something went wrong inside gpuconsole ({name})")

    def _next(self) -> dict[str, object] | None:
        with self._news:
            while not self._waiting:
                if self._stopping.is_set():
                    return None
                self._news.wait()
            return self._waiting.popleft()
