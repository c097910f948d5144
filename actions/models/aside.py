"""Putting a file aside that has a name which another one is to get; it is never deleted."""

import errno
import os
from pathlib import Path

from console.transfer.part import BAD, bad_name
from console.transfer.placing import rename_new, sync_folder

OLD = ".gpuconsole-old-"
"""In the name of what was put aside. What came wrong over the network has a name of its own, under
which only the newest is kept; this is the operator's."""

_TRIES = 100


def aside_path(path: Path, number: int = 0) -> Path:
    """Give the name beside it that a file would get, hidden and no model's, at the nth try."""
    try:
        facts = path.lstat()
        mark = (facts.st_ino ^ facts.st_mtime_ns) + number
    except OSError:
        mark = number
    hidden = bad_name(path.name, f"{mark & 0xFFFFFFFF:08x}")
    return path.with_name(OLD.join(hidden.rsplit(BAD, 1)))


def put_aside(path: Path) -> Path:
    """Rename a file, or a link, so that its name is free; gives where it is now.

    Raises:
        OSError: it cannot be renamed.
    """
    for number in range(_TRIES):
        target = aside_path(path, number)
        try:
            rename_new(path, target)
        except FileExistsError:
            continue
        sync_folder(path.parent)
        return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
