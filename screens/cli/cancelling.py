"""Ctrl-C while something long is followed: asks once whether it is to be cancelled."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from screens.cli.output import say
from screens.cli.prompt import can_ask, confirm


class CancelWish:
    """Whether the operator wants what is followed cancelled."""

    def __init__(self, what: str, plan_id: str) -> None:
        self._what = what
        self._plan_id = plan_id
        self._pressed = threading.Event()
        self._asked = False
        self._yes = False

    def press(self, _number: int, _frame: object) -> None:
        """Take Ctrl-C; pressed once more after the question it ends this console alone."""
        if self._asked:
            raise KeyboardInterrupt
        self._pressed.set()

    def cancelled(self) -> bool:
        """Tell it; asks where there is somebody to ask, belongs to the console's own thread."""
        if self._pressed.is_set() and not self._asked:
            self._asked = True
            say()
            self._yes = not can_ask() or confirm(f"Cancel {self._what}?")
            if not self._yes:
                watch = f"gpuconsole jobs watch {self._plan_id}"
                say(f"it goes on; Ctrl-C again leaves it, {watch} shows it then")
        return self._yes


@contextmanager
def cancel_wish(what: str, plan_id: str) -> Iterator[CancelWish]:
    """Have Ctrl-C be a wish for as long as the block lasts; signals belong to the main thread."""
    wish = CancelWish(what, plan_id)
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = signal.signal(signal.SIGINT, wish.press)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, before)
