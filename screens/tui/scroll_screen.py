"""A screen of lines that scrolls: details, help and timeline are made of it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens.tui.keys import SCROLLING, bindings
from screens.tui.live_screen import LiveScreen
from screens.tui.paint import Line, Span, fit, line_width
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_WIDTH
from screens.tui.view import Block

SCROLL_KEYS = (Key("Esc", "back", "key escape"), Key("↑↓", "scroll", "key down"))


class ScrollScreen(LiveScreen):
    """Title, lines and footer; subclasses give the title and the lines."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SCROLLING)

    def __init__(self) -> None:
        super().__init__()
        self.shown_keys: Sequence[Key] = SCROLL_KEYS
        self.top = 0
        self._count = 0
        self._page = 1

    def heading(self) -> Line:
        """Give the title line."""
        raise NotImplementedError

    def content(self, width: int) -> Sequence[Line]:
        """Give all lines for a width."""
        raise NotImplementedError

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, the lines in view, status line and keys."""
        lines = self.content(width)
        view = self.console_app.view
        said = status_lines(view, width, height)
        self._page = max(1, height - 2 - len(said))
        self._count = len(lines)
        self.top = max(0, min(self.top, self._count - self._page))
        more = self._count - self.top - self._page
        place = f"{more} more ↓ " if more > 0 else "end " if self.top else ""
        if width < LEAST_WIDTH:
            place = ""
        head = with_badges(self.heading(), view, max(0, width - len(place)))
        return [
            Block("title", 0, 0, width, 1, [(*head, Span(place, "dim"))]),
            Block("lines", 0, 1, width, self._page, lines[self.top : self.top + self._page]),
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [self.footer(width)]),
        ]

    def footer(self, width: int) -> Line:
        """Give the keys of the last line."""
        more = Key("?", "help", "key question_mark")
        line = keys(width, (*self.console_app.view_keys(), *self.shown_keys), more)
        return line if line_width(line) <= width else fit(line, width)

    def action_scroll(self, step: int) -> None:
        """Move by lines."""
        self.top += step
        self.paint()

    def action_scroll_page(self, step: int) -> None:
        """Move by pages."""
        self.top += step * max(1, self._page - 1)
        self.paint()

    def action_scroll_edge(self, step: int) -> None:
        """Move to the first or the last line."""
        self.top = 0 if step < 0 else self._count
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """Scroll with the wheel."""
        self.action_scroll(3)

    def on_mouse_scroll_up(self) -> None:
        """Scroll with the wheel."""
        self.action_scroll(-3)

    def action_back(self) -> None:
        """Leave this screen."""
        self.console_app.leave(self)
