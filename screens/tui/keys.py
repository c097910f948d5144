"""Every key of the program as data: bindings, the footer and the help screen are made from it."""

from collections.abc import Iterable
from typing import NamedTuple

from textual.binding import Binding, BindingType


class KeyHelp(NamedTuple):
    """A key: how Textual calls it, what it runs, and what the help says about it.

    Attributes:
        keys: Textual's names, separated by commas.
        shown: how people read it.
        action: the action it runs.
        help: what it does, in a few words.
        group: heading in the help screen.
    """

    keys: str
    shown: str
    action: str
    help: str
    group: str


EVERYWHERE = (
    KeyHelp(
        "q,ctrl+q,ctrl+c", "q Ctrl-C", "quit", "quit, as Ctrl-Q; detached plans go on", "Everywhere"
    ),
    KeyHelp("question_mark,f1", "? F1", "help", "this help", "Everywhere"),
    KeyHelp(
        "m", "m", "mouse", "mouse on or off, so that the terminal can select text", "Everywhere"
    ),
    KeyHelp(
        "ctrl+z", "Ctrl-Z", "suspend_process", "put the program into the background", "Everywhere"
    ),
)

PALETTE = KeyHelp(
    "ctrl+p", "Ctrl-P", "command_palette", "command palette: actions, themes", "Everywhere"
)

DASHBOARD = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", "Move"),
    KeyHelp("down,j", "↓ j", "move(1)", "down", "Move"),
    KeyHelp("left,h", "← h", "sideways(-1)", "card to the left", "Move"),
    KeyHelp("right,l", "→ l", "sideways(1)", "card to the right", "Move"),
    KeyHelp("pageup", "PgUp", "page(-1)", "a page up", "Move"),
    KeyHelp("pagedown", "PgDn", "page(1)", "a page down", "Move"),
    KeyHelp("g,home", "g Home", "edge(-1)", "first", "Move"),
    KeyHelp("G,end", "G End", "edge(1)", "last", "Move"),
    KeyHelp("tab", "Tab", "panel(1)", "next panel: cards, services, alerts", "Move"),
    KeyHelp("shift+tab", "Shift-Tab", "panel(-1)", "panel before", "Move"),
    KeyHelp("enter", "↵", "open", "open details of what is selected", "Look"),
    KeyHelp("v", "v", "verdict", "the finding that the verdict speaks of", "Look"),
    KeyHelp("i", "i", "host", "this host: driver, engine, memory, disks", "Look"),
    KeyHelp("escape", "Esc", "back", "back, end the search, or cancel what runs", "Look"),
    KeyHelp("slash", "/", "search", "search a service or a container by name, image or id", "Look"),
    KeyHelp("n", "n", "match(1)", "next match", "Look"),
    KeyHelp("N", "N", "match(-1)", "match before", "Look"),
    KeyHelp("f", "f", "full", "the focused panel in full size, and back", "Look"),
    KeyHelp("y", "y", "copy", "copy the selected name to the clipboard", "Look"),
    KeyHelp("Y", "Y", "copy_id", "copy the full id or UUID", "Look"),
    KeyHelp("s", "s", "verb('s')", "start or stop it, by what it is doing now", "Change"),
    KeyHelp("r", "r", "verb('r')", "restart it", "Change"),
    KeyHelp("x", "x", "menu", "everything that can be done with it", "Change"),
    KeyHelp("u", "u", "undo", "undo the last plan where that is possible", "Change"),
    KeyHelp("S", "S", "setup", "guided setup, to the first edited picture", "Change"),
    KeyHelp(
        "d",
        "d",
        "rehearse",
        "open the rehearsal host, where there is neither card nor engine",
        "Change",
    ),
)

SCROLLING = (
    KeyHelp("up,k", "↑ k", "scroll(-1)", "up", "Move"),
    KeyHelp("down,j", "↓ j", "scroll(1)", "down", "Move"),
    KeyHelp("pageup,b", "PgUp b", "scroll_page(-1)", "a page up", "Move"),
    KeyHelp("pagedown,space", "PgDn Spc", "scroll_page(1)", "a page down", "Move"),
    KeyHelp("g,home", "g Home", "scroll_edge(-1)", "first line", "Move"),
    KeyHelp("G,end", "G End", "scroll_edge(1)", "last line", "Move"),
    KeyHelp("escape", "Esc", "back", "back", "Look"),
)


def bindings(keys: Iterable[KeyHelp]) -> list[BindingType]:
    """Make Textual's bindings of a table of keys; none is shown by Textual itself."""
    return [Binding(key.keys, key.action, key.help, show=False) for key in keys]


def groups(*tables: Iterable[KeyHelp]) -> dict[str, list[KeyHelp]]:
    """Sort keys under their headings, in the order in which the headings first come."""
    found: dict[str, list[KeyHelp]] = {}
    for table in tables:
        for key in table:
            found.setdefault(key.group, []).append(key)
    return found
