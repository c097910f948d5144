"""The timeline in the database: what happened on the host, bounded, newest first."""

import sqlite3
from datetime import datetime
from typing import Any

from console.store.bodies import moment, pack, safe_text, unpack
from console.store.database import Store
from console.store.rows import TimelineRow

KEPT_ENTRIES = 50_000
_NEWEST = """
    SELECT number, at, kind, subject, subject_id, plan_id, body FROM timeline
    WHERE at >= :since
        AND (:subject = '' OR subject = :subject
            OR substr(subject_id, 1, length(:subject)) = :subject)
    ORDER BY number DESC LIMIT :limit"""


class TimelineRecords:
    """The table of what happened; `keep` bounds how many entries stay."""

    def __init__(self, store: Store, keep: int = KEPT_ENTRIES) -> None:
        self._store = store
        self._keep = keep

    def put(
        self,
        *,
        at: datetime,
        kind: str,
        subject: str,
        body: dict[str, Any],
        subject_id: str = "",
        plan_id: str | None = None,
        note: str = "",
    ) -> None:
        """Add an entry; a plan has one, which a later call with its id brings up to date."""
        values = (
            at.timestamp(),
            kind,
            safe_text(subject),
            subject_id,
            plan_id,
            pack(body),
        )

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO timeline (at, kind, subject, subject_id, plan_id, body) "
                "VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (plan_id) DO UPDATE SET body = excluded.body",
                values,
            )
            connection.execute(
                "DELETE FROM timeline WHERE number <= (SELECT max(number) FROM timeline) - ?",
                (self._keep,),
            )

        self._store.write(work, note=safe_text(note))

    def newest(
        self, limit: int, since: datetime | None = None, subject: str = ""
    ) -> tuple[TimelineRow, ...]:
        """Give the newest entries first.

        Args:
            limit: how many at most.
            since: only those at or after this time.
            subject: only those about this name, or about an id that begins so.
        """
        begin = 0.0 if since is None else since.timestamp()
        values = {"since": begin, "subject": subject, "limit": limit}
        rows = self._store.read(_NEWEST, values)
        return tuple(
            TimelineRow(
                number=row[0],
                at=moment(row[1]),
                kind=row[2],
                subject=row[3],
                subject_id=row[4],
                plan_id=row[5],
                body=unpack(row[6]),
            )
            for row in rows
        )
