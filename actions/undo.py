"""Going back from a plan, and on with an interrupted one: the plans for it, by the journal."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actions.journal import Journal, as_plan
from actions.plan import Check, Plan, PlanFailed
from actions.session import Session
from actions.verbs import SHELL, verbs_for, verbs_of
from console.errors import RefusedError, UsageError
from console.store.plans import OPEN_STATES
from console.store.rows import PlanRow
from console.text import clean_line

_ENDED = ("done", "failed", "interrupted")
_OF_DOWNLOADS = ("paused", "needs_token", "cancelled")
_LOOKED_AT = 200


def undo_plan(session: Session, journal: Journal, via: str) -> Plan:
    """Give the plan that takes back the last plan that changed something.

    Plans that were taken back, went back by themselves or were gone on with, and the plans that
    took others back, are passed over: asked again, it goes one further back. A restart of what ran
    has nothing to go back to and is not passed over, because that would take back something else
    than the operator thinks of.

    Raises:
        RefusedError: `undo.nothing`, `undo.none`, `undo.changed`.
        UsageError: the target is gone.
    """
    rows = journal.plans.newest(_ENDED, limit=_LOOKED_AT)
    row = _last(journal, rows)
    if row is None:
        raise RefusedError("undo.nothing", "there is no plan to take back")
    return back_plan(session, journal, row, via)


def back_plan(session: Session, journal: Journal, row: PlanRow, via: str) -> Plan:
    """Give the plan that restores what was before the plan of a row.

    Raises:
        RefusedError: `undo.nothing`, `undo.none`, `undo.changed`, `plan.under-way`.
        UsageError: the target is gone.
    """
    plan = readable(row)
    _refuse_open(plan, row)
    end = journal.end_of(plan.id)
    if isinstance(end, PlanFailed) and end.went_back == "yes":
        raise RefusedError("undo.nothing", f"{plan.verb} {plan.target} went back by itself")
    if not journal.step_reached(plan.id)[0]:
        raise RefusedError("undo.nothing", f"{plan.verb} {plan.target} touched nothing")
    first = journal.first_of(plan)
    rows = journal.plans.newest(_ENDED, limit=_LOOKED_AT)
    verbs = verbs_for(session, plan.verb, plan.subject)
    made = verbs.back(first, _left(journal, rows, plan))
    note = Check(
        id="plan.undoes",
        title=f"takes back: {first.verb} {first.target}, by {first.asker.user} "
        f"({first.created_at:%Y-%m-%d %H:%M} UTC)",
        verdict="pass",
    )
    return msgspec.structs.replace(
        made, undoes=plan.id, checks=(*made.checks, note), asker=session.asker(via)
    )


def resume_plan(session: Session, journal: Journal, row: PlanRow, via: str) -> Plan:
    """Give the plan that goes on where the plan of a row was left, from what is true now.

    What the first of them rested on is among its facts, under `continues`.

    Raises:
        RefusedError: `plan.under-way`, or it ended well (`plan.done`).
        UsageError: the target is gone.
    """
    plan = readable(row)
    _refuse_open(plan, row)
    if row.state == "done":
        raise RefusedError(
            "plan.done",
            f"{plan.verb} {plan.target} ended well: there is nothing to go on with",
            "gpuconsole jobs --all lists how plans ended",
        )
    name = plan.target_id
    if plan.subject == "container":
        verbs = verbs_of(session, plan.verb, name)
    else:
        verbs = verbs_for(session, plan.verb, plan.subject)
    made = verbs.plan(plan.verb, name, dict(plan.options), session.asker(via))
    first = journal.first_of(plan)
    note = Check(
        id="plan.continues",
        title=f"goes on with: {plan.verb} {plan.target}, {row.state} "
        f"({row.created_at:%Y-%m-%d %H:%M} UTC)",
        verdict="pass",
    )
    return msgspec.structs.replace(
        made,
        continues=plan.id,
        checks=(*made.checks, note),
        facts={**made.facts, "continues": first.facts},
    )


def row_of(journal: Journal, plan_id: str) -> PlanRow:
    """Give the row of a plan by its id, by the only beginning of one, or the newest by `last`.

    Raises:
        UsageError: there is no such plan, or more than one.
    """
    wanted = plan_id.strip()
    exact = journal.plans.get(wanted)
    if exact is not None:
        return exact
    begun = (*OPEN_STATES, *_ENDED, *_OF_DOWNLOADS)
    rows = journal.plans.newest((*begun, "refused", "stale"), limit=2000)
    if wanted == "last":
        found = tuple(row for row in rows if row.state in begun)[:1]
    else:
        found = tuple(row for row in rows if wanted and row.id.startswith(wanted))
    if len(found) == 1:
        return found[0]
    shown = clean_line(wanted, 60)
    if wanted == "last":
        raise UsageError("plan.unknown", "No plan was run here yet")
    if found:
        ids = ", ".join(row.id for row in found[:5])
        raise UsageError("plan.ambiguous", f"{shown} is the beginning of {len(found)} plans", ids)
    raise UsageError(
        "plan.unknown",
        f"There is no plan {shown} in the journal",
        "gpuconsole timeline lists the plans there were",
    )


def readable(row: PlanRow) -> Plan:
    """Give the plan of a row.

    Raises:
        UsageError: it cannot be read.
    """
    plan = as_plan(row)
    if plan is None:
        raise UsageError("plan.unknown", f"The plan {row.id} cannot be read in the journal")
    return plan


def settled(rows: Sequence[PlanRow]) -> set[str]:
    """Give the ids of plans that were taken back or gone on with, by plans that began."""
    by = (row for row in rows if row.started_at is not None)
    found = set[str]()
    for row in by:
        if row.undoes and row.state == "done":
            found.add(row.undoes)
        continues = row.body.get("continues")
        if continues and row.state in (*OPEN_STATES, *_ENDED):
            found.add(str(continues))
    return found


def _last(journal: Journal, rows: Sequence[PlanRow]) -> PlanRow | None:
    """Give the newest plan that touched its target and stands."""
    passed = settled(rows)
    for row in rows:
        # A shell is no change of ours: what was typed in it nobody but its operator can take back.
        if row.undoes or row.id in passed or row.verb == SHELL or not _counts(row):
            continue
        end = journal.end_of(row.id)
        went_back = isinstance(end, PlanFailed) and end.went_back == "yes"
        if not went_back and journal.step_reached(row.id)[0]:
            return row
    return None


def _counts(row: PlanRow) -> bool:
    """Tell whether a plan can be read, and is no download that stopped: that changed nothing.

    Nor do edits change anything that could be taken back.
    """
    plan = as_plan(row)
    if plan is None or (plan.endless and plan.subject == "edits"):
        return False
    return row.state == "done" or not plan.endless


def _left(journal: Journal, rows: Sequence[PlanRow], plan: Plan) -> dict[str, Any]:
    """Give how the newest of our plans left a target; empty where nobody saw it.

    What an older one left says nothing about a newer one that came to its steps and was not seen
    at its end: its runner was killed, or the engine was away.
    """
    for row in rows:
        if row.target_id != plan.target_id or _subject(row) != plan.subject:
            continue
        if row.left_behind or journal.step_reached(row.id)[0]:
            return dict(row.left_behind)
    return {}


def _subject(row: PlanRow) -> str:
    """Give what a row's plan is about: a layout may be called as a service is."""
    return str(row.body.get("subject") or "container")


def _refuse_open(plan: Plan, row: PlanRow) -> None:
    if row.state in OPEN_STATES:
        raise RefusedError(
            "plan.under-way",
            f"{plan.verb} {plan.target} is still under way",
            f"gpuconsole jobs watch {plan.id} shows how it goes, jobs cancel {plan.id} ends it",
        )
