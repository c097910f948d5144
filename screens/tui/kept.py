"""Drawings that are kept for as long as what they rest on stays the same."""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """The last result of each costly drawing, by name, with what it rested on."""

    def __init__(self) -> None:
        self._results: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def get(self, name: str, rests_on: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Give the kept result if `rests_on` equals that of the last time, else make it anew."""
        last = self._results.get(name)
        if last is not None and last[0] == rests_on:
            result: T = last[1]
            return result
        result = make()
        self._results[name] = (rests_on, result)
        return result
