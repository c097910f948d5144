"""The timeline in the database: what happened on the host, bounded, newest first."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from console.store.bodies import moment, pack, safe_text, unpack
from console.store.database import Store
from console.store.rows import Happening, TimelineRow

KEPT_ENTRIES = 50_000
KEPT_HAPPENINGS = 20_000
SAME_SECONDS = 600.0
"""What happens again within this long, for the fourth time, adds to its row."""
_APART = 3
_TIDY_EVERY = 64
_NEWEST = """
    SELECT number, at, kind, subject, subject_id, plan_id, body, until, count FROM timeline
    WHERE coalesce(until, at) >= :since
        AND (:subject = '' OR subject = :subject
            OR substr(subject_id, 1, length(:subject)) = :subject)
        AND (:kinds = '' OR instr(:kinds, ' ' || kind || ' '))
    ORDER BY coalesce(until, at) DESC, number DESC LIMIT :limit"""
_KNOWN = "SELECT 1 FROM timeline WHERE key = ? AND (at = ? OR until = ?) LIMIT 1"
_KNOWN_WITHIN = "SELECT 1 FROM timeline WHERE key = ? AND at <= ? AND coalesce(until, at) >= ?"
_ALIKE = """
    SELECT number, count FROM timeline WHERE key = ? AND coalesce(until, at) BETWEEN ? AND ?
    ORDER BY number DESC LIMIT ?"""
_DROP = """
    DELETE FROM timeline WHERE (kind = 'plan') = :plans AND number <= (
        SELECT number FROM timeline WHERE (kind = 'plan') = :plans
        ORDER BY number DESC LIMIT 1 OFFSET :keep)"""


class TimelineRecords:
    """The table of what happened; plans and all else are bounded each on its own.

    Args:
        store: the database.
        keep: how many plans stay.
        keep_happenings: how many of all else stay, give or take a few.
    """

    def __init__(
        self, store: Store, keep: int = KEPT_ENTRIES, keep_happenings: int = KEPT_HAPPENINGS
    ) -> None:
        self._store = store
        self._keep = keep
        self._keep_happenings = keep_happenings

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
            connection.execute(_DROP, {"plans": 1, "keep": self._keep})

        self._store.write(work, note=safe_text(note))

    def happen(
        self, happenings: Sequence[Happening], *, told_again: bool = False
    ) -> tuple[Happening, ...]:
        """Add what happened, all or none; what is known by its key and time is left out.

        What happens again and again, such as the ends of a crash loop, adds to the newest row of
        its key.

        Args:
            happenings: the oldest first.
            told_again: they come from a memory that was told before, perhaps to another process:
                what lies within the time of a row of the same key is that row's.

        Returns:
            Those that were new.
        """

        def work(connection: sqlite3.Connection) -> tuple[Happening, ...]:
            return tuple(one for one in happenings if self._add(connection, one, told_again))

        return self._store.write(work) if happenings else ()

    def _add(self, connection: sqlite3.Connection, one: Happening, told_again: bool) -> bool:
        at, key = one.at.timestamp(), safe_text(one.key)
        if key:
            known = _KNOWN_WITHIN if told_again else _KNOWN
            if connection.execute(known, (key, at, at)).fetchone():
                return False
            alike = connection.execute(_ALIKE, (key, at - SAME_SECONDS, at, _APART)).fetchall()
            if len(alike) == _APART or (alike and alike[0][1] > 1):
                connection.execute(
                    "UPDATE timeline SET until = ?, count = count + 1, body = ? WHERE number = ?",
                    (at, pack(one.body), alike[0][0]),
                )
                return True
        number = connection.execute(
            "INSERT INTO timeline (at, kind, subject, subject_id, body, key) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (at, one.kind, safe_text(one.subject), one.subject_id, pack(one.body), key),
        ).lastrowid
        if (number or 0) % _TIDY_EVERY == 0:
            connection.execute(_DROP, {"plans": 0, "keep": self._keep_happenings})
        return True

    def newest(
        self,
        limit: int,
        since: datetime | None = None,
        subject: str = "",
        kinds: Collection[str] = (),
    ) -> tuple[TimelineRow, ...]:
        """Give the newest entries first.

        Args:
            limit: how many at most.
            since: only those that happened, the last time, at or after this.
            subject: only those about this name, or about an id that begins so.
            kinds: only these; none is all.
        """
        begin = 0.0 if since is None else since.timestamp()
        wanted = f" {' '.join(kinds)} " if kinds else ""
        values = {"since": begin, "subject": subject, "limit": limit, "kinds": wanted}
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
                until=None if row[7] is None else moment(row[7]),
                count=row[8],
            )
            for row in rows
        )
