"""The verbs of models: who plans, performs and takes back each, found by one table."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from actions.plan import Asker, Plan, Step
from actions.session import Session
from actions.step_thread import Work
from console.errors import UsageError
from console.text import clean_line

_FIXES = "actions.models.fixing:FixVerbs"
_DOERS = {
    "pull": "actions.models.pull:PullVerbs",
    "rm": _FIXES,
    "dedupe": _FIXES,
    "move-file": _FIXES,
    "delete-file": _FIXES,
    "quarantine-file": _FIXES,
    "link-file": _FIXES,
}
MODEL_VERBS = frozenset(_DOERS)


class Doer(Protocol):
    """Who knows some of the verbs; made with the session, and then asked as `Verbs` are."""

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make a plan of `subject` `models`; nothing is changed by it."""
        ...

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan from what is true now; `plan` itself where steps look themselves."""
        ...

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out."""
        ...

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how things are now, in words under `text`."""
        ...

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        """Give the steps that lead back after a plan that did not end well."""
        ...

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        """Make the plan that takes an earlier one back; RefusedError where there is no way."""
        ...

    def drop(self, plan: Plan) -> str:
        """Remove what an unfinished plan has on disk, once nobody runs it; says what went."""
        ...


class ModelVerbs:
    """Plans and performs what is done to model files; each verb's own imports stay its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made: dict[str, Doer] = {}

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan of a verb for what `name` means.

        Raises:
            UsageError: no such model, file or path, or an option that makes no sense.
        """
        return self._doer(verb).plan(verb, name, options, asker)

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan from what is true now."""
        return self._doer(plan.verb).replan(plan)

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out, for a thread of its own."""
        return self._doer(plan.verb).work(plan, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how things are now, in words under `text`."""
        return self._doer(plan.verb).left_behind(plan)

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        """Give the steps that lead back; empty where what was done is good as it is."""
        return self._doer(plan.verb).rollback(plan, done, broken)

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        """Make the plan that takes an earlier one back.

        Raises:
            RefusedError: `undo.none` or `undo.changed`.
        """
        return self._doer(plan.verb).back(plan, left)

    def drop(self, plan: Plan) -> str:
        """Remove what an unfinished plan has on disk, once nobody runs it; says what went."""
        return self._doer(plan.verb).drop(plan)

    def _doer(self, verb: str) -> Doer:
        """Give who knows a verb; the same one for all steps of a run, so that it can remember."""
        where = _DOERS.get(verb)
        if where is None:
            raise UsageError("plan.unknown-verb", f"There is no verb {clean_line(verb, 40)}")
        if where not in self._made:
            module, _, name = where.partition(":")
            self._made[where] = getattr(importlib.import_module(module), name)(self._session)
        return self._made[where]
