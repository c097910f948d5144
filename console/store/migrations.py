"""The database's schema, as numbered steps in assets/migrations that run once each, in order."""

import re
import sqlite3
from functools import cache

from console.packaged import packaged

_NAME = re.compile(r"(\d{4})_\w+\.sql")


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Give each migration's number and SQL, in order; the numbers run from 1 without a gap."""
    found = [
        (int(match[1]), entry.read_text("utf-8"))
        for entry in packaged("migrations").iterdir()
        if (match := _NAME.fullmatch(entry.name))
    ]
    return tuple(sorted(found))


def newest_version() -> int:
    """Give the schema version that this program writes."""
    return migrations()[-1][0]


def schema_version(connection: sqlite3.Connection) -> int:
    """Give the schema version of a database; 0 where it is empty."""
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row[0])


def migrate(connection: sqlite3.Connection, upto: int | None = None) -> None:
    """Bring a database to schema `upto` (the newest by default), all or nothing.

    The version is read again inside the transaction, because another process may have migrated
    between our look and our turn.

    Raises:
        sqlite3.Error: it could not be written; the database is as before.
    """
    target = newest_version() if upto is None else upto
    connection.execute("BEGIN IMMEDIATE")
    try:
        present = schema_version(connection)
        for number, script in migrations():
            if present < number <= target:
                for statement in _statements(script):
                    connection.execute(statement)
        if present < target:
            connection.execute(f"PRAGMA user_version = {target:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """Split a script by complete statements; `executescript` would commit in between."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
