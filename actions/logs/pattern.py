"""What an operator searches for, made into a search that cannot hang."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from actions.logs.joined import joined
from console.clock import Clock, SystemClock
from console.errors import UsageError
from console.text import clean_line

_LIMIT = 2.0
_MANY = 32


class PatternError(UsageError):
    """The pattern is not a regular expression, or one that takes for ever."""


class Lines(Protocol):
    """Texts to search: `text` holds all lines, ended by line feeds, in order."""

    @property
    def text(self) -> str:
        """Give the lines, each ended by a line feed."""
        ...

    def index_of(self, offset: int) -> int:
        """Give the number of the line that holds the character at `offset`."""
        ...


class Pattern(msgspec.Struct, frozen=True):
    """A text or a regular expression to search lines for.

    A regular expression that takes more than two seconds in all raises a PatternError where it is
    used: nested repeats can take longer than anybody lives.
    """

    wanted: str
    regex: bool = False
    case: bool = False

    def check(self) -> "Pattern":
        """Give the pattern itself; PatternError where it is no regular expression."""
        if self.regex:
            _compiled(self.wanted, self.case)
        return self

    def finder(self, seconds: float = _LIMIT) -> "Finder":
        """Give a searcher that has `seconds` for all that it is asked to search."""
        return Finder(self, seconds)


class Finder:
    """One search under way, with its deadline."""

    def __init__(self, pattern: Pattern, seconds: float) -> None:
        self._pattern = pattern
        self._pace: Clock = SystemClock()
        self._seconds = seconds
        self._deadline = self._pace.monotonic() + seconds
        wanted = pattern.wanted
        self._simple = not pattern.regex or re.escape(wanted) == wanted
        self._needle = wanted if pattern.case else wanted.lower()
        self._regex = _compiled(wanted, pattern.case) if not self._simple else None
        at_once = None if self._simple else joined(wanted)
        self._joined: Any = _compiled(at_once, pattern.case) if at_once is not None else None
        # A needle whose small letters are of another length would be found at odd places.
        self._plain_needle = pattern.case or len(self._needle) == len(wanted)

    def found_in(self, text: str) -> bool:
        """Tell whether one line holds what is searched for.

        Raises:
            PatternError: the time is up.
        """
        if self._regex is None:
            return self._needle in (text if self._pattern.case else text.lower())
        try:
            return self._regex.search(text, timeout=self._left()) is not None
        except TimeoutError as error:
            raise self._too_slow() from error

    def renew(self) -> None:
        """Begin the time anew, such as for the next line of a log that is followed."""
        self._deadline = self._pace.monotonic() + self._seconds

    def search(self, lines: Lines) -> Iterator[int]:
        """Give the numbers of the lines that hold it, in order, each once.

        Raises:
            PatternError: the time is up.
        """
        text = lines.text
        folded = text if self._pattern.case else text.lower()
        if self._regex is None and self._plain_needle and len(folded) == len(text):
            return self._by_find(lines, folded)
        if self._joined is not None:
            return self._by_regex(lines, text)
        return self._by_line(text)

    def _by_find(self, lines: Lines, text: str) -> Iterator[int]:
        needle = self._needle
        if "\n" in needle:
            return
        if text.count(needle) > _MANY:
            # Where most lines have it, looking up the line of each place is what takes time.
            for index, line in enumerate(text.split("\n")[:-1]):
                if needle in line:
                    yield index
            return
        at = text.find(needle)
        while at >= 0:
            yield lines.index_of(at)
            end = text.find("\n", at)
            if end < 0 or end + 1 >= len(text):
                return
            at = text.find(needle, end + 1)

    def _by_regex(self, lines: Lines, text: str) -> Iterator[int]:
        end = 0
        try:
            for found in self._joined.finditer(text, timeout=self._left()):
                begin = found.start()
                if begin >= end and begin < len(text):
                    yield lines.index_of(begin)
                    end = text.find("\n", begin) + 1
        except TimeoutError as error:
            raise self._too_slow() from error

    def _by_line(self, text: str) -> Iterator[int]:
        for index, line in enumerate(text.split("\n")[:-1]):
            if self.found_in(line):
                yield index

    def _left(self) -> float:
        """Give the seconds that are left."""
        left = self._deadline - self._pace.monotonic()
        if left <= 0:
            raise self._too_slow()
        return left

    def _too_slow(self) -> PatternError:
        return PatternError(
            "logs.pattern-slow",
            f"searching for {clean_line(self._pattern.wanted, 60)} takes too long",
            "Repeats inside repeats, such as (a+)+, never come to an end: write it more plainly",
        )


@lru_cache(maxsize=32)
def _compiled(wanted: str, case: bool) -> Any:
    """Compile with the `regex` library, whose searches can be given a time limit."""
    import regex  # 20 ms, and only for those who search by expressions

    try:
        return regex.compile(wanted, regex.MULTILINE | (0 if case else regex.IGNORECASE))
    except (regex.error, RecursionError, OverflowError) as error:
        raise PatternError(
            "logs.bad-pattern",
            f"{clean_line(wanted, 60)} is not a regular expression: {clean_line(str(error), 120)}",
            "Put a backslash before characters that mean themselves, such as \\( or \\[",
        ) from error
