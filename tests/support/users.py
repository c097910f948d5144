"""Running a piece of work as an ordinary user where the tests run as root."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534


def as_nobody(work: Callable[[], object], *folders: Path) -> str:
    """Give `str()` of what `work` returns in a child process without root's powers.

    `folders` (and their parents up to the temporary directory) are opened for it to pass through.
    """
    for folder in folders:
        for level in (folder, *folder.parents):
            if level.stat().st_uid == os.getuid() and "pytest" in str(level):
                level.chmod(level.stat().st_mode | 0o011)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def _answer(work: Callable[[], object], writing: int) -> None:
    """Do the work in the child and end it there, whatever happens."""
    try:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        answer = str(work())
    except BaseException as error:  # noqa: BLE001 -- the parent's assertion shows it
        answer = f"raised {error!r}"
    os.write(writing, answer.encode())
    sys.stdout = sys.stderr = None
    os._exit(0)
