"""The keys of guided setup as data: bindings, footer and help are made of them."""

from screens.tui.keys import KeyHelp

GROUP = "In guided setup"

SETUP = (
    KeyHelp("enter", "↵", "press", "show what is written, do what is proposed, go on", GROUP),
    KeyHelp("space", "Space", "choose", "choose the answer under the cursor", GROUP),
    KeyHelp("up,k", "↑ k", "move(-1)", "the answer above; else scroll", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "the answer below; else scroll", GROUP),
    KeyHelp("tab", "Tab", "ask(1)", "the next question, and the button", GROUP),
    KeyHelp("shift+tab", "Shift-Tab", "ask(-1)", "the question before", GROUP),
    KeyHelp("pageup", "PgUp", "scroll(-1)", "scroll up", GROUP),
    KeyHelp("pagedown", "PgDn", "scroll(1)", "scroll down", GROUP),
    KeyHelp("g,home", "g Home", "edge(-1)", "the step's beginning", GROUP),
    KeyHelp("G,end", "G End", "edge(1)", "its end", GROUP),
    KeyHelp("b,left,h", "b ←", "before", "the step before", GROUP),
    KeyHelp("right,l", "→ l", "after", "the step after, where this one is done", GROUP),
    KeyHelp("s", "s", "skip", "leave this step out", GROUP),
    KeyHelp("c,r", "c r", "again", "check again; takes up a step that was left out", GROUP),
    KeyHelp("d,f", "d f", "full", "the diff in full size; before and after change places", GROUP),
    KeyHelp("y", "y", "copy", "copy the commands that are yours to run", GROUP),
    KeyHelp("w", "w", "save", "write the answers into a file, for --answers", GROUP),
    KeyHelp("escape", "Esc", "back", "leave; it goes on here the next time", GROUP),
)  # fmt: skip
