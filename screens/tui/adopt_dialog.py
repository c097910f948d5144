"""The box that shows what adopting a service writes into the config."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from actions.services.snapshot import Service
from screens.tui.dialog import Dialog, button
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import BLANK, Line, Span, wrap

KEYS = (
    KeyHelp("enter,y", "↵ y", "confirm", "write it", "In a dialog"),
    KeyHelp("escape,n,q", "Esc n q", "cancel", "leave the config as it is", "In a dialog"),
    KeyHelp("down,j", "↓ j", "scroll(1)", "scroll down", "In a dialog"),
    KeyHelp("up,k", "↑ k", "scroll(-1)", "scroll up", "In a dialog"),
)


class AdoptDialog(Dialog[bool]):
    """Answers True when the service is to be written into the config."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service

    def heading(self) -> str:
        """Name what is adopted."""
        return f"Adopt {self._service.name} into the config"

    def body(self, width: int) -> Sequence[Line]:
        """Give the lines that will be written."""
        from actions.services.adopt import sections_of

        lines: list[Line] = []
        for text in sections_of((self._service,)).splitlines():
            role = "dim" if text.startswith("#") else "ok"
            lines += [(Span(f"+ {part}", role),) for part in wrap(text, width - 2)]
        more = (
            "Set gpu and variant (or vram_budget) there, for the pre-check to know what it needs."
        )
        return [*lines, BLANK, *((Span(part, "dim"),) for part in wrap(more, width))]

    def buttons(self) -> Line:
        """Give what can be answered."""
        return (
            *button("Write it", "confirm", True),
            *button("Cancel", "cancel", False),
            Span("y yes  Esc no", "dim"),
        )

    def press(self, action: str) -> None:
        """Answer by a click."""
        self.dismiss(action == "confirm")

    def action_confirm(self) -> None:
        """Say yes."""
        self.dismiss(True)

    def action_cancel(self) -> None:
        """Say no."""
        self.dismiss(False)
