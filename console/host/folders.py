"""The door to what lies at a path of the host: there or not, how big, how much room is left.

A path may lie on a network share or a Windows drive that no longer answers; then the kernel keeps
whoever asks, for minutes or for ever. So each path is asked for in a thread of its own, and a path
whose thread still hangs is not asked for again.
"""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from console.clock import Clock, SystemClock
from console.host.disks import read_disk
from console.text import clean_line
from console.units import format_bytes
from console.unknown import Unknown

ANSWERS_WITHIN = 2.0
_COUNTS_FOR = 1.0
_PACE: Clock = SystemClock()


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A path of the host.

    Attributes:
        present: it is there; Unknown where that cannot be seen.
        size_bytes: of all that lies in it, links not followed; Unknown where there is too much.
        free_bytes: that an ordinary user may still write there.
        read_only: its file system refuses writes.
    """

    present: bool | Unknown
    size_bytes: int | Unknown
    free_bytes: int | Unknown
    total_bytes: int | Unknown
    read_only: bool | Unknown


class _Question(threading.Thread):
    """One path being asked for; a daemon, because it may never be answered."""

    def __init__(self, path: str, look: Callable[[Path], Folder]) -> None:
        super().__init__(name="folder", daemon=True)
        self.path = path
        self._look = look
        self.answer: Folder | None = None

    def run(self) -> None:
        self.answer = self._look(Path(self.path))


# For the whole process: a screen that is opened again must not add to what hangs already.
_HANGING: dict[str, _Question] = {}
_LOCK = threading.Lock()


def look_at(
    paths: Sequence[str],
    within: float = ANSWERS_WITHIN,
    look: "Callable[[Path], Folder] | None" = None,
) -> dict[str, Folder]:
    """Give how each path is, all asked for at once; returns after `within` seconds at the latest.

    Args:
        paths: absolute paths of the host.
        within: seconds; what has not answered by then is Unknown (`host.path-hangs`).
        look: for tests: asks for one path.
    """
    questions = [_ask(path, look or _look) for path in dict.fromkeys(paths)]
    deadline = _PACE.monotonic() + within
    for question in questions:
        question.join(max(0.0, deadline - _PACE.monotonic()))
    return {question.path: _answered(question, within) for question in questions}


def all_unknown(why: Unknown) -> Folder:
    """Give a path of which nothing is known, for one reason."""
    return Folder(present=why, size_bytes=why, free_bytes=why, total_bytes=why, read_only=why)


def _ask(path: str, look: Callable[[Path], Folder]) -> _Question:
    with _LOCK:
        for known_path in [name for name, one in _HANGING.items() if not one.is_alive()]:
            del _HANGING[known_path]
        question = _HANGING.get(path)
        if question is None:
            question = _HANGING[path] = _Question(path, look)
            question.start()
    return question


def _answered(question: _Question, within: float) -> Folder:
    if question.answer is not None:
        return question.answer
    return all_unknown(
        Unknown(
            "host.path-hangs",
            f"no answer within {within:g} s: a network share or drive that is gone?",
            "Look at `mount` and `dmesg`; whatever uses the path hangs too",
        )
    )


def _look(path: Path) -> Folder:
    try:
        path.stat()
        present: bool | Unknown = True
    except (FileNotFoundError, NotADirectoryError):
        present = False
    except (OSError, ValueError) as error:
        present = _why(path, error)
    disk = read_disk("mount", path)
    size: int | Unknown = Unknown("host.path-missing", "nothing is there")
    if present is True:
        size = _size(path)
    elif isinstance(present, Unknown):
        size = present
    return Folder(
        present=present,
        size_bytes=size,
        free_bytes=disk.free_bytes,
        total_bytes=disk.total_bytes,
        read_only=disk.read_only,
    )


def _size(top: Path) -> int | Unknown:
    """Add up what lies below a path, for a second at most; one file system, no links."""
    try:
        facts = top.stat()
        if not top.is_dir():
            return facts.st_size
        return _size_below(top, facts.st_dev)
    except OSError as error:
        return _why(top, error)


def _size_below(top: Path, device: int) -> int | Unknown:
    total = 0
    deadline = _PACE.monotonic() + _COUNTS_FOR
    waiting = [str(top)]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                facts = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    if facts.st_dev == device:
                        waiting.append(entry.path)
                else:
                    total += facts.st_size
        if _PACE.monotonic() > deadline:
            return Unknown(
                "host.folder-too-big",
                f"over {format_bytes(total)}: too many files to count in {_COUNTS_FOR:g} s",
            )
    return total


def _why(path: Path, error: OSError | ValueError) -> Unknown:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return Unknown("host.path-unreadable", f"{clean_line(str(path), 200)}: {reason}")
