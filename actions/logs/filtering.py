"""Which entries of a log are wanted, judged one after another as they come."""

from collections.abc import Sequence

import msgspec

from actions.logs.levels import level_of
from actions.logs.line import ERROR, LEVELS, Entry, Level
from actions.logs.pattern import Pattern
from actions.logs.source import fits
from actions.logs.tracebacks import HEADER, Traceback


class Judge:
    """Gives each entry its level; the lines of a traceback have that of an error."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int, str], Traceback] = {}

    def level(self, entry: Entry) -> int:
        """Give the place in LEVELS of the next entry."""
        text = entry.text
        key = (entry.container, entry.stream, entry.source)
        if self._open:
            trace = self._open.get(key)
            if trace is not None:
                if trace.take(text) != "over":
                    return ERROR
                del self._open[key]
        if text.endswith(HEADER):
            self._open[key] = Traceback(text)
            return ERROR
        return level_of(text)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of lines: all of it at once.

    Attributes:
        pattern: what a line has to hold; None asks for nothing.
        level: at least as bad.
        sources: one of these files, by path or short name; empty asks for nothing.
    """

    pattern: Pattern | None = None
    level: Level = ""
    sources: Sequence[str] = ()

    @property
    def asks(self) -> bool:
        """Tell whether anything is asked at all."""
        return bool(self.pattern or self.level or self.sources)


class Sieve:
    """Lets through what a filter asks for, each with its level."""

    def __init__(self, asked: Filter) -> None:
        self._judge = Judge()
        self._sources = asked.sources
        self._least = LEVELS.index(asked.level)
        self._finder = asked.pattern.check().finder() if asked.pattern else None

    def take(self, entries: Sequence[Entry]) -> list[tuple[Entry, Level]]:
        """Give those of the next entries that fit.

        Raises:
            PatternError: the pattern takes for ever.
        """
        left = []
        judge, finder, least, sources = self._judge, self._finder, self._least, self._sources
        if finder is not None:
            finder.renew()
        for entry in entries:
            if entry.living:
                continue
            level = judge.level(entry)
            if (
                level >= least
                and (not sources or fits(entry.source, sources))
                and (finder is None or finder.found_in(entry.text))
            ):
                left.append((entry, LEVELS[level]))
        return left
