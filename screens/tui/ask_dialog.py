"""A box that asks a yes or no for something that is no plan, such as cancelling a download."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens.tui.dialog import Dialog, button
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, wrap

KEYS = (
    KeyHelp("y", "y", "confirm", "yes", "In a dialog"),
    KeyHelp("enter", "↵", "answer", "press the marked button", "In a dialog"),
    KeyHelp("escape,n,q", "Esc n q", "cancel", "no, leave everything as it is", "In a dialog"),
    KeyHelp("tab,left,right,h,l,shift+tab", "Tab ← →", "switch", "the other button", "In a dialog"),
)


class AskDialog(Dialog[bool]):
    """Answers True for yes. The mark is on no: what is asked for here loses something."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, title: str, text: str, yes: str, no: str = "Leave it") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes
        self._no = no
        self._on_yes = False

    def heading(self) -> str:
        """Give the title."""
        return self._title

    def body(self, width: int) -> Sequence[Line]:
        """Give the question."""
        return [(Span(part),) for part in wrap(self._text, width)]

    def buttons(self) -> Line:
        """Give what can be answered."""
        return (
            *button(self._yes, "confirm", self._on_yes),
            *button(self._no, "cancel", not self._on_yes),
            Span("y yes  Esc no", "dim"),
        )

    def press(self, action: str) -> None:
        """Answer by a click."""
        self.dismiss(action == "confirm")

    def action_answer(self) -> None:
        """Press the marked button."""
        self.dismiss(self._on_yes)

    def action_switch(self) -> None:
        """Move the mark to the other button."""
        self._on_yes = not self._on_yes
        self.paint()

    def action_confirm(self) -> None:
        """Say yes."""
        self.dismiss(True)

    def action_cancel(self) -> None:
        """Say no."""
        self.dismiss(False)
