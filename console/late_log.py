"""Logging that costs nothing until something is logged: only then the log file is opened.

Without it Python prints what nobody handles on stderr: a traceback of ours or a warning of a
library, in the middle of somebody's screen.
"""

import logging
from collections.abc import Callable

from console.paths import Places

NAME = "gpuconsole"


class LateLog(logging.Handler):
    """Opens the log file at the first record, hands the record over and is done."""

    def __init__(self, find: Callable[[], Places]) -> None:
        super().__init__()
        self._find = find

    def emit(self, record: logging.LogRecord) -> None:
        """Replace this handler by the log file's own."""
        from console.log import open_log

        logger = logging.getLogger(NAME)
        logger.removeHandler(self)
        open_log(self._find())
        logger.handle(record)


def log_when_needed(find: Callable[[], Places]) -> None:
    """Send what is logged under `gpuconsole` to the log file, and all else nowhere.

    Args:
        find: gives the places, with the log file among them.
    """
    root, ours = logging.getLogger(), logging.getLogger(NAME)
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    if not ours.handlers:
        ours.addHandler(LateLog(find))
