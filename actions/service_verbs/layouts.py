"""The verb of layouts: plan a switch, look again before it runs, carry it out, go back."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from actions.containers.verbs import new_plan_id
from actions.plan import Asker, Check, Plan, Step
from actions.service_verbs.around import Around, look_around
from actions.service_verbs.composing import as_called
from actions.service_verbs.doing import Doing, ServiceWork
from actions.service_verbs.draft import ServiceDraft
from actions.service_verbs.goal import Goal, goal_of_facts, goal_of_layout, places_of, runs
from actions.service_verbs.layout_words import check
from actions.service_verbs.options import checked_options
from actions.service_verbs.steps import work_for
from actions.service_verbs.switch import NOTE, SEE, Switch, sum_checks
from actions.service_verbs.verbs import longest
from actions.service_verbs.way_back import look_before_going_back, refuse_changed
from actions.session import Session
from actions.step_thread import Work
from console.config.layout import note_layout
from console.errors import RefusedError, UsageError
from console.text import clean_line

_BACK = "back"
_KEPT = ("ready_limit",)


class LayoutVerbs:
    """Plans and performs switches; all methods raise EngineError where the engine is in trouble."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan that brings the host into a layout.

        Args:
            verb: `switch`.
            name: of the layout.
            options: those of stop and start; `back` has the facts of a plan to go back from.
            asker: who asks.

        Raises:
            UsageError: no such layout (`layout.unknown`), or an option that makes no sense.
        """
        before = options.get(_BACK)
        chosen = checked_options(verb, {k: v for k, v in options.items() if k != _BACK})
        if before is not None:
            chosen[_BACK] = before
        elif name not in self._session.config.settings.layouts:
            raise _unknown(self._session.config.settings.layouts, name)
        self._session.needed_catalog()
        around = look_around(self._session)
        if before is None:
            goal = goal_of_layout(self._session, around, name)
            if not any(one.verdict == "refuse" for one in goal.checks):
                summed = self._sum(around, name, chosen)
                goal = msgspec.structs.replace(goal, checks=(*goal.checks, *summed))
        else:
            goal = _goal_back(before, name)
        switch = Switch(self._session, around, goal, chosen)
        return self._plan(verb, name, around, switch.draft(), chosen, asker, goal)

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan again from what is true now."""
        return self.plan(plan.verb, plan.target_id, dict(plan.options), plan.asker)

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out, for a thread of its own."""
        doers = {NOTE: _note, SEE: _see}
        doer = doers.get(str(step.options["do"]))
        if doer is None:
            return work_for(self._session, plan, step)
        return ServiceWork(self._session, plan, step, doer)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Give how the plan's services are now, and all of it in words under `text`."""
        names = places_of(plan.facts.get("before"))
        around = look_around(self._session, set(names))
        return {**_left(around, names), "text": f"now {_states_text(around, names)}"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        """Give the steps that lead back to what ran before, from what is true now."""
        if not done and broken is None:
            return ()
        goal = goal_of_facts(plan.facts.get("continues") or plan.facts)
        # Only how long to wait at least holds for the way back too: nobody is asked there.
        options = {name: plan.options[name] for name in _KEPT if name in plan.options}
        around = look_before_going_back(self._session)
        return Switch(self._session, around, goal, options).steps_back()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        """Make the plan that goes back to what ran before an earlier switch.

        Raises:
            RefusedError: it changed nothing (`undo.none`), or others have since (`undo.changed`).
        """
        if not places_of(plan.facts.get("before")):
            raise RefusedError("undo.none", f"{plan.verb} {plan.target} changed nothing")
        refuse_changed(plan, left, self.left_behind(plan))
        names = ("before", "layout_before", "edits")
        facts = {name: plan.facts.get(name) for name in names}
        facts["what"] = f"{plan.verb} {plan.target}"
        asker = self._session.asker(plan.asker.via)
        return self.plan(plan.verb, plan.target_id, {_BACK: facts}, asker)

    def _sum(self, around: Around, name: str, options: Mapping[str, Any]) -> tuple[Check, ...]:
        force = bool(options.get("force"))
        return sum_checks(self._session, around.snapshot, name, force=force)

    def _plan(
        self,
        verb: str,
        name: str,
        around: Around,
        draft: ServiceDraft,
        options: Mapping[str, Any],
        asker: Asker,
        goal: Goal,
    ) -> Plan:
        shown = clean_line(name)
        draft = msgspec.structs.replace(draft, steps=as_called(self._session, draft.steps))
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=shown,
            target_id=name,
            steps=() if draft.refused else draft.steps,
            checks=draft.checks,
            verdict=draft.verdict,
            refusal=draft.refusal(shown),
            facts=draft.facts,
            options=dict(options),
            longest_seconds=longest(draft.steps),
            locks=_locks(around, goal.places, draft),
            subject="layout",
            fits=draft.fits,
            diff=draft.diff,
            created_at=self._session.clock.now(),
            asker=asker,
        )


