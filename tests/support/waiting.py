"""Waiting for a condition with a deadline: what tests do instead of sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE = threading.Event()


def wait_until(condition: Callable[[], T], seconds: float = 20, what: str = "") -> T:
    """Give the first true answer of `condition`, asked again and again for at most `seconds`.

    Raises:
        AssertionError: it never became true; `what` (or the callable's name) says what.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            name = what or getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"not true within {seconds} s: {name} (last: {answer!r})")
        _PAUSE.wait(0.01)
