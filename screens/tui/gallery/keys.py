"""The keys of the gallery as data: bindings, footer and help are made of them."""

from screens.tui.keys import KeyHelp

GROUP = "In the gallery"

GALLERY = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "down", GROUP),
    KeyHelp("pageup,b", "PgUp b", "scroll(-1)", "scroll the details up", GROUP),
    KeyHelp("pagedown", "PgDn", "scroll(1)", "scroll the details down", GROUP),
    KeyHelp("g,home", "g Home", "edge(-1)", "the newest", GROUP),
    KeyHelp("G,end", "G End", "edge(1)", "the last that is listed", GROUP),
    KeyHelp("enter", "↵", "open", "the pictures on the whole screen, and back", GROUP),
    KeyHelp("f", "f", "flip", "before and after change places", GROUP),
    KeyHelp("o", "o", "both", "one large picture, or before and after", GROUP),
    KeyHelp("right_square_bracket,right,l", "] → l", "turn(1)", "the next of several", GROUP),
    KeyHelp("left_square_bracket,left,h", "[ ← h", "turn(-1)", "the picture before", GROUP),
    KeyHelp("slash", "/", "search", "only edits whose prompts have what is typed", GROUP),
    KeyHelp("F", "F", "filter", "only one workflow, variant, service, or group", GROUP),
    KeyHelp("t", "t", "states", "all, those done, not well, or not over", GROUP),
    KeyHelp("space", "Space", "mark", "mark it, for d to act on all that are marked", GROUP),
    KeyHelp("d,delete", "d Del", "remove", "delete it, after the plan was shown", GROUP),
    KeyHelp("r", "r", "again", "put its recipe into the lab, to change one thing", GROUP),
    KeyHelp("R", "R", "again_now", "make it once more with another seed", GROUP),
    KeyHelp("e", "e", "use", "take its result as the picture of the next edit", GROUP),
    KeyHelp("w", "w", "save", "save a copy of its results", GROUP),
    KeyHelp("y", "y", "copy", "copy the path of the picture", GROUP),
    KeyHelp("c", "c", "collect", "fetch what its service still has", GROUP),
    KeyHelp("x", "x", "menu", "everything that can be done with it", GROUP),
    KeyHelp("escape", "Esc", "back", "back: full size, filter, marks; then leave", GROUP),
)
