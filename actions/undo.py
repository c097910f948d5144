"""Taking the last plan back: the plan that restores the state before it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actions.journal import Journal, as_plan
from actions.operations import SHELL, verbs_for
from actions.plan import Check, Plan
from actions.session import Session
from console.engine.snapshot import UP
from console.errors import RefusedError
from console.store.rows import PlanRow

_INVERSE = {"start": "stop", "stop": "start", "kill": "start"}
_ENDED = ("done", "failed", "interrupted")


def undo_plan(session: Session, journal: Journal, via: str) -> Plan:
    """Give the plan that takes back the last plan that changed something.

    Plans that were taken back, and the plans that did so, are passed over: asked again, it goes one
    further back. A restart of what ran has nothing to go back to and is not passed over, because
    that would take back something else than the operator thinks of.

    Raises:
        RefusedError: `undo.nothing`, `undo.none`, `undo.changed`.
        UsageError: the target is gone.
    """
    rows = journal.plans.newest(_ENDED, limit=200)
    row = _last(journal, rows)
    plan = None if row is None else as_plan(row)
    if row is None or plan is None:
        raise RefusedError("undo.nothing", "there is no plan to take back")
    inverse = _inverse(plan)
    verbs = verbs_for(session, plan.verb)
    _refuse_changed(plan, _left(rows, plan.target_id), verbs.left_behind(plan))
    made = verbs.plan(inverse, plan.target_id, {}, session.asker(via))
    note = Check(
        id="plan.undoes",
        title=f"takes back: {plan.verb} {plan.target}, by {plan.asker.user} "
        f"({row.created_at:%Y-%m-%d %H:%M} UTC)",
        verdict="pass",
    )
    return msgspec.structs.replace(made, undoes=plan.id, checks=(*made.checks, note))


def _left(rows: Sequence[PlanRow], target_id: str) -> dict[str, Any]:
    """Give how the newest of our plans left a target; empty where nobody saw it."""
    seen = (
        row.left_behind
        for row in rows
        if row.target_id == target_id and (row.left_behind or row.state == "interrupted")
    )
    return next(seen, {})


def _last(journal: Journal, rows: Sequence[PlanRow]) -> PlanRow | None:
    """Give the newest plan that touched its target and stands."""
    taken_back = {row.undoes for row in rows if row.undoes and row.state == "done"}
    for row in rows:
        # A shell is no change of ours: what was typed in it nobody but its operator can take back.
        if row.undoes or row.id in taken_back or row.verb == SHELL:
            continue
        begun, _, _ = journal.step_reached(row.id)
        if begun:
            return row
    return None


def _inverse(plan: Plan) -> str:
    """Give the verb that leads back; refuse what has no state before it to go back to."""
    what = f"{plan.verb} {plan.target}"
    only_started = plan.verb == "restart" and plan.facts.get("state") not in UP
    inverse = _INVERSE.get("start" if only_started else plan.verb)
    if inverse is None:
        raise RefusedError(
            "undo.none",
            f"the last plan was {what}: there is nothing to go back to",
            "A restart leaves a container running as it was before",
        )
    if not any(step.undo for step in plan.steps):
        raise RefusedError(
            "undo.none",
            f"{what} cannot be taken back",
            "Its container was created with --rm, or only got a signal",
        )
    return inverse


def _refuse_changed(plan: Plan, left: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse where somebody else has changed the target since we left it."""
    if now.get("state") == "gone":
        raise RefusedError(
            "undo.changed", f"{plan.target} is gone: {plan.verb} cannot be taken back"
        )
    if not left:
        return  # its process died, so nobody saw how it left things; the new plan's checks decide
    if now.get("state") != left.get("state"):
        why = f"it was {left.get('state')} then and is {now.get('state')} now"
    elif _begun_by_hand(left, now):
        why = "it was started again since"
    elif left.get("state") == "exited" and now.get("finished_at") != left.get("finished_at"):
        why = "it has run and ended again since"
    else:
        return
    raise RefusedError(
        "undo.changed",
        f"{plan.target} was changed since {plan.verb} {plan.target}: {why}",
        "Look at it, then start or stop it as it should be",
    )


def _begun_by_hand(left: dict[str, Any], now: dict[str, Any]) -> bool:
    """Tell a start by somebody from a restart by policy, which counts up."""
    started = now.get("started_at") != left.get("started_at")
    by_policy = int(now.get("restart_count") or 0) > int(left.get("restart_count") or 0)
    return now.get("state") == "running" and started and not by_policy
