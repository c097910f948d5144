"""The engine's whole inspect as JSON, secrets masked, with a search."""

from __future__ import annotations

from collections.abc import Sequence

from screens.tui.container.searched import SearchedTab
from screens.tui.container.telling import nothing_yet, staleness
from screens.tui.paint import Line, Span, clickable, fit, on, wrap
from screens.tui.panels.footer import Key


class RawTab(SearchedTab):
    """JSON a line a row; the cursor is what a search moves."""

    name, title, letter = "raw", "Raw", "R"
    keys = (Key("/", "search", "key slash"), Key("n N", "next hit", "key n"))

    def texts(self) -> Sequence[str]:
        """Give what a search looks through."""
        return self.screen.details.raw if self.screen.details is not None else ()

    def content(self, width: int) -> Sequence[Line]:
        """Give the lines of JSON; long ones go on below."""
        details = self.screen.details
        if details is None:
            return nothing_yet(self.screen)
        lines: list[Line] = list(staleness(self.screen, width))
        rows: list[int] = []
        for place, text in enumerate(details.raw):
            rows.append(len(lines))
            lines += self._row(place, text, width)
        self.rows = rows
        return lines

    def _row(self, place: int, text: str, width: int) -> list[Line]:
        chosen = place == self.cursor
        hit = self.finding.is_hit(place)
        bare = text.lstrip(" ")
        margin = " " * (len(text) - len(bare) + 1)
        room = max(10, width - len(margin) - 2)
        parts = [bare] if len(bare) <= room else wrap(bare, room)
        lines = []
        for number, part in enumerate(parts):
            mark = "▸" if chosen and not number else "•" if hit and not number else " "
            line = (Span(mark, "title"), Span(margin), *_coloured(part, hit, not number))
            line = fit(line, width)
            lines.append(clickable(on(line, "selected") if chosen else line, f"row {place}"))
        return lines

    def do_copy(self) -> None:
        """Copy the line under the cursor."""
        texts = self.texts()
        if 0 <= self.cursor < len(texts):
            self.screen.console_app.copy(texts[self.cursor].strip())


def _coloured(text: str, hit: bool, first: bool) -> Line:
    """Set the key of a line of JSON apart from its value."""
    if hit:
        return (Span(text, "strong"),)
    name, colon, value = text.partition('": ')
    if not first or not colon or not name.startswith('"'):
        return (Span(text),)
    return (Span(f'{name}"', "accent"), Span(f": {value}"))
