"""The keys of the services view as data: bindings, footer and help are made from them."""

from screens.tui.keys import KeyHelp

GROUP = "In the services view"

SERVICES = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "down", GROUP),
    KeyHelp("left,h", "← h", "sideways(-1)", "card to the left; panel before", GROUP),
    KeyHelp("right,l", "→ l", "sideways(1)", "card to the right; next panel", GROUP),
    KeyHelp("pageup,b", "PgUp b", "scroll(-1)", "scroll the details up", GROUP),
    KeyHelp("pagedown,space", "PgDn Spc", "scroll(1)", "scroll the details down", GROUP),
    KeyHelp("g,home", "g Home", "edge(-1)", "first", GROUP),
    KeyHelp("G,end", "G End", "edge(1)", "last", GROUP),
    KeyHelp("tab", "Tab", "panel(1)", "next panel: services, fit matrix, layouts", GROUP),
    KeyHelp("shift+tab", "Shift-Tab", "panel(-1)", "panel before", GROUP),
    KeyHelp("enter", "↵", "open", "open its container; switch to the layout", GROUP),
    KeyHelp("escape", "Esc", "back", "back", GROUP),
    KeyHelp("slash", "/", "search", "search a service, a variant or a layout", GROUP),
    KeyHelp("n", "n", "match(1)", "next match", GROUP),
    KeyHelp("N", "N", "match(-1)", "match before", GROUP),
    KeyHelp("s", "s", "verb('s')", "start or stop it, by what it is doing now", GROUP),
    KeyHelp("r", "r", "verb('r')", "restart it", GROUP),
    KeyHelp("f", "f", "full", "the details, or the matrix, in full size, and back", GROUP),
    KeyHelp("M", "M", "verb('M')", "move it to another card", GROUP),
    KeyHelp("x", "x", "menu", "everything that can be done with it", GROUP),
    KeyHelp("y", "y", "copy", "copy its URL", GROUP),
    KeyHelp("Y", "Y", "copy_name", "copy its name", GROUP),
    KeyHelp("d", "d", "details", "the whole arithmetic, or the short form", GROUP),
    KeyHelp("e", "e", "empty", "matrix: as the host is now, or as if nothing ran", GROUP),
    KeyHelp("i", "i", "images", "matrix: one reference picture more, 1 to 4", GROUP),
    KeyHelp("plus,equals_sign", "+", "size(1)", "matrix: a bigger picture", GROUP),
    KeyHelp("minus", "-", "size(-1)", "matrix: a smaller picture", GROUP),
    KeyHelp("t", "t", "task", "matrix: type size and number of pictures", GROUP),
    KeyHelp("u", "u", "undo", "undo the last plan where that is possible", GROUP),
    KeyHelp("c", "c", "cancel", "cancel what runs, at the second press", GROUP),
    KeyHelp("o", "o", "go_on", "go on with an interrupted plan", GROUP),
    KeyHelp("B", "B", "go_back", "go back from an interrupted plan", GROUP),
)
