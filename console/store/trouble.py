"""Why a database cannot be used, told from SQLite's error codes in words for people."""

import os
import sqlite3
from pathlib import Path

from console.unknown import Unknown

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MAY_BE_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_HINT = "What is done from here is journalled in memory and on stderr only"
_WORDS = {
    sqlite3.SQLITE_FULL: ("store.full", "the disk is full"),
    sqlite3.SQLITE_IOERR: ("store.input-output", "the disk does not take or give data"),
    sqlite3.SQLITE_READONLY: ("store.read-only", "it cannot be written"),
    sqlite3.SQLITE_BUSY: ("store.locked", "another program keeps it locked"),
    sqlite3.SQLITE_LOCKED: ("store.locked", "another program keeps it locked"),
    sqlite3.SQLITE_PERM: ("store.permission", "it may not be opened"),
    sqlite3.SQLITE_AUTH: ("store.permission", "it may not be opened"),
    sqlite3.SQLITE_CANTOPEN: ("store.cannot-open", "it cannot be opened"),
}


def primary_code(error: BaseException) -> int:
    """Give SQLite's primary result code of an error; 0 where it carries none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_corrupt(error: BaseException) -> bool:
    """Tell whether the file itself is damaged or no database at all."""
    return primary_code(error) in _CORRUPT


def explain(error: BaseException, path: Path) -> Unknown:
    """Say why the database at `path` is not used."""
    number = primary_code(error)
    # On a full disk SQLite's shared memory cannot grow either, which it calls an I/O error.
    if number in _MAY_BE_FULL and _is_full(path):
        number = sqlite3.SQLITE_FULL
    code, words = _WORDS.get(number, ("store.failed", str(error)))
    return Unknown(code, f"the journal {path} is not kept: {words}", _HINT)


def _is_full(path: Path) -> bool:
    """Tell whether the file system has no room for this user."""
    try:
        return os.statvfs(path.parent).f_bavail == 0
    except OSError:
        return False


def not_private(path: Path, reason: Unknown) -> Unknown:
    """Say that the directory of the database cannot be used."""
    return Unknown("store.no-directory", f"the journal {path} is not kept: {reason.title}", _HINT)


def read_only(path: Path) -> Unknown:
    """Say that the database can be read and not written."""
    return Unknown("store.read-only", f"the journal {path} is not kept: it is read-only", _HINT)


def newer(path: Path, found: int, ours: int) -> Unknown:
    """Say that a newer program wrote the database."""
    return Unknown(
        "store.newer-schema",
        f"the journal {path} is of a newer gpuconsole (schema {found}, ours is {ours}): "
        "opened read-only",
        f"Update gpuconsole. {_HINT}",
    )


def set_aside(path: Path, kept: Path) -> Unknown:
    """Say that a damaged database was put away and a fresh one begun."""
    return Unknown(
        "store.corrupt",
        f"the journal was damaged and begins anew; the old file is {kept.name}",
        f"Look into {kept}, delete it when it is of no use: {path.name} is a new file",
    )
