"""The program's log file: beside the state, ours alone, masked, and never in the way.

Nothing in here fails: where the file cannot be written, the log goes nowhere.
"""

import io
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from console.late_log import NAME
from console.mask import mask_text
from console.paths import Places, ensure_private_dir
from console.text import clean
from console.unknown import Unknown

_LARGEST = 1_000_000
_KEPT = 3


class _PrivateFile(RotatingFileHandler):
    """A rotating file of mode 0600 that keeps silent when the disk is full."""

    def _open(self) -> io.TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(handle, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Drop the record: a traceback on the operator's screen would help nobody."""


class _Masked(logging.Formatter):
    """Whole records, tracebacks too, through the masking door and without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_text(clean(super().format(record)))


def open_log(places: Places, level: int = logging.INFO) -> Unknown | None:
    """Send everything logged under `gpuconsole` to the log file, and nowhere else.

    Returns:
        None where that works, else why the log goes nowhere.
    """
    logger = logging.getLogger(NAME)
    if any(isinstance(handler, _PrivateFile) for handler in logger.handlers):
        return None
    logger.setLevel(level)
    logger.propagate = False
    problem = ensure_private_dir(places.log_file.parent)
    if problem is None:
        problem = _attach(logger, places.log_file)
    if problem is not None and not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return problem


def close_log() -> None:
    """Let go of the log file; a later `open_log` may open another."""
    logger = logging.getLogger(NAME)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def log_crash(places: Places, error: BaseException) -> Path | None:
    """Write an unexpected error with its traceback; give the file it is in, or None."""
    if open_log(places) is not None:
        return None
    before = _size(places.log_file)
    logging.getLogger(NAME).error("unexpected error", exc_info=error)
    return places.log_file if _size(places.log_file) != before else None


def _attach(logger: logging.Logger, path: Path) -> Unknown | None:
    try:
        handler = _PrivateFile(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        return Unknown("log.not-writable", f"no log in {path}: {reason}")
    handler.setFormatter(_Masked("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
