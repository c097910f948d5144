"""What is known of model files, in the database: their hash and what their header told."""

import os
import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from console.store.database import Store

_COLUMNS = "path, device, inode, size, mtime_ns, facts, sha256, hashed_at"
_SIGN = 1 << 63


class ModelFileRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of a file while the file system said these figures of it.

    Attributes:
        path: as the file system has it; may hold bytes that are no UTF-8, as `os.fsdecode` gives
            them.
        facts: what its header told, as text of whoever wrote it; may be empty.
        sha256: may be empty.
        hashed_at: seconds since 1970; None where there is no hash.
    """

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    facts: str = ""
    sha256: str = ""
    hashed_at: float | None = None


class ModelFileRecords:
    """The table of model files."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, path: str) -> ModelFileRow | None:
        """Give what is known of a path; None where nothing is."""
        found = self._find("path = ?", _key(path))
        return found[0] if found else None

    def all(self) -> tuple[ModelFileRow, ...]:
        """Give everything that is known, in no order."""
        return self._find("1")

    def of_inode(self, device: int, inode: int) -> tuple[ModelFileRow, ...]:
        """Give what is known of the names of one file."""
        return self._find("device = ? AND inode = ?", _signed(device), _signed(inode))

    def with_hash(self, sha256: str) -> tuple[ModelFileRow, ...]:
        """Give the files that had a hash when they were looked at."""
        return self._find("sha256 = ? AND sha256 <> ''", sha256)

    def put(self, rows: Iterable[ModelFileRow]) -> None:
        """Put rows in place of what was known of their paths, all or none."""
        values = [
            (
                _key(row.path),
                _signed(row.device),
                _signed(row.inode),
                row.size,
                row.mtime_ns,
                row.facts,
                row.sha256,
                row.hashed_at,
            )
            for row in rows
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                f"INSERT OR REPLACE INTO model_files ({_COLUMNS}) "  # noqa: S608 -- our own words
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )

        if values:
            self._store.write(work)

    def forget(self, paths: Iterable[str]) -> None:
        """Forget what was known of paths."""
        keys = [(_key(path),) for path in paths]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM model_files WHERE path = ?", keys)

        if keys:
            self._store.write(work)

    def _find(self, condition: str, *values: Any) -> tuple[ModelFileRow, ...]:
        sql = f"SELECT {_COLUMNS} FROM model_files WHERE {condition}"  # noqa: S608 -- our own words
        return tuple(_row(found) for found in self._store.read(sql, values))


def _row(found: tuple[Any, ...]) -> ModelFileRow:
    path, device, inode, size, mtime_ns, facts, sha256, hashed_at = found
    return ModelFileRow(
        path=os.fsdecode(path) if isinstance(path, bytes) else path,
        device=device % (1 << 64),
        inode=inode % (1 << 64),
        size=size,
        mtime_ns=mtime_ns,
        facts=facts,
        sha256=sha256,
        hashed_at=hashed_at,
    )


def _key(path: str) -> str | bytes:
    """Give a path as the database can hold it: bytes where it is no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _signed(number: int) -> int:
    """Fold a number of the file system, which may use all 64 bits, into what SQLite can hold."""
    return number - (1 << 64) if number >= _SIGN else number
