"""The way back from a plan for a container: its inverse, where nobody has changed it since."""

from collections.abc import Mapping
from typing import Any

from actions.plan import Plan
from console.engine.snapshot import UP
from console.errors import RefusedError

_INVERSE = {"start": "stop", "stop": "start", "kill": "start"}


def inverse_of(plan: Plan) -> str:
    """Give the verb that leads back.

    Raises:
        RefusedError: `undo.none`: it has no state before it to go back to.
    """
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


def refuse_changed(plan: Plan, left: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse where somebody else has changed the target since we left it.

    Raises:
        RefusedError: `undo.changed`.
    """
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


def _begun_by_hand(left: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell a start by somebody from a restart by policy, which counts up."""
    started = now.get("started_at") != left.get("started_at")
    by_policy = int(now.get("restart_count") or 0) > int(left.get("restart_count") or 0)
    return now.get("state") == "running" and started and not by_policy
