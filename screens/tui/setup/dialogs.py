"""Boxes of guided setup: the offer of it, and what becomes of a job when one leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens.tui.dialog import Dialog, button
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import BLANK, Line, Span, wrap

KEYS = (
    KeyHelp("enter", "↵", "answer", "press the marked button", "In a dialog"),
    KeyHelp("escape,n,q", "Esc n q", "cancel", "close it", "In a dialog"),
    KeyHelp("tab,right,l,down,j", "Tab → ↓", "turn(1)", "the next button", "In a dialog"),
    KeyHelp("shift+tab,left,h,up,k", "← ↑", "turn(-1)", "the button before", "In a dialog"),
)


class Buttons(Dialog[str]):
    """Answers the word of the button that was pressed; empty where the box was closed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    WIDEST = 72

    def __init__(
        self, title: str, texts: Sequence[str], buttons: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__()
        self._title = title
        self._texts = tuple(texts)
        self._buttons = tuple(buttons)
        self._place = 0

    def heading(self) -> str:
        """Give the title."""
        return self._title

    def body(self, width: int) -> Sequence[Line]:
        """Give the paragraphs, which may have lines."""
        lines: list[Line] = []
        for text in self._texts:
            lines += [BLANK] if lines else []
            lines += [
                (Span(part),) for line in text.splitlines() for part in wrap(line, width, "/")
            ]
        return lines

    def buttons(self) -> Line:
        """Give what can be answered."""
        spans: list[Span] = []
        for place, (label, word) in enumerate(self._buttons):
            spans += button(label, word, place == self._place)
        return tuple(spans)

    def press(self, action: str) -> None:
        """Answer by a click."""
        self.dismiss(action)

    def action_answer(self) -> None:
        """Press the marked button."""
        self.dismiss(self._buttons[self._place][1])

    def action_cancel(self) -> None:
        """Close it."""
        self.dismiss("")

    def action_turn(self, step: int) -> None:
        """Move the mark, around the ends."""
        self._place = (self._place + step) % len(self._buttons)
        self.paint()


WHAT = (
    "This host has no config yet. Guided setup leads from here to the first picture that its own "
    "card has edited: it says what it found, what it proposes and why, and what it would write."
)
HOW = (
    "Nothing is written or installed without a yes. It can be left at any time and goes on where "
    "it stopped."
)
LATER = "gpuconsole setup opens it later, as does Guided setup in the palette (Ctrl-P)"


def offer() -> Buttons:
    """Give the box that offers setup: answers `setup` or `look`."""
    return Buttons(
        "Set this host up?",
        (WHAT, HOW),
        (("Set this host up now", "setup"), ("Look around", "look")),
    )


def leave(what: str, pausable: bool, detached: bool) -> Buttons:
    """Give the box for who leaves while a job runs: answers `leave`, `pause`, `cancel`, `stay`."""
    goes_on = "It goes on when you leave" if detached else "It is over in a moment"
    texts = (f"{what} is under way. {goes_on}, and setup finds it again the next time.",)
    buttons = [("Leave it running", "leave")]
    buttons += [("Pause it", "pause")] if pausable else []
    return Buttons("Leave setup?", texts, (*buttons, ("Cancel it", "cancel"), ("Stay", "stay")))
