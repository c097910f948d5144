"""What the store keeps, as plain rows; the meaning of the bodies belongs to the actions."""

from datetime import datetime
from typing import Any

import msgspec


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One plan as journalled.

    Attributes:
        number: order of arrival.
        state: `queued`, `running`, `done`, `failed`, `refused`, `stale` or `interrupted`; of a
            download also `paused`, `needs_token` or `cancelled`.
        body: the whole plan as data.
        runner_pid: process that runs it, or was started to; None while there is none.
        cancel_requested: somebody asked to cancel it.
        undoes: id of the plan that this one takes back, or empty.
        left_behind: facts of the target as the plan left it; empty while it has not.
        pause_requested: somebody asked to pause it.
        attempts: how often a process began with it.
        boot_id: of the host when it was queued; empty where that is not known.
    """

    number: int
    id: str
    verb: str
    target: str
    target_id: str
    state: str
    body: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    runner_pid: int | None
    cancel_requested: bool
    undoes: str
    left_behind: dict[str, Any]
    pause_requested: bool
    attempts: int
    boot_id: str


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a plan; `number` grows, so that a follower knows where it was."""

    number: int
    plan_id: str
    at: datetime
    kind: str
    step_id: str
    body: dict[str, Any]


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the host, on its way to the timeline.

    Attributes:
        at: when; with `key` it tells whether it is known already.
        kind: `container`, `config`, `image`, `driver`, `host`, `models`, `alert` or `watch`.
        key: names what is the same when it happens again, with its subject; empty for what is
            written as it comes.
    """

    at: datetime
    kind: str
    subject: str
    body: dict[str, Any]
    subject_id: str = ""
    key: str = ""


class TimelineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened; `plan_id` is None where it was no plan of ours.

    Attributes:
        until: when it happened last, where the row stands for several.
        count: how many it stands for.
    """

    number: int
    at: datetime
    kind: str
    subject: str
    subject_id: str
    plan_id: str | None
    body: dict[str, Any]
    until: datetime | None = None
    count: int = 1
