"""Where a reader is in a log: what is in view, the cursor, marks; no keys and no follower."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
from textual.cache import LRUCache

from actions.logs.book import LogBook
from actions.logs.line import LogLine, short_source
from actions.logs.pattern import PatternError
from screens.tui.container.highlight import Highlight
from screens.tui.container.log_lines import LOCAL_TIME, Look, draw
from screens.tui.container.scan import Found, Listing
from screens.tui.paint import Line, Span, clickable, on, text_width

_KEPT = 2048
_WIDEST_NAME = 14
_WIDEST_SOURCE = 12
_SIDEWAYS = 16


class LogView:
    """A window on a book; only lines in view are ever drawn, and those drawn are kept.

    Attributes:
        following: the end is kept in view.
        cursor: absolute number of the line the operator is at.
        mark: absolute number of the line where a selection began, or None.
        search: the search under way, or None.
        filter: what a filter left, or None for all lines.
    """

    def __init__(self, book: LogBook) -> None:
        self.book = book
        self.following = True
        self.cursor = 0
        self.mark: int | None = None
        self.search: Found | None = None
        self.filter: Found | None = None
        self.times = LOCAL_TIME
        self.wrap = False
        self.offset = 0
        self.several = False
        self.unfolded: set[int] = set()
        self.room = 1
        self._top = 0
        self._skip = 0
        self._tall = 0
        self._drawn: LRUCache[tuple[object, ...], list[Line]] = LRUCache(_KEPT)

    def listing(self) -> Listing:
        """Give the lines there are now, as far as the filter leaves them."""
        return Listing(self.book, self.filter)

    def keep_up(self) -> None:
        """Let search and filter take the lines that came since."""
        for found in (self.search, self.filter):
            if found is not None:
                try:
                    found.keep_up(self.book)
                except PatternError:
                    # It was quick enough for the whole book: one line it chokes on is passed over.
                    found.until = self.book.dropped + len(self.book)

    # -- drawing --------------------------------------------------------------------------------

    def rows(self, width: int, height: int, now: datetime) -> Sequence[Line]:
        """Give the rows in view; at most `height`."""
        self.room = max(1, height)
        self.keep_up()
        listing = self.listing()
        if not listing.count:
            return []
        look = self._look(width, now)
        if self.following:
            self.cursor = listing.absolute(listing.count - 1)
        here = listing.index(self.cursor)
        self.cursor = listing.absolute(here)
        if self.following:
            return self._upward(listing, listing.count - 1, look, now)
        return self._around(listing, here, look, now)

    def _around(self, listing: Listing, here: int, look: Look, now: datetime) -> list[Line]:
        """Give rows from the top of the last time on, moved as little as shows the cursor."""
        first = listing.index(self._top)
        if listing.absolute(first) != self._top:
            self._skip = 0
        if here < first:
            first, self._skip = here, 0
        self._tall = len(self._entry(listing.absolute(here), look, now))
        rows: list[Line] = []
        at = first
        while at < listing.count and len(rows) - self._skip < self.room:
            rows += self._entry(listing.absolute(at), look, now)
            at += 1
            if at == here + 1 and here > first and len(rows) - self._skip > self.room:
                return self._upward(listing, here, look, now)
        if at <= here or (at >= listing.count and len(rows) - self._skip < self.room and first):
            return self._upward(listing, max(here, at - 1), look, now)
        self._top = listing.absolute(first)
        return rows[self._skip : self._skip + self.room]

    def _upward(self, listing: Listing, last: int, look: Look, now: datetime) -> list[Line]:
        """Give rows that end with a line, filled from below."""
        pieces: list[list[Line]] = []
        count, at = 0, last
        while at >= 0 and count < self.room:
            pieces.append(self._entry(listing.absolute(at), look, now))
            count += len(pieces[-1])
            at -= 1
        self._top = listing.absolute(at + 1)
        self._skip = max(0, count - self.room)
        rows = [row for piece in reversed(pieces) for row in piece]
        if len(pieces) == 1:
            # A line that is taller than the screen is read from its beginning.
            self._skip = 0
            return rows[: self.room]
        return rows[self._skip :]

    def _entry(self, absolute: int, look: Look, now: datetime) -> list[Line]:
        try:
            line = self.book.line(absolute - self.book.dropped)
        except IndexError:
            # It was dropped, or a living line was replaced, between counting and drawing.
            return []
        open_ = absolute in self.unfolded
        key = (absolute, line.repeats, len(line.folded), line.text, open_, look)
        rows = self._drawn.get(key)
        if rows is None:
            rows = draw(line, look, open_, now)
            if look.times <= LOCAL_TIME:
                self._drawn[key] = rows
        return [clickable(row, f"row {absolute}") for row in self._with_gutter(rows, absolute)]

    def _with_gutter(self, rows: list[Line], absolute: int) -> list[Line]:
        """Put the column before the rows that says where the cursor and the marks are."""
        if absolute == self.cursor and not (self.following and self.mark is None):
            return [on((Span("▸", "title"), *row), "selected") for row in rows]
        if self.is_marked(absolute):
            return [on((Span("┃", "title"), *row), "dialog") for row in rows]
        mark = Span("•", "accent") if self._is_left_for_itself(absolute) else Span(" ")
        return [(mark, *row) for row in rows]

    def _is_left_for_itself(self, absolute: int) -> bool:
        """Tell a line that matches the filter from those left around it."""
        if self.filter is None or not self.filter.question.context:
            return False
        hits = self.filter.hits
        at = bisect_left(hits, absolute)
        return at < len(hits) and hits[at] == absolute

    def _look(self, width: int, now: datetime) -> Look:
        dated = False
        with suppress(IndexError):
            began = self.book.line(0).time
            dated = began is not None and began.astimezone().date() != now.astimezone().date()
        sources = [short_source(name) for name in self.book.sources]
        widest = min(_WIDEST_SOURCE, max(map(text_width, sources), default=0))
        narrow = width < 60
        return Look(
            width=max(1, width - 1),
            times=self.times,
            dated=dated and not narrow,
            wrap=self.wrap,
            offset=0 if self.wrap else self.offset,
            containers=0 if not self.several or narrow else _WIDEST_NAME,
            sources=0 if len(sources) < 2 or narrow else widest,
            highlight=_highlight(self.search),
        )

    # -- moving ---------------------------------------------------------------------------------

    def go(self, absolute: int) -> None:
        """Put the cursor on a line, and stop following."""
        self.following = False
        self.cursor = absolute

    def move(self, step: int) -> None:
        """Move the cursor by lines; first through a line that is taller than the screen."""
        if self._within(step):
            return
        listing = self.listing()
        if not listing.count:
            return
        here = listing.index(self.cursor) + step
        self.go(listing.absolute(max(0, min(listing.count - 1, here))))

    def _within(self, step: int) -> bool:
        """Scroll inside a line that is taller than the screen; False at its end."""
        if self.following or self._top != self.cursor or self._tall <= self.room:
            return False
        wanted = self._skip + (1 if step > 0 else -1) * max(1, self.room // 2)
        wanted = max(0, min(wanted, self._tall - self.room))
        moved, self._skip = wanted != self._skip, wanted
        return moved

    def sideways(self, step: int) -> None:
        """Scroll cut lines to a side."""
        self.offset = max(0, self.offset + step * _SIDEWAYS)

    def edge(self, step: int) -> None:
        """Go to the first line, or to the last and follow it."""
        if step > 0:
            self.following = True
            return
        listing = self.listing()
        if listing.count:
            self.go(listing.absolute(0))

    def hit(self, step: int) -> int | None:
        """Go to the next hit of the search in a direction, around the ends; give its place."""
        hits = self.search.hits if self.search is not None else []
        if self.filter is not None:
            left = set(self.filter.positions)
            hits = [at for at in hits if at in left]
        first = bisect_left(hits, self.book.dropped)
        if first >= len(hits):
            return None
        if step > 0:
            place = bisect_right(hits, self.cursor)
            place = first if place >= len(hits) else max(place, first)
        else:
            place = bisect_left(hits, self.cursor) - 1
            place = len(hits) - 1 if place < first else place
        self.go(hits[place])
        return place

    # -- marking --------------------------------------------------------------------------------

    def is_marked(self, absolute: int) -> bool:
        """Tell whether a line is in the selection."""
        if self.mark is None:
            return False
        return min(self.mark, self.cursor) <= absolute <= max(self.mark, self.cursor)

    def marked(self) -> list[LogLine]:
        """Give the marked lines that are left by the filter; the cursor's own where none is."""
        begin = self.cursor if self.mark is None else min(self.mark, self.cursor)
        end = self.cursor if self.mark is None else max(self.mark, self.cursor)
        return self.lines(begin, end)

    def lines(self, begin: int, end: int) -> list[LogLine]:
        """Give the lines from one absolute number to another, as far as the filter leaves them."""
        dropped = self.book.dropped
        found = self.book.slice(begin - dropped, end - dropped + 1)
        if self.filter is None:
            return found
        left = set(self.filter.positions)
        return [line for line in found if line.number - 1 in left]

    def line_here(self) -> LogLine | None:
        """Give the line under the cursor."""
        try:
            return self.book.line(self.cursor - self.book.dropped)
        except IndexError:
            return None


def _highlight(search: Found | None) -> Highlight | None:
    if search is None or not search.question.pattern:
        return None
    asked = search.question
    return Highlight(pattern=asked.pattern, regex=asked.regex, case=asked.case)


class LogState(msgspec.Struct, frozen=True):
    """How a follower is doing, in words for the status line."""

    symbol: str
    role: str
    words: str


STATES = {
    "reading": LogState("◐", "accent", "reading"),
    "following": LogState("●", "ok", "following"),
    "ended": LogState("○", "dim", "ended: it does not run"),
    "removed": LogState("✖", "warning", "removed"),
    "lost": LogState("▲", "warning", "engine lost"),
}
