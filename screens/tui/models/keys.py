"""The keys of the views of models and jobs as data: bindings, footer and help are made of them."""

from screens.tui.keys import KeyHelp

GROUP = "In the models view"
JOBS_GROUP = "In the jobs view"

LISTS = (
    KeyHelp("up,k", "↑ k", "move(-1)", "up", GROUP),
    KeyHelp("down,j", "↓ j", "move(1)", "down", GROUP),
    KeyHelp("pageup,b", "PgUp b", "scroll(-1)", "scroll the details up", GROUP),
    KeyHelp("pagedown", "PgDn", "scroll(1)", "scroll the details down", GROUP),
    KeyHelp("g,home", "g Home", "edge(-1)", "first", GROUP),
    KeyHelp("G,end", "G End", "edge(1)", "last", GROUP),
    KeyHelp("enter", "↵", "open", "the details in full size, and back", GROUP),
    KeyHelp("f", "f", "full", "the details in full size, and back", GROUP),
    KeyHelp("escape", "Esc", "back", "back", GROUP),
    KeyHelp("slash", "/", "search", "search by name", GROUP),
    KeyHelp("n", "n", "match(1)", "next match", GROUP),
    KeyHelp("N", "N", "match(-1)", "match before", GROUP),
    KeyHelp("x", "x", "menu", "everything that can be done with it", GROUP),
    KeyHelp("y", "y", "copy", "copy its id or its path", GROUP),
    KeyHelp("c", "c", "cancel", "cancel a download; asks, for what it has is removed", GROUP),
    KeyHelp("p", "p", "pull", "fetch it; of a download: pause it or go on", GROUP),
    KeyHelp("a", "a", "ended", "jobs: also those that are over", GROUP),
    KeyHelp("u", "u", "undo", "undo the last plan where that is possible", GROUP),
)
MODELS = (
    *LISTS,
    KeyHelp("left,h", "← h", "sideways(-1)", "card to the left; panel before", GROUP),
    KeyHelp("right,l", "→ l", "sideways(1)", "card to the right; next panel", GROUP),
    KeyHelp("tab", "Tab", "panel(1)", "next panel: catalogue, inventory, downloads", GROUP),
    KeyHelp("shift+tab", "Shift-Tab", "panel(-1)", "panel before", GROUP),
    KeyHelp("space", "Space", "mark", "mark it, for a key to act on all that are marked", GROUP),
    KeyHelp("P", "P", "pull_other", "fetch any file of the hub: hf:ORG/REPO/PATH", GROUP),
    KeyHelp("v", "v", "verify", "compare it with its hash; read it where that is not known", GROUP),
    KeyHelp("V", "V", "verify(True)", "the same, but read all of it whatever is known", GROUP),
    KeyHelp("d", "d", "details", "catalogue: the whole arithmetic, or the short form", GROUP),
    KeyHelp("R,delete", "R Del", "remove", "remove its files, after the plan was shown", GROUP),
    KeyHelp("Q", "Q", "aside", "put its files aside: nobody loads them, u brings them back", GROUP),
    KeyHelp("D", "D", "dedupe", "inventory: hard-link files with the same bytes", GROUP),
    KeyHelp("i", "i", "issues", "inventory: only files with something wrong", GROUP),
    KeyHelp("t", "t", "totals", "inventory: sums by kind and by folder", GROUP),
    KeyHelp("o", "o", "order", "inventory: by folder, by size, by kind", GROUP),
    KeyHelp("r", "r", "look", "look at the folders again", GROUP),
)
JOBS = (
    *(key._replace(group=JOBS_GROUP) for key in LISTS),
    KeyHelp("o", "o", "go_on", "go on with it where it was left", JOBS_GROUP),
    KeyHelp("B", "B", "go_back", "go back: restore what was before", JOBS_GROUP),
    KeyHelp("r", "r", "look", "read the journal again", JOBS_GROUP),
)
