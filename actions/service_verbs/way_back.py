"""What a way back needs to know: which files were changed, and whether others changed things."""

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from actions.plan import Plan, Step
from actions.service_verbs.around import Around, look_around
from actions.service_verbs.words import limit
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.engine.faults import EngineUnreachableError
from console.errors import RefusedError

EDIT = "edit-compose"
_RESTORED = ("file", "token", "written")
# An engine that is restarted is back by then; one that is gone for good is told of.
_ENGINE_SECONDS = 60.0
_AGAIN_SECONDS = 1.0


def look_before_going_back(session: Session, names: Collection[str] | None = None) -> Around:
    """Look at the host as `look_around` does, once an engine that went away is back.

    Raises:
        EngineError: it is not back after a minute, or does not answer as it should.
    """
    begun = session.clock.monotonic()
    while True:
        try:
            return look_around(session, names)
        except EngineUnreachableError:
            if session.clock.monotonic() - begun >= _ENGINE_SECONDS:
                raise
            threading.Event().wait(_AGAIN_SECONDS)


def patience(status: ServiceStatus, asked: object) -> float:
    """Give the seconds in which a service that ran before has to be ready again.

    Who wanted to wait for the new one only shortly would else be told that going back failed.
    """
    usual = limit("ready", status.service.kind)
    return max(usual, asked) if isinstance(asked, int | float) else usual


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
