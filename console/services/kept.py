"""Figures that need not be asked for again at every look."""

from collections.abc import Callable
from typing import Generic, TypeVar

from console.clock import Clock, SystemClock
from console.unknown import Unknown
from console.web.faults import ServiceFault

T = TypeVar("T")


class Kept(Generic[T]):
    """One figure with its age; asks for it when it is too old, and keeps no failure.

    Args:
        ask: gives the figure, or raises ServiceFault.
        most_seconds: how old it may be for a brief look.
    """

    def __init__(self, ask: Callable[[], T], most_seconds: float) -> None:
        self._ask = ask
        self._most = most_seconds
        self._pace: Clock = SystemClock()
        self._value: T | None = None
        self._at = float("-inf")

    def get(self, brief: bool) -> T | Unknown:
        """Give the figure, or why it cannot be had; a look that is not brief asks anew."""
        now = self._pace.monotonic()
        if brief and self._value is not None and now - self._at <= self._most:
            return self._value
        self._value = None
        try:
            self._value, self._at = self._ask(), now
        except ServiceFault as error:
            return error.unknown()
        return self._value

    def older_than(self, seconds: float) -> bool:
        """Tell whether the figure is older than that, or not there at all."""
        return self._value is None or self._pace.monotonic() - self._at > seconds

    def forget(self) -> None:
        """Ask anew at the next look, whatever it is."""
        self._value = None
