"""What happened on the host, newest first: who asked for what, and how it ended."""

from datetime import datetime

import msgspec

from actions.session import Session
from console.store.rows import TimelineRow
from console.store.timeline import TimelineRecords


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    Attributes:
        kind: `plan` for what an operator did.
        user: who asked; `ssh_origin` is where from (empty if local), `via` through what.
        outcome: `running`, `done`, `failed`, `refused`, `stale` or `interrupted`; of a download
            also `paused`, `needs_token` or `cancelled`.
        text: the result in words.
        duration_seconds: None while it runs and where it never began.
        undoes: id of the plan it took back, or empty.
        endless: it has no end of its own, such as a download, and goes on under its own id.
    """

    at: datetime
    kind: str
    plan_id: str | None
    verb: str
    target: str
    target_id: str
    command: str
    user: str
    ssh_origin: str
    via: str
    outcome: str
    text: str
    duration_seconds: float | None
    undoes: str
    endless: bool = False


def read_timeline(
    session: Session, limit: int, since: datetime | None = None, container: str = ""
) -> tuple[TimelineEntry, ...]:
    """Give the newest entries first, of one container where its name or id is given."""
    rows = TimelineRecords(session.store).newest(limit, since, container)
    return tuple(_entry(row) for row in rows)


def _entry(row: TimelineRow) -> TimelineEntry:
    duration = row.body.get("duration_seconds")
    texts = {
        name: str(row.body.get(name, ""))
        for name in ("verb", "command", "user", "ssh_origin", "via", "outcome", "text", "undoes")
    }
    return TimelineEntry(
        at=row.at,
        kind=row.kind,
        plan_id=row.plan_id,
        target=row.subject,
        target_id=row.subject_id,
        duration_seconds=float(duration) if isinstance(duration, int | float) else None,
        endless=row.body.get("endless") is True,
        **texts,
    )
