"""Signals by name or number, as the docker command line takes them."""

import difflib
import re
import signal

from console.errors import UsageError
from console.text import clean_line

_REAL_TIME = re.compile(r"RT(MIN(\+\d{1,2})?|MAX(-\d{1,2})?)")
# What ends a process that does nothing about it, or asks it to end.
_ENDING = {"KILL", "TERM", "INT", "QUIT", "ABRT", "SEGV", "BUS", "FPE", "ILL", "TRAP", "SYS"}


def signal_name(text: str) -> str:
    """Give a signal's name without SIG, such as `KILL`, from `9`, `kill` or `SIGKILL`.

    Raises:
        UsageError: there is no such signal (`plan.bad-signal`, with the nearest name).
    """
    word = text.strip().upper().removeprefix("SIG")
    names = {entry.name.removeprefix("SIG") for entry in signal.Signals}
    if word.isdecimal():
        try:
            return signal.Signals(int(word)).name.removeprefix("SIG")
        except ValueError:
            word = text
    if word in names or _REAL_TIME.fullmatch(word):
        return word
    near = difflib.get_close_matches(word, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else "Such as KILL, TERM, INT, HUP or USR1"
    shown = clean_line(text, 40)
    raise UsageError("plan.bad-signal", f"There is no signal {shown or 'without a name'}", hint)


def ends_container(name: str) -> bool:
    """Tell whether a signal is meant to end what gets it."""
    return name in _ENDING
