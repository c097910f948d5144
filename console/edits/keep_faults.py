"""Why a picture cannot be kept, copied or taken away: the file system's words, put into ours."""

import errno
import os
from functools import cache
from pathlib import Path
from typing import Any

from console.errors import ConsoleError
from console.packaged import read_table
from console.text import clean_line
from console.units import format_bytes

_CODES = {
    errno.ENOSPC: "edits.disk-full",
    errno.EDQUOT: "edits.disk-full",
    errno.EROFS: "edits.read-only",
    errno.EACCES: "edits.not-allowed",
    errno.EPERM: "edits.not-allowed",
    errno.EFBIG: "edits.too-large",
    errno.ELOOP: "edits.not-ours",
}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.EEXIST}
_LONGEST = 200


class EditKeepError(ConsoleError):
    """A picture is not where it should be; the service still has it where it was fetched from.

    Its code is one of those in `assets/keeping.toml`: `edits.disk-full`, `.read-only`,
    `.not-allowed`, `.folder-gone`, `.not-ours`, `.too-large`, `.taken`, `.disk-error` of writing,
    `.missing`, `.changed`, `.unreadable` of a file that was kept.
    """


def keep_fault(error: OSError, folder: Path, name: str, size: int = 0) -> EditKeepError:
    """Put into words what the file system said about writing a file of `size` bytes."""
    code = _CODES.get(error.errno or 0)
    if code is None:
        code = "edits.folder-gone" if error.errno in _GONE else "edits.disk-error"
    blocked = error.errno in {errno.EEXIST, errno.ENOTDIR}
    said = "a file is in its place" if blocked else error.strerror or str(error)
    return keep_error(code, folder, name, size=size, said=said)


def keep_error(
    code: str, folder: Path, name: str, *, size: int = 0, said: str = ""
) -> EditKeepError:
    """Make the error of the packaged words for a code."""
    words = {
        "folder": clean_line(str(folder), _LONGEST),
        "name": clean_line(name, _LONGEST),
        "said": clean_line(said, _LONGEST),
        "size": format_bytes(size),
        "free": _free(folder) if code == "edits.disk-full" else "",
    }
    entry = _table()[code]
    title, hint = (str(entry[part]).format(**words) for part in ("title", "hint"))
    return EditKeepError(code, title, hint)


def _free(folder: Path) -> str:
    """Give in words what is free where a folder is, or would be."""
    for level in (folder, *folder.parents):
        try:
            facts = os.statvfs(level)
        except OSError:
            continue
        return format_bytes(facts.f_bavail * facts.f_frsize)
    return "an unknown number of bytes"


@cache
def _table() -> dict[str, Any]:
    entries: dict[str, Any] = read_table("keeping.toml")["troubles"]
    return entries
