"""Asking a disk that may not answer, without waiting for it longer than is bearable."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from console.models.disk import ANSWERS_WITHIN

T = TypeVar("T")

_HUNG: dict[str, threading.Thread] = {}
_LOCK = threading.Lock()


class HangsError(Exception):
    """The disk gave no answer in time."""


class _Asked(threading.Thread, Generic[T]):
    """One question; a daemon, because it may never be answered."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="models-ask", daemon=True)
        self._work = work
        self.answer: list[T] = []
        self.fault: Exception | None = None

    def run(self) -> None:
        """Ask."""
        try:
            self.answer.append(self._work())
        except Exception as error:  # noqa: BLE001 -- raised again where it was asked
            self.fault = error


def bounded(place: str, work: Callable[[], T], within: float | None = None) -> T:
    """Give what `work` gives, unless the disk hangs.

    Args:
        place: what is asked; while an earlier question about it hangs, none is asked.
        work: asks the disk, and changes nothing.
        within: seconds to wait; those of `console.models.disk` by default.

    Raises:
        HangsError: there was no answer in time.
        Exception: whatever `work` raises.
    """
    with _LOCK:
        hung = _HUNG.get(place)
        if hung is not None and hung.is_alive():
            raise HangsError
        _HUNG.pop(place, None)
    asked = _Asked(work)
    asked.start()
    asked.join(ANSWERS_WITHIN if within is None else within)
    if asked.is_alive():
        with _LOCK:
            _HUNG[place] = asked
        raise HangsError
    if asked.fault is not None:
        raise asked.fault
    return asked.answer[0]
