"""The database door: plans, their events and the timeline, kept on disk or, failing that, here."""

import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from console.clock import Clock
from console.paths import Places
from console.store import trouble
from console.store.opening import (
    Opened,
    begin_anew,
    database_path,
    in_memory,
    open_copy,
    open_database,
)
from console.unknown import Unknown

T = TypeVar("T")


class Store:
    """One connection for all threads of a process, which falls back to memory when it must.

    A write that the disk does not take is done in memory instead, together with the history that
    can still be read; from then on nothing is kept beyond this process, `problem` says why, and
    each write's note goes to stderr.

    Attributes:
        path: where the database lies, or should.
        problem: what an operator must know about it; None while all is well.
        durable: what is written is on the disk and other processes see it.
    """

    def __init__(
        self,
        places: Places,
        clock: Clock,
        report: Callable[[str], None] | None = None,
        *,
        keeps: bool = True,
    ) -> None:
        self.path = database_path(places)
        self._clock = clock
        self._report = report or _on_stderr
        self._lock = threading.RLock()
        self._inode: int | None = None
        self._use(open_database(places, clock.now()) if keeps else open_copy(places))

    def read(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Give the rows that a query finds."""
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                self._recover(error)
            return self._connection.execute(sql, values).fetchall()

    def write(self, work: Callable[[sqlite3.Connection], T], note: str = "") -> T:
        """Do `work` in one transaction.

        Args:
            work: gets the connection; may run twice, where the first try could not be kept.
            note: one masked line for stderr, used where nothing is kept on the disk.
        """
        with self._lock:
            try:
                result = self._transact(work)
            except sqlite3.Error as error:
                self._recover(error)
                result = self._transact(work)
        if note and not self.durable:
            self._report(note)
        return result

    def close(self) -> None:
        """Close the file; the store is of no use after it."""
        with self._lock:
            self._connection.close()

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _recover(self, error: sqlite3.Error) -> None:
        """Go on without the file that failed; errors that are our own are raised again."""
        if not self.durable or not trouble.primary_code(error) or _is_ours(error):
            raise error
        broken = self._connection
        if trouble.is_corrupt(error):
            broken.close()
            self._use(begin_anew(self.path, self._clock.now(), self._inode))
        else:
            self._use(in_memory(trouble.explain(error, self.path), source=broken))
            broken.close()

    def _use(self, opened: Opened) -> None:
        self._connection = opened.connection
        self.durable: bool = opened.durable
        self.problem: Unknown | None = opened.problem
        self._inode = self.path.stat().st_ino if opened.durable else None


def open_store(
    places: Places,
    clock: Clock,
    report: Callable[[str], None] | None = None,
    *,
    keeps: bool = True,
) -> Store:
    """Open the database, or stand in for it in memory; never raises.

    Args:
        places: where it lies: `gpuconsole.db` in the state directory.
        clock: names a damaged file that is put aside.
        report: gets one line for each write that is not kept on the disk; stderr by default.
        keeps: off for who only looks: what is kept is read, and nothing on the disk is touched.
    """
    return Store(places, clock, report, keeps=keeps)


def _is_ours(error: sqlite3.Error) -> bool:
    """Tell a wrong statement or a broken constraint from a file that fails."""
    return isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError) or (
        trouble.primary_code(error) == sqlite3.SQLITE_ERROR
    )


def _on_stderr(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody listens: stderr is closed
        sys.stderr.write(f"gpuconsole: not kept on disk: {line}\n")
        sys.stderr.flush()
