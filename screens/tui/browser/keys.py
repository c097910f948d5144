"""The keys of the file browser as data: bindings, footer and help are made of them."""

from screens.tui.keys import KeyHelp

GROUP = "In the file browser"

BROWSER = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "down", GROUP),
    KeyHelp("pageup,b", "PgUp b", "page(-1)", "a page up", GROUP),
    KeyHelp("pagedown", "PgDn", "page(1)", "a page down", GROUP),
    KeyHelp("g,home", "g Home", "edge(-1)", "first", GROUP),
    KeyHelp("G,end", "G End", "edge(1)", "last", GROUP),
    KeyHelp("enter", "↵", "open", "open the folder, or take the picture", GROUP),
    KeyHelp("right,l", "→ l", "inside", "open the folder", GROUP),
    KeyHelp(
        "backspace,left,h,minus", "Backsp ← h", "up", "the folder that this one lies in", GROUP
    ),
    KeyHelp("space", "Space", "pick", "pick it, where several are wanted, and go on", GROUP),
    KeyHelp("slash", "/", "filter", "list only names with what is typed", GROUP),
    KeyHelp("colon", ":", "type", "type a path; one that is pasted is gone to at once", GROUP),
    KeyHelp("tilde", "~", "home", "your home folder", GROUP),
    KeyHelp("o", "o", "outputs", "the folder where results of edits are kept", GROUP),
    KeyHelp("p", "p", "places", "folders that were used of late, and sample pictures", GROUP),
    KeyHelp("a", "a", "everything", "all files, hidden ones too, or only pictures", GROUP),
    KeyHelp("t", "t", "order", "newest first, or by name", GROUP),
    KeyHelp("r", "r", "again", "read the folder again", GROUP),
    KeyHelp("y", "y", "copy", "copy the path", GROUP),
    KeyHelp("escape", "Esc", "back", "end the filter; leave without a picture", GROUP),
)
