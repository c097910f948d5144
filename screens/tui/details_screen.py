"""The details of one card, or of the host, live, on a screen of their own."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens.tui.details import card_details
from screens.tui.host_details import host_details
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, wrap
from screens.tui.panels.cards import card_name
from screens.tui.scroll_screen import ScrollScreen

KEYS = (
    KeyHelp("u", "u", "undo", "undo the last plan", "Change"),
    KeyHelp("y,Y", "y Y", "copy", "copy its UUID", "Look"),
)


class DetailsScreen(ScrollScreen):
    """Shows a card (`kind` is `gpu`) by its UUID, or the host."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, kind: str, ident: str) -> None:
        super().__init__()
        self.kind = kind
        self.ident = ident

    def name_of(self) -> str:
        """Give the name of what is shown; its id once it is gone."""
        snapshot = self.console_app.snapshot
        if self.kind == "host":
            return "host"
        found = next((gpu for gpu in snapshot.gpu.gpus if gpu.uuid == self.ident), None)
        return f"GPU {found.index}  {card_name(found)}" if found is not None else self.ident

    def heading(self) -> Line:
        """Name what is shown."""
        if self.kind == "host":
            return (Span(" this host", "title"),)
        return (Span(" card ", "dim"), Span(self.name_of(), "title"))

    def content(self, width: int) -> Sequence[Line]:
        """Give all that is known of it now."""
        make = host_details if self.kind == "host" else card_details
        lines = make(self.console_app.snapshot, self.ident, min(width, 120))
        if lines is None:
            text = "It is gone: the driver no longer lists it."
            return [(), *((Span(f"  {part}", "warning"),) for part in wrap(text, width - 4))]
        return lines

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def action_copy(self) -> None:
        """Copy the UUID."""
        self.console_app.copy(self.ident)
