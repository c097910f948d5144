"""Plans and their events in the database: saved before anything is touched, read by followers."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.store.bodies import moment, pack, safe_text, unpack
from console.store.database import Store
from console.store.rows import EventRow, PlanRow

OPEN_STATES = ("queued", "running")
# How a plan may have ended that can be gone on with under its own id.
STOPPED_STATES = ("paused", "needs_token", "interrupted", "failed")
RESUMED = "resumed"
_KEPT_PLANS = 2_000
_GET = """
    SELECT number, id, verb, target, target_id, state, body, created_at, started_at, ended_at,
        runner_pid, cancel_requested_at, undoes, left_behind, pause_requested_at, attempts, boot_id
    FROM plans WHERE id = ?"""
_NEWEST = """
    SELECT number, id, verb, target, target_id, state, body, created_at, started_at, ended_at,
        runner_pid, cancel_requested_at, undoes, left_behind, pause_requested_at, attempts, boot_id
    FROM plans WHERE state IN (SELECT value FROM json_each(?)) ORDER BY number DESC LIMIT ?"""
# What happened before a plan was gone on with under its own id belongs to an earlier attempt.
_EVENTS = """
    SELECT number, plan_id, at, kind, step_id, body
    FROM plan_events WHERE plan_id = :plan AND number > max(:after, coalesce(
        (SELECT max(number) FROM plan_events WHERE plan_id = :plan AND kind = 'resumed'), 0))
    ORDER BY number"""
_OF_KIND = """
    SELECT number, plan_id, at, kind, step_id, body
    FROM plan_events WHERE plan_id = ? AND kind = ? ORDER BY number DESC"""
_REQUEUE = """
    UPDATE plans SET state = 'queued', started_at = NULL, ended_at = NULL, runner_pid = NULL,
        cancel_requested_at = NULL, pause_requested_at = NULL, left_behind = '', boot_id = ?
    WHERE id = ? AND state IN (SELECT value FROM json_each(?))"""
_ADD_EVENT = "INSERT INTO plan_events (plan_id, at, kind, step_id, body) VALUES (?, ?, ?, ?, ?)"
_FORGET_EVENTS = """
    DELETE FROM plan_events WHERE plan_id IN (
        SELECT id FROM plans WHERE state NOT IN ('queued', 'running', 'paused', 'needs_token')
        AND number <= (SELECT max(number) FROM plans) - ?)"""
_FORGET_PLANS = """
    DELETE FROM plans WHERE state NOT IN ('queued', 'running', 'paused', 'needs_token')
    AND number <= (SELECT max(number) FROM plans) - ?"""


class PlanRecords:
    """The tables of plans and of their events; times come in, and go out, aware in UTC."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, plan_id: str, body: dict[str, Any], state: str, at: datetime, boot_id: str = ""
    ) -> None:
        """Save a plan; `body` is the plan as data. Old finished plans beyond 2000 go."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO plans (id, verb, target, target_id, state, body, created_at, undoes, "
                "boot_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    plan_id,
                    str(body.get("verb", "")),
                    safe_text(str(body.get("target", ""))),
                    str(body.get("target_id", "")),
                    state,
                    pack(body),
                    at.timestamp(),
                    str(body.get("undoes", "")),
                    boot_id,
                ),
            )
            _forget_old(connection)

        self._store.write(work)

    def note_process(self, plan_id: str, pid: int) -> None:
        """Note which process was started for a queued plan, before that has begun with it."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE plans SET runner_pid = ? WHERE id = ? AND state = 'queued'", (pid, plan_id)
            )

        self._store.write(work)

    def begin(self, plan_id: str, pid: int, at: datetime) -> bool:
        """Take a queued plan for this process; False where somebody has taken it before.

        It counts as one more attempt at it.
        """

        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE plans SET state = 'running', runner_pid = ?, started_at = ?, "
                "attempts = attempts + 1 "
                "WHERE id = ? AND state = 'queued'",
                (pid, at.timestamp(), plan_id),
            )
            return changed.rowcount == 1

        return self._store.write(work)

    def end(
        self,
        plan_id: str,
        state: str,
        event: tuple[str, dict[str, Any]],
        at: datetime,
        left_behind: dict[str, Any] | None = None,
        note: str = "",
    ) -> bool:
        """Note how a plan ended, with its last event (kind and body), in one transaction.

        Returns:
            False where it had ended before; nothing is written then.
        """

        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE plans SET state = ?, ended_at = ?, left_behind = ? "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (state, at.timestamp(), pack(left_behind) if left_behind else "", plan_id),
            )
            if changed.rowcount != 1:
                return False
            kind, body = event
            connection.execute(_ADD_EVENT, (plan_id, at.timestamp(), kind, "", pack(body)))
            return True

        return self._store.write(work, note=safe_text(note))

    def requeue(self, plan_id: str, body: dict[str, Any], at: datetime, boot_id: str) -> bool:
        """Make a plan that stopped one that waits for its process again, all wishes forgotten.

        Args:
            plan_id: of the plan.
            body: of the event `resumed`, after which its events count.
            at: now.
            boot_id: of the host as it runs now.

        Returns:
            False where it had not stopped, or somebody else was faster.
        """

        def work(connection: sqlite3.Connection) -> bool:
            states = json.dumps(STOPPED_STATES)
            if connection.execute(_REQUEUE, (boot_id, plan_id, states)).rowcount != 1:
                return False
            connection.execute(_ADD_EVENT, (plan_id, at.timestamp(), RESUMED, "", pack(body)))
            return True

        return self._store.write(work)

    def give_up(self, plan_id: str, event: tuple[str, dict[str, Any]], at: datetime) -> bool:
        """Note with its last event that a plan which had stopped is not gone on with any more.

        Returns:
            False where it had not stopped, or somebody else was faster.
        """

        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE plans SET state = 'cancelled', ended_at = ? "
                "WHERE id = ? AND state IN (SELECT value FROM json_each(?))",
                (at.timestamp(), plan_id, json.dumps(STOPPED_STATES)),
            )
            if changed.rowcount != 1:
                return False
            kind, body = event
            # A plan has one end: that it had stopped before is no news any more.
            connection.execute(
                "DELETE FROM plan_events WHERE plan_id = ? AND kind = ?", (plan_id, kind)
            )
            connection.execute(_ADD_EVENT, (plan_id, at.timestamp(), kind, "", pack(body)))
            return True

        return self._store.write(work)

    def request_cancel(self, plan_id: str, at: datetime) -> bool:
        """Ask whoever runs a plan to cancel it; False where it is not under way."""
        return self._request("cancel_requested_at", plan_id, at)

    def request_pause(self, plan_id: str, at: datetime) -> bool:
        """Ask whoever runs a plan to pause it; False where it is not under way."""
        return self._request("pause_requested_at", plan_id, at)

    def _request(self, column: str, plan_id: str, at: datetime) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                f"UPDATE plans SET {column} = coalesce({column}, ?) "  # noqa: S608 -- a name of ours
                "WHERE id = ? AND state IN ('queued', 'running')",
                (at.timestamp(), plan_id),
            )
            return changed.rowcount == 1

        return self._store.write(work)

    def wished(self, plan_id: str) -> str:
        """Tell what somebody asked for: `cancel`, which outweighs `pause`; empty for nothing."""
        rows = self._store.read(
            "SELECT cancel_requested_at, pause_requested_at FROM plans WHERE id = ?", (plan_id,)
        )
        if not rows:
            return ""
        cancel, pause = rows[0]
        return "cancel" if cancel is not None else "pause" if pause is not None else ""

    def get(self, plan_id: str) -> PlanRow | None:
        """Give a plan by its id."""
        rows = self._store.read(_GET, (plan_id,))
        return _plan(rows[0]) if rows else None

    def newest(self, states: Sequence[str], limit: int = 100) -> tuple[PlanRow, ...]:
        """Give the newest plans in any of `states`, newest first."""
        rows = self._store.read(_NEWEST, (json.dumps(list(states)), limit))
        return tuple(_plan(row) for row in rows)

    def add_event(
        self, plan_id: str, kind: str, step_id: str, body: dict[str, Any], at: datetime
    ) -> None:
        """Journal one event; of a step's progress only the last is kept."""

        def work(connection: sqlite3.Connection) -> None:
            if kind == "step_progress":
                connection.execute(
                    "DELETE FROM plan_events WHERE plan_id = ? AND kind = ? AND step_id = ?",
                    (plan_id, kind, step_id),
                )
            connection.execute(_ADD_EVENT, (plan_id, at.timestamp(), kind, step_id, pack(body)))

        self._store.write(work)

    def events(self, plan_id: str, after: int = 0) -> tuple[EventRow, ...]:
        """Give the events of a plan's newest attempt numbered above `after`, oldest first."""
        rows = self._store.read(_EVENTS, {"plan": plan_id, "after": after})
        return tuple(_event(row) for row in rows)

    def events_of_kind(self, plan_id: str, kind: str) -> tuple[EventRow, ...]:
        """Give a plan's events of one kind, of all its attempts, newest first."""
        return tuple(_event(row) for row in self._store.read(_OF_KIND, (plan_id, kind)))


def _event(row: tuple[Any, ...]) -> EventRow:
    return EventRow(
        number=row[0],
        plan_id=row[1],
        at=moment(row[2]),
        kind=row[3],
        step_id=row[4],
        body=unpack(row[5]),
    )


def _plan(row: tuple[Any, ...]) -> PlanRow:
    return PlanRow(
        number=row[0],
        id=row[1],
        verb=row[2],
        target=row[3],
        target_id=row[4],
        state=row[5],
        body=unpack(row[6]),
        created_at=moment(row[7]),
        started_at=None if row[8] is None else moment(row[8]),
        ended_at=None if row[9] is None else moment(row[9]),
        runner_pid=row[10],
        cancel_requested=row[11] is not None,
        undoes=row[12],
        left_behind=unpack(row[13]),
        pause_requested=row[14] is not None,
        attempts=row[15],
        boot_id=row[16],
    )


def _forget_old(connection: sqlite3.Connection) -> None:
    """Keep the newest plans; those still under way stay, however old."""
    connection.execute(_FORGET_EVENTS, (_KEPT_PLANS,))
    connection.execute(_FORGET_PLANS, (_KEPT_PLANS,))
