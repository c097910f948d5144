"""The history of VRAM in the database: a row for each card and minute, bounded by age."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from console.store.bodies import moment
from console.store.database import Store

KEPT = timedelta(days=14)
MOST_ROWS = 400_000


class VramRow(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of one card.

    Attributes:
        at: when the minute began.
        used: bytes, the mean of what was read; `peak` the most.
        busy: mean of its utilisation in percent; None where it is not told.
    """

    uuid: str
    at: datetime
    used: int
    peak: int
    total: int
    busy: float | None


class VramRecords:
    """The table of minutes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, rows: Sequence[VramRow], now: datetime) -> None:
        """Add minutes, in place of what is there of them; those that are too old go.

        After a clock that was set back there are minutes of the future: they stay until their time
        has come and gone, or newer rows need the room.
        """
        values = [
            (row.uuid, row.at.timestamp(), row.used, row.peak, row.total, row.busy) for row in rows
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR REPLACE INTO vram_history VALUES (?, ?, ?, ?, ?, ?)", values
            )
            oldest = (now - KEPT).timestamp()
            connection.execute("DELETE FROM vram_history WHERE at < ?", (oldest,))
            (count,) = connection.execute("SELECT count(*) FROM vram_history").fetchone()
            if count > MOST_ROWS:
                connection.execute(
                    "DELETE FROM vram_history WHERE at <= (SELECT at FROM vram_history "
                    "ORDER BY at LIMIT 1 OFFSET ?)",
                    (count - MOST_ROWS,),
                )

        if values:
            self._store.write(work)

    def since(self, begin: datetime, uuid: str = "") -> tuple[VramRow, ...]:
        """Give the minutes from a moment on, the oldest first, of one card or of all."""
        found = self._store.read(
            "SELECT uuid, at, used, peak, total, busy FROM vram_history "
            "WHERE at >= ? AND (? = '' OR uuid = ?) ORDER BY at, uuid",
            (begin.timestamp(), uuid, uuid),
        )
        return tuple(
            VramRow(
                uuid=row[0], at=moment(row[1]), used=row[2], peak=row[3], total=row[4], busy=row[5]
            )
            for row in found
        )
