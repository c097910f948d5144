"""The keys of a container's screen as data; capital letters open tabs, small ones act."""

from screens.tui.keys import KeyHelp

TABS = (
    KeyHelp("tab,right_square_bracket", "Tab ]", "next_tab(1)", "next tab", "A container"),
    KeyHelp(
        "shift+tab,left_square_bracket", "Shift-Tab [", "next_tab(-1)", "tab before", "A container"
    ),
    KeyHelp("O", "O", "tab('overview')", "overview", "A container"),
    KeyHelp("L", "L", "tab('logs')", "logs", "A container"),
    KeyHelp("E", "E", "tab('environment')", "environment", "A container"),
    KeyHelp("M", "M", "tab('mounts')", "mounts", "A container"),
    KeyHelp("T", "T", "tab('top')", "top: its processes", "A container"),
    KeyHelp("R", "R", "tab('raw')", "raw: the engine's inspect, as JSON", "A container"),
    KeyHelp("e", "e", "shell", "open a shell in it; exit brings the console back", "A container"),
    KeyHelp("s", "s", "verb('s')", "start or stop it", "A container"),
    KeyHelp("r", "r", "verb('r')", "restart it", "A container"),
    KeyHelp("x", "x", "menu", "everything that can be done with it", "A container"),
    KeyHelp("u", "u", "undo", "undo the last plan", "A container"),
    KeyHelp("y", "y", "act('copy')", "copy what is selected, else its name", "A container"),
    KeyHelp("Y", "Y", "copy_id", "copy its full id", "A container"),
    KeyHelp("enter", "↵", "act('open')", "show the selected secret; hide it again", "A container"),
    KeyHelp("escape", "Esc", "back", "back, one thing at a time", "A container"),
)

MOVING = (
    KeyHelp("up,k", "↑ k", "act('move', -1)", "up", "A container"),
    KeyHelp("down,j", "↓ j", "act('move', 1)", "down", "A container"),
    KeyHelp("pageup,b", "PgUp", "act('page', -1)", "a page up", "A container"),
    KeyHelp("pagedown", "PgDn", "act('page', 1)", "a page down", "A container"),
    KeyHelp("g,home", "g Home", "act('edge', -1)", "first line", "A container"),
    KeyHelp("G,end", "G End", "act('edge', 1)", "last line; in logs: follow", "A container"),
)

SEARCHING = (
    KeyHelp("slash", "/", "act('search')", "search (logs, raw, environment)", "Search"),
    KeyHelp("n", "n", "act('match', 1)", "next hit", "Search"),
    KeyHelp("N", "N", "act('match', -1)", "hit before", "Search"),
    KeyHelp("c,f2", "c F2", "act('toggle_case')", "upper and lower case matter or not", "Search"),
    KeyHelp("full_stop,f3", ". F3", "act('toggle_regex')", "text or regular expression", "Search"),
)

LOGS = (
    KeyHelp("space", "Space", "act('pause')", "pause and follow again", "Logs"),
    KeyHelp("enter", "↵", "", "unfold a traceback, fold it again", "Logs"),
    KeyHelp("t", "t", "act('times')", "times: none, local, age", "Logs"),
    KeyHelp("w", "w", "act('wrap')", "wrap long lines or cut them", "Logs"),
    KeyHelp("left,h", "← h", "act('sideways', -1)", "cut lines: to the left", "Logs"),
    KeyHelp("right,l", "→ l", "act('sideways', 1)", "cut lines: to the right", "Logs"),
    KeyHelp("ampersand", "&", "act('filter')", "only lines that match, with context", "Logs"),
    KeyHelp("plus,equals_sign", "+", "act('context', 1)", "more context around matches", "Logs"),
    KeyHelp("minus", "-", "act('context', -1)", "less context", "Logs"),
    KeyHelp("o", "o", "act('source')", "only one source, then the next, then all", "Logs"),
    KeyHelp("colon", ":", "act('time')", "jump to a time: 14:05, 10m (ago)", "Logs"),
    KeyHelp("circumflex_accent", "^", "act('last_start')", "jump to the last start", "Logs"),
    KeyHelp("right_curly_bracket,exclamation_mark", "} !", "act('error', 1)", "next error", "Logs"),
    KeyHelp("left_curly_bracket", "{", "act('error', -1)", "error before", "Logs"),
    KeyHelp("v", "v", "act('mark')", "mark lines; move, then y copies them", "Logs"),
    KeyHelp("shift+down", "⇧↓", "act('stretch', 1)", "mark one line more below", "Logs"),
    KeyHelp("shift+up", "⇧↑", "act('stretch', -1)", "mark one line more above", "Logs"),
    KeyHelp("S", "S", "act('save')", "save the lines (marked or all) to a file", "Logs"),
)

BOUND = tuple(key for table in (TABS, MOVING, SEARCHING, LOGS) for key in table if key.action)
"""What Textual binds; a key that two tables explain is bound once."""
