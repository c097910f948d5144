"""Jobs: what is under way in any console of this user, and what was left in the middle."""

from datetime import datetime

import msgspec

from actions.edit_now import EditNow
from actions.follow import Follower
from actions.journal import Journal
from actions.plan import Plan, PlanDone, PlanFailed
from actions.session import Session
from actions.transfer import FileTransfer, Transfer
from actions.undo import row_of, settled
from actions.verbs import SHELL
from console.errors import UsageError
from console.store.downloads import read_open_downloads, read_open_edits
from console.store.plans import OPEN_STATES, STOPPED_STATES
from console.store.rows import PlanRow

_ENDED = ("done", "failed", "interrupted", "paused", "needs_token", "cancelled")
_CAME_TO = frozenset({"fetched", "linked", "kept"})
_LOOKED_AT = 200


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Something that takes its time and survives the console that began it.

    Attributes:
        id: what `jobs watch` and its sisters are given.
        kind: `plan`; `download` for one without an end of its own, `edit` for one that makes
            pictures: an edit, a comparison, a load run.
        verb, target, subject: what is done to what; `subject` is `container`, `service`, `layout`,
            `models` or `edits`.
        state: `queued`, `running`, `going-back`, `interrupted`, or how it ended: `done`, `failed`.
            A download or an edit may also be `cancelled`, a download `paused` or `needs_token`.
        step, steps: where it is or got to, from 1; 0 before the first.
        title: of that step; empty before the first.
        text: what it last told, or how it ended.
        hint: what to do about that end; may be empty.
        since: when it began; None while it waits for its process.
        longest_seconds: how long it may take; means nothing for a download.
        pid: of its process, while it is under way.
        undoes, continues: ids of the plan that it takes back, or goes on with; may be empty.
        can: what may be done about it now: `watch`, `pause`, `resume`, `cancel`, `back`.
        attempts: how many processes began with it.
        bytes_done, bytes_total: of a download; None before they are known, and of other jobs.
        rate_bytes_per_second, eta_seconds: None where they cannot be told, and while it stands.
        resumed_from_bytes: what its newest attempt found fetched already.
        fetched_bytes: over the network in that attempt.
        files: how each file stands.
        edit: of an edit or several, how it goes; None before the first word.
    """

    id: str
    kind: str = "plan"
    verb: str
    target: str
    subject: str
    state: str
    step: int
    steps: int
    title: str = ""
    text: str = ""
    hint: str = ""
    created_at: datetime
    since: datetime | None
    ended_at: datetime | None = None
    longest_seconds: float
    pid: int | None = None
    cancel_requested: bool = False
    went_back: str = ""
    undoes: str = ""
    continues: str = ""
    can: tuple[str, ...] = ()
    pause_requested: bool = False
    attempts: int = 0
    bytes_done: int | None = None
    bytes_total: int | None = None
    rate_bytes_per_second: float | None = None
    eta_seconds: float | None = None
    resumed_from_bytes: int = 0
    fetched_bytes: int = 0
    files: tuple[FileTransfer, ...] = ()
    edit: EditNow | None = None


def read_jobs(session: Session, *, everything: bool = False) -> tuple[Job, ...]:
    """Give the jobs under way and those left in the middle, newest first.

    One left in the middle is told until it is gone on with or taken back, or until a newer one of
    the same target ends well. A process that died is noticed here.

    Args:
        session: whose journal is read.
        everything: also those that have ended in whatever way.
    """
    journal = Journal(session)
    follower = Follower(session, journal)
    for row in journal.under_way():
        follower.bury_if_dead(row.id)
    rows = _looked_at(journal)
    passed = settled(rows)
    newer_done = set[str]()
    found = []
    for row in rows:
        job = None if row.verb == SHELL else _job(journal, row, row.id in passed)
        if job is None:
            continue
        standing = _in_the_middle(job) and row.target_id not in newer_done
        if row.state in OPEN_STATES or everything or standing:
            found.append(job)
        if row.state == "done":
            newer_done.add(row.target_id)
    return tuple(found)


def _looked_at(journal: Journal) -> tuple[PlanRow, ...]:
    """Give the newest rows, and those of downloads that wait, however old, newest first."""
    newest = journal.plans.newest((*OPEN_STATES, *_ENDED), limit=_LOOKED_AT)
    seen = {row.id for row in newest}
    left = (*read_open_downloads(journal.store), *read_open_edits(journal.store))
    waiting = (one.id for one in left if one.id not in seen)
    older = (journal.plans.get(plan_id) for plan_id in waiting)
    return (*newest, *(row for row in older if row is not None))


def read_job(session: Session, plan_id: str) -> Job:
    """Give one job by its id, the only beginning of one, or `last`.

    Raises:
        UsageError: there is no such job, or more than one.
    """
    journal = Journal(session)
    row = row_of(journal, plan_id)
    if Follower(session, journal).bury_if_dead(row.id):
        row = row_of(journal, row.id)
    passed = settled(journal.plans.newest((*OPEN_STATES, *_ENDED), limit=_LOOKED_AT))
    job = _job(journal, row, row.id in passed)
    if job is None:
        raise UsageError("plan.unknown", f"The plan {row.id} cannot be read in the journal")
    return job


def _in_the_middle(job: Job) -> bool:
    """Tell whether a job that is not under way can be gone on with or taken back."""
    if job.kind in {"download", "edit"}:
        return "resume" in job.can
    return "back" in job.can and (job.state == "interrupted" or job.went_back in {"no", "partly"})


def _job(journal: Journal, row: PlanRow, passed: bool) -> Job | None:
    """Read a job from its row and events; None where it cannot be read."""
    entry = journal.plan(row.id)
    if entry is None:
        return None
    plan = entry[0]
    step, begun, finished = journal.step_reached(row.id)
    end = journal.end_of(row.id)
    went_back = end.went_back if isinstance(end, PlanFailed) else ""
    back = begun is not None and begun.back and row.state in OPEN_STATES
    text = journal.last_told(row.id) if end is None else _end_text(end)
    left = row.state in {"interrupted", "failed"} and step > 0 and went_back != "yes"
    complete = finished and step == len(plan.steps) and not (begun and begun.back)
    job = Job(
        id=row.id,
        verb=plan.verb,
        target=plan.target,
        subject=plan.subject,
        state="going-back" if back else row.state,
        step=step,
        steps=len(plan.steps),
        title=begun.title if begun else "",
        text=text,
        hint=end.hint if isinstance(end, PlanFailed) else "",
        created_at=row.created_at,
        since=row.started_at,
        ended_at=row.ended_at,
        longest_seconds=plan.longest_seconds,
        pid=row.runner_pid if row.state in OPEN_STATES else None,
        cancel_requested=row.cancel_requested,
        went_back=went_back,
        undoes=plan.undoes,
        continues=plan.continues,
        can=_can(row, left=left and not passed and not complete),
        attempts=row.attempts,
    )
    if plan.endless and plan.subject == "edits":
        return _edit(job, row, plan, journal.edited(row.id))
    return _download(job, row, plan, journal.transferred(row.id)) if plan.endless else job


def _edit(job: Job, row: PlanRow, plan: Plan, now: EditNow | None) -> Job:
    """Add to a job what only one that makes pictures has; `now` is how it goes."""
    return msgspec.structs.replace(job, kind="edit", can=_can_of_edit(row, plan), edit=now)


def _download(job: Job, row: PlanRow, plan: Plan, moved: Transfer | None) -> Job:
    """Add to a job what only a download has; `moved` are its newest figures."""
    job = msgspec.structs.replace(
        job,
        kind="download",
        pause_requested=row.pause_requested,
        can=_can_of_download(row),
        bytes_total=_count(plan.facts.get("bytes_total")),
        bytes_done=_count(plan.facts.get("bytes_there")),
    )
    if moved is None:
        return job
    running = row.state == "running"
    return msgspec.structs.replace(
        job,
        bytes_done=moved.bytes_done,
        bytes_total=moved.bytes_total,
        rate_bytes_per_second=moved.rate_bytes_per_second if running else None,
        eta_seconds=moved.eta_seconds if running else None,
        resumed_from_bytes=moved.resumed_from_bytes,
        fetched_bytes=moved.fetched_bytes,
        files=moved.files if running else tuple(_at_rest(file) for file in moved.files),
    )


def _at_rest(file: FileTransfer) -> FileTransfer:
    """Give how a file stands while nobody is at it; what it came to stays."""
    if file.state in _CAME_TO:
        return file
    return msgspec.structs.replace(file, state="waiting", note="")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _can(row: PlanRow, *, left: bool) -> tuple[str, ...]:
    if row.state in OPEN_STATES:
        return ("watch",) if row.cancel_requested else ("watch", "cancel")
    return ("watch", "resume", "back") if left else ("watch",)


def _can_of_edit(row: PlanRow, plan: Plan) -> tuple[str, ...]:
    if row.state in OPEN_STATES:
        return ("watch",) if row.cancel_requested else ("watch", "cancel")
    stopped = row.state in STOPPED_STATES and (plan.pausable or row.state != "failed")
    return ("watch", "resume", "cancel") if stopped else ("watch",)


def _can_of_download(row: PlanRow) -> tuple[str, ...]:
    if row.state in STOPPED_STATES:
        return ("watch", "resume", "cancel")
    if row.state not in OPEN_STATES or row.cancel_requested:
        return ("watch",)
    return ("watch", "cancel") if row.pause_requested else ("watch", "pause", "cancel")


def _end_text(end: PlanDone | PlanFailed) -> str:
    if isinstance(end, PlanFailed):
        return f"{end.title}; {end.text}" if end.text else end.title
    return end.text
