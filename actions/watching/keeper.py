"""Writing where the disk may fill up and be freed: what could not be kept is written later."""

import contextlib
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from actions.session import Session
from console.store.database import Store, open_store
from console.unknown import Unknown

T = TypeVar("T")

MOST_PENDING = 5_000
FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 600.0

Work = Callable[[Store], object]


class Keeper:
    """A database of our own that comes back when the disk does; one thread's own.

    While nothing can be kept, everything is done in memory, and what was done waits (the newest
    5 000) to be done again on the disk. So all of it must bear to be done twice.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._store: Store | None = None
        self._pending: deque[Work] = deque(maxlen=MOST_PENDING)
        self._pause = FIRST_PAUSE_SECONDS
        self._try_at = 0.0

    @property
    def problem(self) -> Unknown | None:
        """Say why nothing is kept on the disk; None while all is well."""
        return None if self._store is None or self._store.durable else self._store.problem

    def do(self, work: Callable[[Store], T]) -> T:
        """Do something with the database, on the disk if it can be had."""
        store = self._opened()
        result = work(store)
        if not store.durable:
            self._pending.append(work)
        return result

    def read(self, work: Callable[[Store], T]) -> T:
        """Ask the database something."""
        return work(self._opened())

    def close(self) -> None:
        """Try a last time to keep what waits, and close the file."""
        self._try_at = 0.0
        if self._store is not None and self._pending:
            self._opened()
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _opened(self) -> Store:
        now = self._session.clock.monotonic()
        if self._store is None:
            self._store = self._open()
            self._try_at = now + self._pause
        elif not self._store.durable and now >= self._try_at:
            self._come_back(now)
        assert self._store is not None  # noqa: S101 -- opened above
        return self._store

    def _come_back(self, now: float) -> None:
        again = self._open()
        if again.durable:
            for work in list(self._pending):
                work(again)
        # A disk that is still full shows only when something is written.
        if again.durable and self._store is not None:
            self._store.close()
            self._store = again
            self._pending.clear()
            self._pause = FIRST_PAUSE_SECONDS
            return
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        self._try_at = now + self._pause
        with contextlib.suppress(Exception):
            again.close()

    def _open(self) -> Store:
        return open_store(self._session.places, self._session.clock, _say_nothing)


def _say_nothing(_line: str) -> None:
    """Leave stderr alone: the problem is told once, by whoever shows it."""
