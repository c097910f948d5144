"""Which lines of a book a search or a filter leaves: found once, then kept up as lines come.

Lines are counted from the first that ever came, so that a number stays a line's when the book drops
its oldest: `absolute == book.dropped + position`.
"""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from actions.logs.book import LogBook
from actions.logs.line import LogLine
from actions.logs.pattern import Finder, Pattern
from actions.logs.source import fits

UNSETTLED = 64
"""Lines at a book's end whose text may still change: a bar that moves, a traceback that grows."""

_RECENT = 400


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of every line; `context` lines around a hit are left too."""

    pattern: str = ""
    regex: bool = False
    case: bool = False
    context: int = 0
    sources: tuple[str, ...] = ()


class Found:
    """The answer to a question so far.

    Attributes:
        positions: absolute numbers of the lines left, in order, context included.
        hits: those among them that fit, in order.
        until: absolute number after the last line that was looked at.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.positions: list[int] = []
        self.hits: list[int] = []
        self.until = 0
        self._finder: Finder | None = None

    def read(self, book: LogBook) -> "Found":
        """Go through all of a book; for a thread of its own.

        Raises:
            PatternError: what is looked for is no expression, or one that takes for ever.
        """
        while True:
            dropped, end = book.dropped, book.dropped + len(book)
            positions, hits = self._all(book)
            # Lines that were dropped meanwhile have moved all positions: then once more.
            if book.dropped == dropped:
                break
        self.positions = [dropped + at for at in positions]
        self.hits = [dropped + at for at in hits]
        self.until = end
        return self

    def _all(self, book: LogBook) -> tuple[Sequence[int], Sequence[int]]:
        asked = self.question
        if not asked.sources and not asked.context:
            found = book.search(asked.pattern, regex=asked.regex, case=asked.case)
            return found, found
        matching = book.matching(
            asked.pattern,
            asked.context,
            regex=asked.regex,
            case=asked.case,
            sources=asked.sources,
        )
        return matching.positions, sorted(matching.hits)

    def keep_up(self, book: LogBook) -> None:
        """Look at the lines that came since, and again at the last few before them.

        Raises:
            PatternError: the expression takes too long.
        """
        asked = self.question
        dropped = book.dropped
        end = dropped + len(book)
        restart = max(dropped, min(self.until, end) - UNSETTLED)
        begin = max(dropped, restart - max(asked.context, 1) * 4)
        lines = book.slice(begin - dropped, end - dropped)
        allowed = [
            (begin + at, line)
            for at, line in enumerate(lines)
            if not asked.sources or fits(line.source, asked.sources)
        ]
        hits = [at for at, (_, line) in enumerate(allowed) if self.holds(line)]
        left = sorted(
            {
                near
                for hit in hits
                for near in range(hit - asked.context, hit + asked.context + 1)
                if 0 <= near < len(allowed)
            }
        )
        # Before `restart` the old answer stands; only context of new hits may be added to it.
        del self.positions[bisect_left(self.positions, restart) :]
        fresh = [allowed[at][0] for at in left]
        added = {at for at in fresh if at < restart}.difference(self.positions[-_RECENT:])
        if added:
            self.positions[-_RECENT:] = sorted({*self.positions[-_RECENT:], *added})
        self.positions += [at for at in fresh if at >= restart]
        del self.hits[bisect_left(self.hits, restart) :]
        self.hits += [allowed[at][0] for at in hits if allowed[at][0] >= restart]
        self.until = end

    def holds(self, line: LogLine) -> bool:
        """Tell whether one line, or one folded beneath it, holds what is looked for."""
        if not self.question.pattern:
            return True
        if self._finder is None:
            asked = self.question
            self._finder = Pattern(asked.pattern, asked.regex, asked.case).check().finder()
        self._finder.renew()
        return self._finder.found_in(line.text) or any(map(self._finder.found_in, line.folded))


class Listing:
    """The lines that a view walks through: all of a book, or what a filter left; for one moment."""

    def __init__(self, book: LogBook, found: Found | None) -> None:
        self.first = book.dropped
        self.end = self.first + len(book)
        self._left = found.positions if found is not None else None
        self._skip = bisect_left(found.positions, self.first) if found is not None else 0
        if found is not None:
            self.count = max(0, bisect_left(found.positions, self.end) - self._skip)
        else:
            self.count = self.end - self.first

    def absolute(self, index: int) -> int:
        """Give the absolute number of the line at an index."""
        if self._left is None:
            return self.first + index
        return self._left[self._skip + index]

    def index(self, absolute: int) -> int:
        """Give the index of a line, or of the next one that is left; the last where none is."""
        if self._left is None:
            at = absolute - self.first
        else:
            at = bisect_left(self._left, absolute) - self._skip
        return max(0, min(self.count - 1, at))
