"""Bringing here what services have made and nobody has fetched yet; nothing is sent again."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence

import msgspec

from actions.edit_now import EditNow
from actions.edits.running import go_on
from actions.executor import plan_lock
from actions.gallery.finding import one_edit
from actions.session import Session
from console.edits.kept import OPEN_STATES, EditError, KeptEdit
from console.store.edits import EditRecords, Filter
from console.store.locks import Holder, LockFolder, Taken
from console.unknown import iso_time

COLLECTED, NOT_YET, UNDER_WAY, NOTHING = "collected", "not-yet", "under-way", "nothing"
"""What came of it: the pictures are here, they still cannot be had, a job is at it, or there is
nothing to be fetched of this edit."""


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """An edit, as it is kept now, and what came of it in a word; `job` is who is at it."""

    edit: KeptEdit
    outcome: str
    job: str = ""

    @property
    def error(self) -> EditError | None:
        """Why its pictures are not here; None where they are, or a job brings them."""
        return self.edit.error if self.outcome in {NOT_YET, NOTHING} else None


def collect(
    session: Session,
    names: Sequence[str],
    report: Callable[[EditNow], None],
    stop: Callable[[], str],
) -> Iterator[Collected]:
    """Fetch edits one after another, and give each as it is done.

    One that waits at its service, or is computed there, is waited for.

    Args:
        session: whose.
        names: of edits; none means all that wait for it.
        report: told how each goes.
        stop: asked whether to end; `leave` leaves the rest where it is.

    Raises:
        UsageError: there is no such edit.
    """
    for edit in _meant(session, names):
        if stop():
            return
        yield _collected(session, edit, report, stop)


def _meant(session: Session, names: Sequence[str]) -> tuple[KeptEdit, ...]:
    if names:
        return tuple({one.id: one for one in map(_by_name(session), names)}.values())
    waiting = Filter(states=tuple(sorted(OPEN_STATES)), submitted=True)
    return tuple(reversed(EditRecords(session.store).find(waiting, -1)))


def _by_name(session: Session) -> Callable[[str], KeptEdit]:
    return lambda name: one_edit(session, name)


def _collected(
    session: Session,
    edit: KeptEdit,
    report: Callable[[EditNow], None],
    stop: Callable[[], str],
) -> Collected:
    if edit.state not in OPEN_STATES or not edit.submitted:
        return Collected(edit=edit, outcome=NOTHING)
    jobs = [job for job in (edit.id, edit.group) if job]
    taken = LockFolder(session.places).acquire(
        [plan_lock(job) for job in jobs], _holder(session, edit)
    )
    if isinstance(taken, Taken):
        job = next((one for one in jobs if plan_lock(one) == taken.name), edit.id)
        return Collected(edit=edit, outcome=UNDER_WAY, job=job)
    with taken:
        # As it is now: who was at it before us may have brought it here.
        now = EditRecords(session.store).get(edit.id) or edit
        made = go_on(session, now, report=report, stop=stop)
    if made.state == "done":
        return Collected(edit=made, outcome=COLLECTED)
    return Collected(edit=made, outcome=NOT_YET if made.state in OPEN_STATES else NOTHING)


def _holder(session: Session, edit: KeptEdit) -> Holder:
    asker = session.asker("cli")
    return Holder(
        pid=os.getpid(),
        user=asker.user,
        host=socket.gethostname(),
        plan_id=edit.id,
        since=iso_time(session.clock.now()),
        what=f"collect edit {edit.id}",
    )
