"""The keys of the lab as data: bindings, footer and help are made of them."""

from screens.tui.keys import KeyHelp

GROUP = "In the lab"

LAB = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "down", GROUP),
    KeyHelp("left,h", "← h", "sideways(-1)", "the value before: variant, seed, steps, size", GROUP),
    KeyHelp("right,l", "→ l", "sideways(1)", "the next value", GROUP),
    KeyHelp("tab,shift+tab", "Tab", "panel", "from the form to the edits, and back", GROUP),
    KeyHelp("enter", "↵", "open", "edit or choose it; an edit: in full size, and back", GROUP),
    KeyHelp("s", "s", "submit", "send the edit", GROUP),
    KeyHelp("o", "o", "browse", "choose a picture in the browser", GROUP),
    KeyHelp(
        "backspace,delete", "Del", "clear", "leave it to the workflow; take a picture out", GROUP
    ),
    KeyHelp("t", "t", "template", "begin with one of the workflow's prompts", GROUP),
    KeyHelp("H", "H", "history", "take an earlier prompt", GROUP),
    KeyHelp("L", "L", "seed_mode", "seed: the next each time, locked, or drawn anew", GROUP),
    KeyHelp("d", "d", "details", "the whole pre-check, or the list again", GROUP),
    KeyHelp("p", "p", "fetch", "fetch the model files that are missing", GROUP),
    KeyHelp("f", "f", "flip", "before and after change places", GROUP),
    KeyHelp("right_square_bracket", "]", "turn(1)", "the next of several pictures", GROUP),
    KeyHelp("left_square_bracket", "[", "turn(-1)", "the picture before", GROUP),
    KeyHelp("r", "r", "again", "put its recipe into the form, to change one thing", GROUP),
    KeyHelp("R", "R", "again_now", "make it once more with another seed", GROUP),
    KeyHelp("e", "e", "use", "take its result as the picture of the next edit", GROUP),
    KeyHelp("w", "w", "save", "save a copy of its result", GROUP),
    KeyHelp("y", "y", "copy", "copy the path of its result", GROUP),
    KeyHelp("c", "c", "cancel", "cancel the edit, at the second press", GROUP),
    KeyHelp("g", "g", "gallery", "the gallery: all edits that were kept", GROUP),
    KeyHelp("x", "x", "menu", "everything that can be done", GROUP),
    KeyHelp("pageup,b", "PgUp b", "scroll(-1)", "scroll the details up", GROUP),
    KeyHelp("pagedown,space", "PgDn Spc", "scroll(1)", "scroll the details down", GROUP),
    KeyHelp("n", "n", "fresh", "a new form", GROUP),
    KeyHelp("u", "u", "bring_back", "the form that was there before n or r", GROUP),
    KeyHelp(
        "escape", "Esc", "back", "back; where an edit is under way, at the second: cancel it", GROUP
    ),
)
TYPING = (
    KeyHelp("", "↵ Esc", "", "end typing; what stands there counts", "While a field is edited"),
    KeyHelp("", "↑ ↓", "", "prompts: earlier ones", "While a field is edited"),
    KeyHelp("", "← → Ctrl-A E W U K", "", "as in a shell", "While a field is edited"),
    KeyHelp("", "Ctrl-Z", "", "what stood there before", "While a field is edited"),
)
