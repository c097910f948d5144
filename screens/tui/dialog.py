"""Boxes that ask: the base of dialogs, drawn with the same panes as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from screens.tui.paint import BLANK, Line, Span, clickable, fit, line_width, on, text_width
from screens.tui.pane import Pane
from screens.tui.view import Block

if TYPE_CHECKING:
    from screens.tui.application import Console

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A box in the middle of the screen; subclasses say its title, its lines and its buttons."""

    AUTO_FOCUS = ""
    WIDEST = 78

    def __init__(self) -> None:
        super().__init__()
        # Transparent: the host stays in sight behind the box, and Textual blends nothing.
        self.styles.background = "transparent"
        self.styles.overflow_x = self.styles.overflow_y = "hidden"
        self._pane: Pane | None = None
        self._top = 0
        self._room = 1
        self._count = 0

    @property
    def console_app(self) -> Console:
        """Give the application with its own type."""
        return cast("Console", self.app)

    def heading(self) -> str:
        """Give the title in the box's upper border."""
        raise NotImplementedError

    def body(self, width: int) -> Sequence[Line]:
        """Give what the box says, in lines of at most `width`."""
        raise NotImplementedError

    def buttons(self) -> Line:
        """Give the last line of the box: what can be answered."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Make the box."""
        self._pane = Pane(self._block(), self.console_app.palette)
        yield self._pane

    def paint(self) -> None:
        """Show the box again after something in it, or the terminal, has changed."""
        if self._pane is not None:
            self._pane.show(self._block())

    def repaint(self) -> None:
        """Show the box in another look."""
        if self._pane is not None:
            self._pane.repaint(self.console_app.palette)

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the box in the middle."""
        self.paint()

    def room_inside(self) -> int:
        """Give the columns between the bars and their blanks."""
        return max(10, min(self.WIDEST, self.app.size.width - 2) - 4)

    def _block(self) -> Block:
        size = self.app.size
        inner = self.room_inside()
        body = list(self.body(inner))
        self._room = max(1, size.height - 4)
        self._count = len(body)
        self._top = max(0, min(self._top, self._count - self._room))
        hidden = self._count - self._top - self._room
        shown = body[self._top : self._top + self._room]
        if hidden > 0:
            shown[-1] = (Span(f"… {hidden + 1} more lines ↓", "dim"),)
        badge = " REHEARSAL " if self.console_app.view.rehearsal else ""
        lines = _boxed(self.heading(), shown, self.buttons(), inner, badge)
        height = min(len(lines), size.height)
        x, y = max(0, (size.width - inner - 4) // 2), max(0, (size.height - height) // 2)
        return Block("box", x, y, min(inner + 4, size.width), height, lines)

    def action_scroll(self, step: int) -> None:
        """Scroll what does not fit into the box."""
        self._top = max(0, min(self._top + step, self._count - self._room))
        self.paint()

    def on_pane_pressed(self, message: Pane.Pressed) -> None:
        """Answer by a click."""
        message.stop()
        self.press(message.action)

    def press(self, action: str) -> None:
        """Run what a click in the box stands for."""


def _boxed(
    heading: str, body: Sequence[Line], buttons: Line, inner: int, badge: str = ""
) -> list[Line]:
    """Draw a border around lines; `inner` columns between the bars and their blanks.

    `badge` stands at the right of the upper border: a box may cover the one of the screen.
    """
    room = inner - (len(badge) + 1 if badge else 0)
    head = fit((Span(" "), Span(heading, "title"), Span(" ")), min(room, text_width(heading) + 2))
    rule = "─" * max(0, inner + (0 if badge else 1) - line_width(head) - len(badge))
    end = (Span(badge, "badge-warning"), Span("─┐", "line")) if badge else (Span("┐", "line"),)
    top: Line = (Span("┌─", "line"), *head, Span(rule, "line"), *end)
    rows: list[Line] = [top]
    rows += [
        (Span("│ ", "line"), *fit(line, inner), Span(" │", "line"))
        for line in (*body, BLANK, buttons)
    ]
    rows.append((Span("└" + "─" * (inner + 2) + "┘", "line"),))
    return [on_dialog(row) for row in rows]


def on_dialog(line: Line) -> Line:
    """Put a line on the box's own background, badges and buttons excepted."""
    return tuple(
        span
        if "|" in span.role or span.role in {"button-focus", "badge", "badge-warning"}
        else on((span,), "dialog")[0]
        for span in line
    )


def button(text: str, action: str, focused: bool) -> Line:
    """Draw a button; the focused one is marked by brackets and an arrow, not by colour alone."""
    label = f"▸[ {text} ]" if focused else f" [ {text} ]"
    return clickable((Span(label, "button-focus" if focused else "button"), Span("  ")), action)
