"""The plans without an end of their own that have not ended for good, in one query."""

from typing import Any

import msgspec

from console.store.bodies import unpack
from console.store.database import Store

_MOST = 20
# Their last words with figures, of whatever attempt; a body that is no JSON is somebody's edit.
_OPEN = """
    SELECT id, target, state, (
        SELECT body FROM plan_events AS e WHERE e.plan_id = plans.id AND e.kind = 'step_progress'
        ORDER BY json_valid(e.body) AND (json_extract(e.body, '$.transfer') IS NOT NULL
            OR json_extract(e.body, '$.edit') IS NOT NULL) DESC,
            e.number DESC LIMIT 1)
    FROM plans
    WHERE state IN ('queued', 'running', 'paused', 'interrupted', 'needs_token')
        AND json_valid(body) AND json_extract(body, '$.endless')
        AND (coalesce(json_extract(body, '$.subject'), '') = 'edits') = ?
    ORDER BY number DESC LIMIT ?"""


class OpenDownload(msgspec.Struct, frozen=True, kw_only=True):
    """One such plan: its id, target, state, and the body of its last progress (may be empty)."""

    id: str
    target: str
    state: str
    told: dict[str, Any]


def read_open_downloads(store: Store) -> tuple[OpenDownload, ...]:
    """Give the newest 20 that fetch something, newest first."""
    return _open(store, edits=False)


def read_open_edits(store: Store) -> tuple[OpenDownload, ...]:
    """Give the newest 20 that make pictures, newest first."""
    return _open(store, edits=True)


def _open(store: Store, *, edits: bool) -> tuple[OpenDownload, ...]:
    return tuple(
        OpenDownload(id=row[0], target=row[1], state=row[2], told=unpack(row[3] or ""))
        for row in store.read(_OPEN, (edits, _MOST))
    )
