"""Opening the database file, or a memory of what can still be read of it."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from console.paths import Places, ensure_private_dir
from console.store import trouble
from console.store.migrations import migrate, newest_version, schema_version
from console.unknown import Unknown

_BUSY_SECONDS = 1.0
_SETTING_UP_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.02
_REMEMBERED_ROWS = 5_000
_TABLES = ("plans", "plan_events", "timeline")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that works, and what is wrong with it.

    Attributes:
        durable: what is written is on the disk and other processes see it.
        problem: why it is not durable, or that history was lost; None where all is well.
    """

    connection: sqlite3.Connection
    durable: bool
    problem: Unknown | None = None


def database_path(places: Places) -> Path:
    """Give where the database lies."""
    return places.state_dir / "gpuconsole.db"


def open_database(places: Places, now: datetime) -> Opened:
    """Open the database for writing, else remember in memory what it holds; never fails."""
    path = database_path(places)
    reason = ensure_private_dir(places.state_dir)
    if reason is not None:
        return in_memory(trouble.not_private(path, reason), remembering=path)
    try:
        return _open_file(path)
    except (sqlite3.Error, OSError) as error:
        if trouble.is_corrupt(error):
            return begin_anew(path, now)
        return in_memory(trouble.explain(error, path), remembering=path)


def open_copy(places: Places) -> Opened:
    """Open a copy in memory of what is kept: all of it can be read, and the disk stays as it is."""
    path = database_path(places)
    memory = _new_memory()
    try:
        with _reading(path) as old:
            if schema_version(old) > newest_version():
                return in_memory(trouble.newer(path, schema_version(old), newest_version()), path)
            old.backup(memory)
        migrate(memory)
    except (sqlite3.Error, OSError):  # there is none yet, or none that can be read
        memory.close()
        memory = _new_memory()
        migrate(memory)
    return Opened(connection=memory, durable=False)


def begin_anew(path: Path, now: datetime, broken_inode: int | None = None) -> Opened:
    """Put a damaged database aside under a name of its own and open a fresh one.

    Two processes that find the damage together agree by a lock: the second finds the fresh file of
    the first and uses it.

    Args:
        path: where the database lies.
        now: names the file put aside.
        broken_inode: the file known to be damaged, where it had been open.
    """
    try:
        with _alone(path.with_name("gpuconsole.db.repair")):
            opened = _reopen(path, broken_inode)
            if opened is not None:
                return opened
            kept = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%SZ}-{os.getpid()}")
            path.rename(kept)
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
            opened = _open_file(path)
    except (sqlite3.Error, OSError) as error:
        return in_memory(trouble.explain(error, path))
    return msgspec.structs.replace(opened, problem=trouble.set_aside(path, kept))


def in_memory(
    problem: Unknown, remembering: Path | None = None, source: sqlite3.Connection | None = None
) -> Opened:
    """Open a database in memory that begins with the newest history that can be read."""
    memory = _new_memory()
    migrate(memory)
    if source is not None:
        _copy_history(source, memory)
    elif remembering is not None:
        with contextlib.suppress(sqlite3.Error, OSError), _reading(remembering) as old:
            _copy_history(old, memory)
    return Opened(connection=memory, durable=False, problem=problem)


def _new_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _open_file(path: Path) -> Opened:
    """Open the file for writing and bring its schema up to date."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    elif not os.access(path, os.W_OK):
        return in_memory(trouble.read_only(path), remembering=path)
    elif path.stat().st_mode & 0o077:
        path.chmod(0o600)
    connection = _connect(path, "rw")
    try:
        present = schema_version(connection)
        if present > newest_version():
            connection.close()
            return in_memory(trouble.newer(path, present, newest_version()), remembering=path)
        if present < newest_version():
            # SQLite does not wait its turn for the change to WAL, so consoles that start together
            # on a new host take turns here.
            with _alone(path.with_name("gpuconsole.db.setup")):
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        # WAL with NORMAL keeps all that was written when a process is killed; only a power cut
        # can take the last moments, and costs no sync for each journalled step.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return Opened(connection=connection, durable=True)


def _reopen(path: Path, broken_inode: int | None) -> Opened | None:
    """Give the database if it is sound after all: another process may have replaced it."""
    if not path.exists():
        return _open_file(path)
    if path.stat().st_ino == broken_inode:
        return None
    try:
        opened = _open_file(path)
    except sqlite3.DatabaseError:
        return None
    verdict = opened.connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict == ("ok",):
        return opened
    opened.connection.close()
    return None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect to a file; one connection is shared by threads behind the store's own lock."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an existing file for reading, also on a file system where nothing can be written."""
    if not path.exists():
        raise FileNotFoundError(path)
    # Where nobody writes there is no log beside it, and none is to be made.
    in_use = path.with_name(f"{path.name}-wal").exists()
    connection = _connect(path, "ro" if in_use else "ro&immutable=1")
    try:
        schema_version(connection)
    except sqlite3.OperationalError:
        # WAL needs a file of shared memory beside it, which a read-only place cannot give.
        connection.close()
        connection = _connect(path, "ro&immutable=1")
    try:
        yield connection
    finally:
        connection.close()


def _copy_history(source: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    """Copy the newest rows of every table as far as both schemas agree on the columns."""
    for table in _TABLES:
        # History is a courtesy here: a table that cannot be read is left out, the rest is shown.
        with contextlib.suppress(sqlite3.Error):
            ours, theirs = _columns(memory, table), set(_columns(source, table))
            names = ", ".join(name for name in ours if name in theirs)
            marks = ", ".join("?" for name in ours if name in theirs)
            rows = source.execute(
                f"SELECT {names} FROM {table} ORDER BY number DESC LIMIT ?",  # noqa: S608
                (_REMEMBERED_ROWS,),
            ).fetchall()
            memory.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                rows,
            )


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Give the names of a table's columns."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock among the processes of this user while the file is set up or replaced.

    Raises:
        BlockingIOError: another process holds it for longer than that can take (it was stopped).
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    for _ in range(int(_SETTING_UP_SECONDS / _LOOK_AGAIN_SECONDS)):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOOK_AGAIN_SECONDS)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
