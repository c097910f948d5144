"""What happened on the host, newest first: who asked for what, and how it ended."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from actions.session import Session
from console.store.rows import TimelineRow
from console.store.timeline import TimelineRecords


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    Attributes:
        kind: `plan` for what an operator did; `container`, `config`, `image`, `driver`, `host`,
            `models`, `alert` or `watch` for what happened to the host.
        verb: the plan's; of a happening what it was, such as `die` or the alert's id.
        user: who asked; `ssh_origin` is where from (empty if local), `via` through what.
        outcome: `running`, `done`, `failed`, `refused`, `stale` or `interrupted`; of a download
            also `paused`, `needs_token` or `cancelled`. Of a happening how serious it is: `error`,
            `warning`, `info` or `ok`.
        text: the result in words.
        duration_seconds: None while it runs and where it never began.
        undoes: id of the plan it took back, or empty.
        endless: it has no end of its own, such as a download, and goes on under its own id.
        until: when it happened last, where the entry stands for several of the same.
        count: how many it stands for.
        facts: what else is known of a happening, such as `exit_code`, as plain data.
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
    until: datetime | None = None
    count: int = 1
    facts: dict[str, Any] = {}


PLAN = "plan"
HAPPENINGS = ("container", "config", "image", "driver", "host", "models", "alert", "watch")
KINDS = (PLAN, *HAPPENINGS)


def read_timeline(
    session: Session,
    limit: int,
    since: datetime | None = None,
    container: str = "",
    *,
    kinds: Collection[str] = (),
    plans: int = 0,
) -> tuple[TimelineEntry, ...]:
    """Give the newest entries first, of one container where its name or id is given.

    Args:
        session: whose timeline it is.
        limit: how many at most.
        since: only those whose last happening is at or after this.
        container: a name, or the beginning of an id.
        kinds: only these; none is all.
        plans: so many plans at least, be they older than all else that fits in `limit`: what an
            operator did is not to drown in what containers do.
    """
    records = TimelineRecords(session.store)
    rows = records.newest(limit, since, container, kinds)
    if plans and len(rows) == limit and (not kinds or PLAN in kinds):
        there = {row.number for row in rows}
        older = records.newest(plans, since, container, (PLAN,))
        rows = (*rows, *(row for row in older if row.number not in there))
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
        until=row.until,
        count=row.count,
        facts=facts if isinstance(facts := row.body.get("facts"), dict) else {},
        **texts,
    )
