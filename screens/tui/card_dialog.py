"""The box that asks which card: each with what is free on it now."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from console.gpu.snapshot import Gpu
from screens.tui.dialog import Dialog
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, clickable, fit, left, on, right
from screens.tui.panels.cards import card_name
from screens.tui.words import gib

KEYS = (
    KeyHelp("enter,space", "↵ Space", "choose", "choose the marked card", "In a menu"),
    KeyHelp("escape,q", "Esc q", "cancel", "close the menu", "In a menu"),
    KeyHelp("down,j,tab", "↓ j Tab", "move(1)", "down", "In a menu"),
    KeyHelp("up,k,shift+tab", "↑ k Shift-Tab", "move(-1)", "up", "In a menu"),
)


class CardDialog(Dialog[str]):
    """Answers the UUID of the chosen card, or an empty text; the cursor is on another card."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    WIDEST = 66

    def __init__(self, status: ServiceStatus, snapshot: HostSnapshot) -> None:
        super().__init__()
        self._status = status
        self._cards = snapshot.gpu.gpus
        others = [at for at, gpu in enumerate(self._cards) if gpu.uuid != status.gpu_uuid]
        self.place = others[0] if others else 0

    def heading(self) -> str:
        """Name what is moved."""
        return f"Move {self._status.name} to"

    def body(self, width: int) -> Sequence[Line]:
        """Give one line a card."""
        return [self._line(place, gpu, width) for place, gpu in enumerate(self._cards)]

    def _line(self, place: int, gpu: Gpu, width: int) -> Line:
        chosen = place == self.place
        words = []
        if gpu.uuid == self._status.gpu_uuid:
            words.append("it is here now")
        if gpu.uuid == self._status.gpu_expected_uuid:
            words.append("meant for it")
        line = fit(
            (
                Span("▸ " if chosen else "  ", "title"),
                Span(f"{gpu.index:>2}  ", "key"),
                Span(left(card_name(gpu), 22), "strong"),
                Span(f"{right(gib(gpu.memory_free_bytes), 5)} free  "),
                Span(", ".join(words), "dim"),
            ),
            width,
        )
        return clickable(on(line, "selected") if chosen else line, f"card {place}")

    def buttons(self) -> Line:
        """Say how to leave."""
        return (Span("↵ choose", "dim"), *clickable((Span("   Esc close", "dim"),), "cancel"))

    def press(self, action: str) -> None:
        """Choose a card by a click."""
        word, _, place = action.partition(" ")
        self.dismiss(self._cards[int(place)].uuid if word == "card" else "")

    def on_key(self, event: events.Key) -> None:
        """Choose a card by its number."""
        found = next((gpu for gpu in self._cards if str(gpu.index) == event.key), None)
        if found is not None:
            event.stop()
            self.dismiss(found.uuid)

    def action_choose(self) -> None:
        """Choose the marked card."""
        self.dismiss(self._cards[self.place].uuid)

    def action_cancel(self) -> None:
        """Leave without a choice."""
        self.dismiss("")

    def action_move(self, step: int) -> None:
        """Move the mark."""
        self.place = (self.place + step) % len(self._cards)
        self.paint()
