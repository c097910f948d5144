"""The keys of the findings view as data: bindings, footer and help are made of them."""

from screens.tui.keys import KeyHelp

GROUP = "In the findings view"

FINDINGS = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "down", GROUP),
    KeyHelp("pageup,b", "PgUp b", "scroll(-1)", "scroll the details up", GROUP),
    KeyHelp("pagedown,space", "PgDn Spc", "scroll(1)", "scroll the details down", GROUP),
    KeyHelp("g,home", "g Home", "edge(-1)", "first", GROUP),
    KeyHelp("G,end", "G End", "edge(1)", "last", GROUP),
    KeyHelp("enter", "↵", "open", "mend it: shows the plan, if there is one", GROUP),
    KeyHelp("y", "y", "copy", "copy the chosen step; else the fix", GROUP),
    KeyHelp("Y", "Y", "copy_all", "copy the whole finding", GROUP),
    KeyHelp("w", "w", "changes", "what changed: all that is known, or the short form", GROUP),
    KeyHelp("c", "c", "checks", "all checks with what they found, or the finding again", GROUP),
    KeyHelp("o", "o", "subject", "open what it is about: a service, a container, a card", GROUP),
    KeyHelp("l", "l", "logs", "open the log of the container it is about", GROUP),
    KeyHelp("f", "f", "full", "the details in full size, and back", GROUP),
    KeyHelp("r", "r", "again", "examine the host again", GROUP),
    KeyHelp("escape", "Esc", "back", "back", GROUP),
    KeyHelp("slash", "/", "search", "search by subject, title or id", GROUP),
    KeyHelp("n", "n", "match(1)", "next match", GROUP),
    KeyHelp("N", "N", "match(-1)", "match before", GROUP),
    KeyHelp("u", "u", "undo", "undo the last plan where that is possible", GROUP),
)
DIGITS = KeyHelp("1-9", "1-9", "", "choose a step of the fix; y copies it", GROUP)
