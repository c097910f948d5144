"""A box in which something is typed: a name to be sure of, or a size."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from screens.tui.dialog import Dialog
from screens.tui.paint import BLANK, Line, Span, clickable, wrap

LONGEST, LONGEST_PATH = 200, 4096


class TypedDialog(Dialog[str]):
    """Answers what was typed once it is accepted; an empty text where the operator left.

    Enter does nothing until `wrong` finds nothing wrong with what stands there.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    WIDEST = 70

    def __init__(
        self,
        title: str,
        text: str,
        wrong: Callable[[str], str],
        typed: str = "",
        longest: int = LONGEST,
    ) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._wrong = wrong
        self.typed = typed
        self._longest = longest
        self._said = ""

    def heading(self) -> str:
        """Give the title."""
        return self._title

    def body(self, width: int) -> Sequence[Line]:
        """Give the question and what was typed so far."""
        lines: list[Line] = [(Span(part),) for part in wrap(self._text, width)]
        shown = self.typed[-(width - 4) :] if width > 4 else self.typed
        lines += [BLANK, (Span("> ", "title"), Span(shown, "strong"), Span("▏", "title"))]
        return [*lines, *((Span(part, "warning"),) for part in wrap(self._said, width) if part)]

    def buttons(self) -> Line:
        """Say how to answer and how to leave."""
        return (
            *clickable((Span("↵ go on", "dim"),), "confirm"),
            *clickable((Span("   Esc cancel", "dim"),), "cancel"),
        )

    def press(self, action: str) -> None:
        """Answer by a click."""
        if action == "confirm":
            self._answer()
        elif action == "cancel":
            self.dismiss("")

    def on_key(self, event: events.Key) -> None:
        """Take every key."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss("")
            return
        if event.key == "enter":
            self._answer()
            return
        if event.key == "backspace":
            self.typed = self.typed[:-1]
        elif event.key == "ctrl+u":
            self.typed = ""
        elif event.character and event.is_printable:
            self.typed = (self.typed + event.character)[: self._longest]
        self._said = ""
        self.paint()

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted."""
        event.stop()
        line = (event.text.splitlines() or [""])[0]
        self.typed = (self.typed + line)[: self._longest]
        self.paint()

    def _answer(self) -> None:
        said = self._wrong(self.typed.strip())
        if said:
            self._said = said
            self.paint()
        else:
            self.dismiss(self.typed.strip())


def exactly(name: str) -> Callable[[str], str]:
    """Give a judge that only accepts one name."""
    return lambda typed: "" if typed == name else f"that is not {name}"
