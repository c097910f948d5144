"""What a way back needs to know: which files were changed, and whether others changed things."""

from collections.abc import Iterable, Mapping
from typing import Any

from actions.plan import Plan, Step
from console.errors import RefusedError

EDIT = "edit-compose"
_RESTORED = ("file", "token", "written")


def edits_of(steps: Iterable[Step]) -> dict[str, dict[str, Any]]:
    """Give what is needed to restore each file that steps change, by service."""
    return {
        step.target_id: {name: step.options[name] for name in _RESTORED}
        for step in steps
        if step.options.get("do") == EDIT and not step.options.get("restore")
    }


def refuse_changed(plan: Plan, left: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to take a switch back where somebody else has started or stopped a service since.

    Args:
        plan: the switch.
        left: how it left its services; empty where nobody saw it.
        now: how they are.

    Raises:
        RefusedError: `undo.changed`.
    """
    current = now.get("services") or {}
    for name, then in (left.get("services") or {}).items():
        here = current.get(name)
        if here == then:
            continue
        why = _difference(then, here or {})
        raise RefusedError(
            "undo.changed",
            f"{name} was changed since {plan.verb} {plan.target}: {why}",
            "Look at it, then switch to the layout that it should be",
        )


def _difference(then: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    if not here:
        return "it is gone"
    if then.get("running") and not here.get("running"):
        return "it ran then and does not run now"
    if here.get("running") and not then.get("running"):
        return "it did not run then and runs now"
    if then.get("container") != here.get("container"):
        return "it has another container now"
    return "it was started again"
