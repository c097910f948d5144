"""Writing an edited compose file with a backup beside it, and putting the backup back."""

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Protocol

from console.compose.faults import ComposeError
from console.compose.project import LARGEST_FILE, read_text
from console.files import read_limited, write_aside
from console.text import clean_line

_ALL_BITS = 0o7777
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


class Edit(Protocol):
    """The whole text of a file before and after."""

    @property
    def before(self) -> str:
        """The text that was read."""
        ...

    @property
    def text(self) -> str:
        """The text to be written."""
        ...


def backup_of(file: Path, plan_id: str) -> Path:
    """Give where the backup of a plan lies: beside the file itself, also where that is a link."""
    real = Path(os.path.realpath(file))
    return real.with_name(f"{real.name}.before-{_NOT_IN_NAMES.sub('_', plan_id)}")


def write_edit(file: Path, edit: Edit, plan_id: str, *, private: bool = False) -> Path:
    """Write an edit, if the file is still as it was read; give the backup's path.

    Mode and owner stay. The backup is written first, with those of the file; `private` lets only
    its owner read it.

    Raises:
        ComposeError: it was changed since (`compose.changed`), or cannot be read or written
            (`compose.cannot-write`); it is as it was then.
    """
    if read_text(file) != edit.before:
        raise _changed(file)
    backup = backup_of(file, plan_id)
    _write(backup, edit.before, like=file, most=0o600 if private else _ALL_BITS)
    _write(file, edit.text, like=file)
    return backup


def restore(file: Path, plan_id: str, written: str = "") -> str:
    """Put back what the file was before a plan edited it, and give the result in words.

    Args:
        file: the compose file.
        plan_id: of the plan that wrote it.
        written: SHA-256 of what it wrote; where it is given and the file is something else by now,
            somebody's work would be lost.

    Raises:
        ComposeError: it was changed since (`compose.changed`), there is no backup
            (`compose.no-backup`), or it cannot be written (`compose.cannot-write`).
    """
    shown = clean_line(str(file), 200)
    backup = backup_of(file, plan_id)
    try:
        before = read_limited(backup, LARGEST_FILE).decode()
    except FileNotFoundError:
        raise ComposeError("compose.no-backup", f"{shown} has no backup of that plan") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ComposeError("compose.no-backup", f"{backup} cannot be read: {error}") from None
    present = read_text(file)
    if present == before:
        return f"{shown} is as it was before"
    if written and hashlib.sha256(present.encode()).hexdigest() != written:
        raise _changed(file)
    _write(file, before, like=file)
    return f"{shown} is put back as it was before"


def _write(file: Path, text: str, *, like: Path, most: int = _ALL_BITS) -> None:
    """Write a file with the owner of another, and of its mode what may be at most."""
    try:
        status = like.stat()
        write_aside(file, text.encode(), stat.S_IMODE(status.st_mode) & most)
        now = file.stat()
        if (now.st_uid, now.st_gid) != (status.st_uid, status.st_gid):
            os.chown(file, status.st_uid, status.st_gid)
    except OSError as error:
        why = error.strerror or str(error)
        title = f"{clean_line(str(file), 200)} cannot be written: {why}"
        raise ComposeError("compose.cannot-write", title) from error


def _changed(file: Path) -> ComposeError:
    return ComposeError(
        "compose.changed",
        f"{clean_line(str(file), 200)} was changed by somebody meanwhile",
        "Look at it, then ask again",
    )
