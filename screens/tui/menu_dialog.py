"""The actions menu: everything that can be done with what is selected, by its actual state."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from screens.tui.dialog import Dialog
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, clickable, fit, left, on
from screens.tui.verbs import Verb

KEYS = (
    KeyHelp("enter,space", "↵ Space", "choose", "choose the marked line", "In a menu"),
    KeyHelp("escape,q,x", "Esc q x", "cancel", "close the menu", "In a menu"),
    KeyHelp("down,j,tab", "↓ j Tab", "move(1)", "down", "In a menu"),
    KeyHelp("up,shift+tab", "↑ Shift-Tab", "move(-1)", "up", "In a menu"),
)


class MenuDialog(Dialog[str]):
    """Answers the chosen verb, or an empty text."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    WIDEST = 60

    def __init__(self, name: str, state: str, verbs: Sequence[Verb]) -> None:
        super().__init__()
        self.verbs = tuple(verbs)
        self._name = name
        self._state = state
        self.place = 0

    def heading(self) -> str:
        """Name what is acted on and how it is."""
        return f"{self._name} ({self._state})"

    def body(self, width: int) -> Sequence[Line]:
        """Give one line a verb."""
        if not self.verbs:
            return [(Span(f"Nothing can be done while it is {self._state}.", "dim"),)]
        return [self._line(place, verb, width) for place, verb in enumerate(self.verbs)]

    def _line(self, place: int, verb: Verb, width: int) -> Line:
        chosen = place == self.place
        line = fit(
            (
                Span("▸ " if chosen else "  ", "title"),
                Span(f"{verb.key}  ", "key"),
                Span(left(verb.title, 9), "strong"),
                Span(verb.help, "dim"),
            ),
            width,
        )
        return clickable(on(line, "selected") if chosen else line, f"verb {verb.verb}")

    def buttons(self) -> Line:
        """Say how to leave."""
        return (Span("↵ choose", "dim"), *clickable((Span("   Esc close", "dim"),), "cancel"))

    def press(self, action: str) -> None:
        """Choose a verb by a click."""
        word, _, verb = action.partition(" ")
        self.dismiss(verb if word == "verb" else "")

    def on_key(self, event: events.Key) -> None:
        """Choose a verb by its own key."""
        found = next((verb for verb in self.verbs if verb.key == event.key), None)
        if found is not None:
            event.stop()
            self.dismiss(found.verb)

    def action_choose(self) -> None:
        """Choose the marked verb."""
        self.dismiss(self.verbs[self.place].verb if self.verbs else "")

    def action_cancel(self) -> None:
        """Close without choosing."""
        self.dismiss("")

    def action_move(self, step: int) -> None:
        """Move the mark, around the ends."""
        if self.verbs:
            self.place = (self.place + step) % len(self.verbs)
            self.paint()
