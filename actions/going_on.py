"""Pausing a download, going on with it under its own id, and giving it up."""

import os
import socket
import threading
from datetime import datetime

from actions import gate
from actions.dropping import dropped
from actions.endings import as_wished, cancelled, lock_held
from actions.executor import plan_lock
from actions.follow import Follower
from actions.journal import OPERATOR, Journal
from actions.plan import Plan, PlanFailed
from actions.runner import ring, start_runner
from actions.session import Session
from actions.undo import readable, row_of
from actions.verbs import verbs_for
from actions.wish import CANCEL
from console.errors import ConsoleError, RefusedError
from console.store.locks import Held, Holder, LockFolder
from console.store.plans import OPEN_STATES, STOPPED_STATES
from console.store.rows import PlanRow
from console.unknown import iso_time

_LEAVING_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.05


def pause(session: Session, plan_id: str) -> bool:
    """Ask a download to pause; False where it is not under way.

    Raises:
        RefusedError: it is no download, or this session may change nothing.
        UsageError: there is no such plan.
        ConsoleError: the journal cannot be written, so that nobody would hear of it.
    """
    journal, plan, row = _found(session, plan_id)
    if not (plan.endless and plan.pausable):
        raise RefusedError(
            "plan.not-pausable",
            f"{plan.verb} {plan.target} cannot be paused",
            f"gpuconsole jobs cancel {plan.id} asks it to end",
        )
    asked = journal.plans.request_pause(plan.id, session.clock.now())
    if asked:
        ring(row)
    return asked


def cancel(session: Session, plan_id: str) -> bool:
    """Ask a plan to cancel, or give a download up that has stopped; False where neither can be.

    Raises:
        RefusedError: this session may change nothing, or somebody else is at it (`lock.held`).
        UsageError: there is no such plan.
    """
    journal, plan, row = _found(session, plan_id)
    if journal.plans.request_cancel(plan.id, session.clock.now()):
        if plan.endless:
            ring(row)
        return True
    stopped = row.state in STOPPED_STATES and (plan.pausable or row.state == "interrupted")
    return plan.endless and stopped and _give_up(session, journal, plan)


def resume(session: Session, plan_id: str, by: str = OPERATOR) -> bool:
    """Go on with a download that has stopped, under its own id; False where it is under way.

    Raises:
        RefusedError: it ended for good, is no download, or this session may change nothing.
        UsageError: there is no such plan.
        ConsoleError: its process cannot be started.
    """
    journal, plan, row = _found(session, plan_id)
    if not plan.endless:
        raise RefusedError(
            "plan.not-resumable",
            f"{plan.verb} {plan.target} is not gone on with under its own id",
            f"gpuconsole jobs resume {plan.id} makes the plan that goes on",
        )
    if row.state in OPEN_STATES:
        return False
    if row.state not in STOPPED_STATES or (row.state == "failed" and not plan.pausable):
        raise RefusedError(
            "plan.done" if row.state == "done" else "plan.ended",
            f"{plan.verb} {plan.target} ended ({row.state}): there is nothing to go on with",
            "gpuconsole jobs list --all lists how plans ended",
        )
    if not journal.store.durable:
        problem = journal.store.problem
        raise ConsoleError(
            "journal.not-kept",
            f"{plan.verb} {plan.target} cannot be gone on with: the journal cannot be written",
            problem.hint if problem else "",
            problem.title if problem else "",
        )
    with _alone(session, journal, plan):
        if not journal.requeue(plan, by):
            return False  # another console was faster
    try:
        start_runner(session, plan.id)
    except ConsoleError as error:
        journal.finish(plan, _not_started(plan, error, session.clock.now()), {})
        raise
    return True


def _found(session: Session, plan_id: str) -> tuple[Journal, Plan, PlanRow]:
    """Give the plan that an id means, its process known to live where it is under way."""
    reason = gate.refusal(session)
    if reason is not None:
        raise gate.as_error(reason)
    journal = Journal(session)
    row = row_of(journal, plan_id)
    if Follower(session, journal).bury_if_dead(row.id):
        row = row_of(journal, row.id)
    return journal, readable(row), row


def _give_up(session: Session, journal: Journal, plan: Plan) -> bool:
    """Remove what a stopped download has; False where somebody goes on with it meanwhile."""
    with _alone(session, journal, plan):
        row = journal.plans.get(plan.id)
        if row is None or row.state not in STOPPED_STATES:
            return False
        end = as_wished(cancelled(plan, "after it had stopped", "", session.clock.now()), CANCEL)
        verbs = verbs_for(session, plan.verb, plan.subject)
        return journal.give_up(plan, dropped(verbs, plan, end))


def _alone(session: Session, journal: Journal, plan: Plan) -> Held:
    """Hold a plan that has stopped, so that nobody else begins with it or gives it up.

    Its process may still be on its way out, which takes a moment; one that somebody else has begun
    with meanwhile is not waited for, and nothing is held then.

    Raises:
        RefusedError: it is taken all the same.
    """
    holder = Holder(
        pid=os.getpid(),
        user=session.asker("").user,
        host=socket.gethostname(),
        plan_id=plan.id,
        since=iso_time(session.clock.now()),
        what=f"{plan.verb} {plan.target}",
    )
    locks, pause = LockFolder(session.places), threading.Event()
    until = session.clock.monotonic() + _LEAVING_SECONDS
    while True:
        held = locks.acquire([plan_lock(plan.id)], holder)
        if isinstance(held, Held):
            return held
        row = journal.plans.get(plan.id)
        if row is not None and row.state in OPEN_STATES:
            return Held(())
        if session.clock.monotonic() >= until:
            raise lock_held(plan, held)
        pause.wait(_LOOK_AGAIN_SECONDS)


def _not_started(plan: Plan, error: ConsoleError, at: datetime) -> PlanFailed:
    return PlanFailed(
        at=at,
        plan_id=plan.id,
        outcome="interrupted",
        code=error.code,
        title=error.title,
        hint=f"gpuconsole jobs resume {plan.id} tries it again",
        exit_code=int(error.exit_code),
    )