def _goal_back(before: Mapping[str, Any], name: str) -> Goal:
    """Give the arrangement to go back to, with what it is called in checks."""
    goal = goal_of_facts(before)
    running = [service for service, place in goal.places.items() if place.running]
    what = str(before.get("what") or f"switch {name}")
    told = check("back.services", what=what, names=", ".join(running) or "nothing")
    return msgspec.structs.replace(goal, checks=(told,))


def _locks(around: Around, names: Collection[str], draft: ServiceDraft) -> tuple[str, ...]:
    """Give the locks of every service, container, card and file that the plan is about."""
    touched = {step.target_id for step in draft.steps}
    services = [status for status in around.snapshot.services if status.name in names]
    containers = [s.container_id for s in services if s.name in touched and s.container_id]
    return (
        "layout",
        *(f"service-{status.name}" for status in services if status.name in touched),
        *(f"container-{ident}" for ident in containers),
        *(f"card-{uuid}" for uuid in draft.cards),
        *(f"file-{file}" for file in sorted(_files(draft))),
    )


def _files(draft: ServiceDraft) -> set[str]:
    return {str(step.options["file"]) for step in draft.steps if "file" in step.options}


def _note(doing: Doing) -> str:
    """Note which layout is in force from now on."""
    layout = str(doing.options["layout"])
    note_layout(doing.session.places, layout)
    return f"{clean_line(layout)} is in force" if layout else "no layout is in force"


def _see(doing: Doing) -> str:
    """Look at all services once more, and say what runs now."""
    names = [str(name) for name in doing.options["services"]]
    around = look_around(doing.session, set(names))
    layout = clean_line(str(doing.options["layout"]))
    return f"{layout or 'the host as before'}: {_states_text(around, names)}"


def _states_text(around: Around, names: Collection[str]) -> str:
    """Say which services run, and which do not, such as `a is ready; b is stopped`."""
    found = [status for status in around.snapshot.services if status.name in names]
    up = [f"{status.name} is {status.state}" for status in found if runs(around, status)]
    down = [f"{status.name} is {status.state}" for status in found if not runs(around, status)]
    return "; ".join((*up, *down)) or "no service is left"


def _left(around: Around, names: Collection[str]) -> dict[str, Any]:
    """Give what tells later whether somebody has changed these services."""
    services = {}
    for status in around.snapshot.services:
        if status.name in names:
            facts = around.container(status)
            services[status.name] = {
                "running": runs(around, status),
                "container": status.container_id,
                "started_at": facts.started_at if facts is not None else "",
            }
    return {"state": "switched", "services": services}


def _unknown(layouts: Collection[str], name: str) -> UsageError:
    near = [clean_line(one) for one in difflib.get_close_matches(name, layouts, 3, 0.4)]
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    elif layouts:
        hint = f"There are: {', '.join(clean_line(one) for one in layouts)}"
    else:
        hint = "The config has no layouts: add [layouts.NAME] with services = [...]"
    shown = clean_line(name, 60)
    title = f"There is no layout {shown}" if shown else "The name of the layout is empty"
    return UsageError("layout.unknown", title, hint)
