"""How things were when they were last looked at, so that the next look can tell what changed."""

import sqlite3
from datetime import datetime
from typing import Any

from console.store.bodies import pack, unpack
from console.store.database import Store


class Observed:
    """Plain data by name; the names and what they hold belong to the actions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> dict[str, Any] | None:
        """Give what was kept under a name; None where nothing was."""
        rows = self._store.read("SELECT value FROM observed WHERE name = ?", (name,))
        return unpack(rows[0][0]) if rows else None

    def put(self, name: str, value: dict[str, Any], at: datetime) -> None:
        """Keep data under a name, in place of what was there."""
        values = (name, pack(value), at.timestamp())

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO observed VALUES (?, ?, ?)", values)

        self._store.write(work)
