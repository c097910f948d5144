"""The details of one card or container, live, on a screen of their own."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from screens.tui.details import card_details, container_details
from screens.tui.host_details import host_details
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, wrap
from screens.tui.panels.cards import short_name
from screens.tui.panels.footer import Key
from screens.tui.scroll_screen import SCROLL_KEYS, ScrollScreen

KEYS = (
    KeyHelp("s", "s", "verb('s')", "start or stop it", "Change"),
    KeyHelp("r", "r", "verb('r')", "restart it", "Change"),
    KeyHelp("x", "x", "menu", "everything that can be done with it", "Change"),
    KeyHelp("u", "u", "undo", "undo the last plan", "Change"),
    KeyHelp("y", "y", "copy", "copy its name", "Look"),
    KeyHelp("Y", "Y", "copy_id", "copy its full id", "Look"),
)
CHANGES = (
    Key("s", "start/stop", "key s"),
    Key("r", "restart", "key r"),
    Key("x", "actions", "key x"),
)


class DetailsScreen(ScrollScreen):
    """Shows a card (`kind` is `gpu`), a container by its id, or the host."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, kind: str, ident: str) -> None:
        super().__init__()
        self.kind = kind
        self.ident = ident
        self.shown_keys = SCROLL_KEYS if kind != "container" else (*SCROLL_KEYS, *CHANGES)

    def name_of(self) -> str:
        """Give the name of what is shown; its id once it is gone."""
        snapshot = self.console_app.snapshot
        if self.kind == "host":
            return "host"
        if self.kind == "gpu":
            found = next((gpu for gpu in snapshot.gpu.gpus if gpu.uuid == self.ident), None)
            return f"GPU {found.index}  {short_name(found)}" if found is not None else self.ident
        names = {item.id: item.name for item in snapshot.engine.containers}
        return names.get(self.ident, self.ident[:12])

    def heading(self) -> Line:
        """Name what is shown."""
        if self.kind == "host":
            return (Span(" this host", "title"),)
        kind = "card" if self.kind == "gpu" else "container"
        return (Span(f" {kind} ", "dim"), Span(self.name_of(), "title"))

    def content(self, width: int) -> Sequence[Line]:
        """Give all that is known of it now."""
        make = {"gpu": card_details, "host": host_details}.get(self.kind, container_details)
        lines = make(self.console_app.snapshot, self.ident, min(width, 120))
        if lines is None:
            text = (
                "It is gone: the driver no longer lists it."
                if self.kind == "gpu"
                else "It is gone: the engine no longer lists it."
            )
            return [(), *((Span(f"  {part}", "warning"),) for part in wrap(text, width - 4))]
        return lines

    def action_verb(self, key: str) -> None:
        """Propose what a key does to the container that is shown."""
        if self.kind == "container":
            self.console_app.propose_key(self.ident, key)

    def action_menu(self) -> None:
        """Open the menu of what can be done."""
        if self.kind == "container":
            self.console_app.open_menu(self.ident)

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def action_copy(self) -> None:
        """Copy the name."""
        self.console_app.copy(self.name_of() if self.kind == "container" else self.ident)

    def action_copy_id(self) -> None:
        """Copy the id."""
        self.console_app.copy(self.ident)
