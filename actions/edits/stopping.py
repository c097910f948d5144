"""Somebody's wish to end an edit, carried to whatever is under way for it just now."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Self

from console.errors import InterruptedByUser

CANCEL = "cancel"
"""Break it off at the service, and keep nothing of it."""
LEAVE = "leave"
"""This process has to go: the edit goes on at the service, and is collected later."""
_LOOK_SECONDS = 0.1


class StoppedError(InterruptedByUser):
    """An edit ends early; `wish` is `cancel` or `leave`."""

    def __init__(self, wish: str) -> None:
        super().__init__("edit.stopped", "the edit was broken off")
        self.wish = wish


class Stopping:
    """Looks for the wish in a thread of its own, as a context manager; the first one stays.

    Args:
        stop: gives `cancel`, `leave`, or nothing.
    """

    def __init__(self, stop: Callable[[], str]) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._acts: list[Callable[[str], None]] = []
        self._over = threading.Event()
        self._wished = threading.Event()
        self.wish = ""

    def __enter__(self) -> Self:
        threading.Thread(target=self._look, name="edit-stop", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    @contextlib.contextmanager
    def then(self, act: Callable[[str], None]) -> Iterator[None]:
        """Have `act` called with the wish, once, from another thread, while this block lasts."""
        with self._lock:
            self._acts.append(act)
            there = self.wish
        if there:
            act(there)
        try:
            yield
        finally:
            with self._lock:
                self._acts.remove(act)

    def check(self) -> None:
        """Go on, unless somebody wishes to end.

        Raises:
            StoppedError: somebody does.
        """
        if self.wish:
            raise StoppedError(self.wish)

    def rest(self, seconds: float) -> None:
        """Wait, no longer than until somebody wishes to end."""
        self._wished.wait(seconds)

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            wish = self._stop()
            if not wish or wish == self.wish or self.wish == CANCEL:
                continue
            with self._lock:
                self.wish = wish
                acts = tuple(self._acts)
            self._wished.set()
            for act in acts:
                act(wish)
