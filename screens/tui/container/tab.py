"""What a tab of a container's screen is: lines for a space, and the keys it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from textual import events

from screens.tui.paint import Line, Span, fit
from screens.tui.panels.footer import Key

if TYPE_CHECKING:
    from screens.tui.container.screen import ContainerScreen


class Prompt(msgspec.Struct):
    """A line that is being typed.

    Attributes:
        label: what stands before it.
        changed: called with the text after each key.
        done: called with the text at Enter; not at Esc.
        left: called at Esc.
    """

    label: str
    text: str
    done: Callable[[str], None]
    changed: Callable[[str], None] | None = None
    left: Callable[[], None] | None = None


class Tab:
    """One tab; subclasses know their lines, and have a `do_NAME` for each key they answer."""

    name = ""
    title = ""
    letter = ""
    keys: Sequence[Key] = ()

    def __init__(self, screen: ContainerScreen) -> None:
        self.screen = screen
        self.prompt: Prompt | None = None

    def body(self, width: int, height: int) -> Sequence[Line]:
        """Give the lines in view, at most `height` of them."""
        raise NotImplementedError

    def place(self) -> str:
        """Say in a few words where in its lines the tab is."""
        return ""

    def status(self, width: int) -> Line | None:
        """Give the line above the keys where the tab has something to say there."""
        if self.prompt is None:
            return None
        prompt = self.prompt
        room = max(4, width - len(prompt.label) - 3)
        return fit(
            (
                Span(f" {prompt.label}", "title"),
                Span(prompt.text[-room:], "strong"),
                Span("▏", "title"),
            ),
            width,
        )

    def opened(self) -> None:
        """The tab came into sight."""

    def closed(self) -> None:
        """The tab went out of sight."""

    def ended(self) -> None:
        """The screen is left for good."""

    def back(self) -> bool:
        """Take one thing back at Esc; False where there is nothing, so that the screen is left."""
        return False

    def typed(self, event: events.Key) -> None:
        """Take a key into the line that is being typed."""
        prompt = self.prompt
        if prompt is None:
            return
        if event.key == "enter":
            self.prompt = None
            prompt.done(prompt.text)
        elif event.key == "escape":
            self.prompt = None
            if prompt.left is not None:
                prompt.left()
        else:
            before = prompt.text
            prompt.text = _edited(prompt.text, event)
            if prompt.text != before and prompt.changed is not None:
                prompt.changed(prompt.text)
        self.screen.paint()


def _edited(text: str, event: events.Key) -> str:
    if event.key == "backspace":
        return text[:-1]
    if event.key == "ctrl+u":
        return ""
    if event.key == "ctrl+w":
        return text.rstrip()[: text.rstrip().rfind(" ") + 1]
    if event.character and event.is_printable:
        return text + event.character
    return text


class LinesTab(Tab):
    """A tab of lines that scrolls; subclasses give all lines for a width."""

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.top = 0
        self._count = 0
        self._room = 1

    def content(self, width: int) -> Sequence[Line]:
        """Give all lines."""
        raise NotImplementedError

    def body(self, width: int, height: int) -> Sequence[Line]:
        """Give the lines in view."""
        lines = self.content(width)
        self._count, self._room = len(lines), max(1, height)
        self.top = max(0, min(self.top, self._count - self._room))
        return lines[self.top : self.top + self._room]

    def place(self) -> str:
        """Say how much is below."""
        more = self._count - self.top - self._room
        return f"{more} more ↓" if more > 0 else "end" if self.top else ""

    def do_move(self, step: int) -> None:
        """Scroll by a line."""
        self.top += step

    def do_page(self, step: int) -> None:
        """Scroll by a page."""
        self.top += step * max(1, self._room - 1)

    def do_edge(self, step: int) -> None:
        """Scroll to the first or the last line."""
        self.top = 0 if step < 0 else self._count


class RowsTab(LinesTab):
    """A tab of lines with a cursor among some of them."""

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.cursor = 0
        self.rows: Sequence[int] = ()
        """For each row that the cursor may be at, the line it begins at; set by `content`."""

    def body(self, width: int, height: int) -> Sequence[Line]:
        """Give the lines in view, the cursor's among them."""
        lines = self.content(width)
        self._count, self._room = len(lines), max(1, height)
        if self.rows:
            self.cursor = max(0, min(self.cursor, len(self.rows) - 1))
            at = self.rows[self.cursor]
            end = self.rows[self.cursor + 1] if self.cursor + 1 < len(self.rows) else len(lines)
            if at < self.top:
                self.top = 0 if self.cursor == 0 else at
            elif end > self.top + self._room:
                self.top = min(at, end - self._room)
        self.top = max(0, min(self.top, self._count - self._room))
        return lines[self.top : self.top + self._room]

    def do_move(self, step: int) -> None:
        """Move the cursor."""
        self.cursor += step

    def do_page(self, step: int) -> None:
        """Move the cursor by a page."""
        self.cursor += step * max(1, self._room - 2)

    def do_edge(self, step: int) -> None:
        """Move the cursor to the first or the last row."""
        self.cursor = 0 if step < 0 else len(self.rows) - 1
