"""The verbs of services: plan one, look again before it runs, carry it out, go back."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from actions.containers.back import inverse_of, refuse_changed
from actions.containers.verbs import new_plan_id
from actions.containers.words import check as container_check
from actions.plan import Asker, Plan, Step
from actions.service_verbs.around import Around, look_around
from actions.service_verbs.composing import as_called
from actions.service_verbs.draft import ServiceDraft, facts_of_service
from actions.service_verbs.options import check_variant, checked_options
from actions.service_verbs.steps import work_for
from actions.service_verbs.words import check
from actions.services.find import service_named
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.step_thread import Work
from console.errors import RefusedError, UsageError
from console.mask import MASK
from console.text import clean_line

Drafting = Callable[[Session, Around, ServiceStatus, Mapping[str, Any]], ServiceDraft]

# Who drafts a verb, and who knows the way back from one that needs more than its inverse.
_DRAFTS = {
    "start": "actions.service_verbs.start:draft_start",
    "stop": "actions.service_verbs.stop:draft_stop",
    "restart": "actions.service_verbs.restart:draft_restart",
    "free": "actions.service_verbs.free:draft_free",
    "move": "actions.service_verbs.move:draft_move",
    "set": "actions.service_verbs.setting:draft_set",
}
_ROLLBACKS = {
    "restart": "actions.service_verbs.restart:rollback_restart",
    "move": "actions.service_verbs.move:rollback_move",
    "set": "actions.service_verbs.setting:rollback_set",
}
_BACKS = {
    "move": "actions.service_verbs.move:back_move",
    "set": "actions.service_verbs.setting:back_set",
}
_ABOUT = 5.0
# Services that hang cost a look two seconds; an engine that answers late costs more.
_SLOW_SECONDS = 5.0


class ServiceVerbs:
    """Plans and performs start, stop, restart, free, move and set of services.

    All methods raise EngineError where the engine does not answer as it should.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def knows(self, name: str) -> bool:
        """Tell whether a name is a service's, or by any route that of a service's container."""
        if name in self._session.settings.services:
            return True
        return self.named(name) is not None

    def named(self, name: str) -> str | None:
        """Give the service that a name means by what containers there are."""
        from actions.services.find import services_of
        from console.engine.reader import read_once

        engine = read_once(self._session.endpoint, self._session.clock)
        services = services_of(self._session.settings, engine.containers)
        found = service_named(services, engine.containers, name)
        return None if found is None else found.name

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan for `verb` on the service that `name` means.

        Raises:
            UsageError: no such service, or an option that makes no sense.
        """
        chosen = checked_options(verb, options)
        check_variant(self._session, verb, chosen)
        own = name if name in self._session.settings.services else self.named(name)
        if own is None:
            shown = clean_line(name, 80)
            raise UsageError(
                "service.unknown",
                f"There is no service {shown}",
                f"{verb} is for services: gpuconsole status lists them",
            )
        return self._plan_for(verb, own, chosen, asker)

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan again from what is true now."""
        fresh = self._plan_for(plan.verb, self._own_name(plan), dict(plan.options), plan.asker)
        if fresh.facts.get("id") != plan.facts.get("id"):
            anew = check("service.recreated", "warn")
            return msgspec.structs.replace(fresh, checks=(anew, *fresh.checks))
        return fresh

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out, for a thread of its own."""
        return work_for(self._session, plan, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Give the service's facts as they are now, and all of it in words under `text`."""
        name = self._own_name(plan)
        around = look_around(self._session, {name})
        status = around.status(name)
        facts = facts_of_service(around, status)
        if facts["state"] == "absent":
            facts["state"] = "gone"
        return {**facts, "text": state_text(around, status)}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        """Give the steps that lead back; start, stop and free leave things as they say."""
        back = _ROLLBACKS.get(plan.verb)
        steps: tuple[Step, ...] = ()
        if back is not None:
            steps = _found(back)(self._session, plan, done, broken)
        return steps

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        """Make the plan that restores what was before an earlier one.

        Raises:
            RefusedError: `undo.none` or `undo.changed`.
        """
        asker = self._session.asker(plan.asker.via)
        back = _BACKS.get(plan.verb)
        if back is not None:
            made: Plan = _found(back)(self._session, plan, left)
            return made
        if plan.verb == "free" or not any(step.undo for step in plan.steps):
            raise RefusedError(
                "undo.none",
                f"the last plan was {plan.verb} {plan.target}: there is nothing to go back to",
                "It changed nothing that could be taken back",
            )
        verb = inverse_of(plan)
        refuse_changed(plan, left, self.left_behind(plan))
        return self._plan_for(verb, self._own_name(plan), {}, asker)

    def _own_name(self, plan: Plan) -> str:
        """Give the service's name; the journal masks one that reads like a secret."""
        if MASK not in plan.target_id:
            return plan.target_id
        return self.named(str(plan.facts.get("id") or "")) or plan.target_id

    def _plan_for(self, verb: str, name: str, options: Mapping[str, Any], asker: Asker) -> Plan:
        """Make the plan for the service of that name."""
        begun = self._session.clock.monotonic()
        around = look_around(self._session, {name})
        waited = self._session.clock.monotonic() - begun
        status = around.status(name)
        draft: ServiceDraft = _found(_DRAFTS[verb])(self._session, around, status, options)
        draft = _with_patience(draft, waited)
        draft = msgspec.structs.replace(draft, steps=as_called(self._session, draft.steps))
        facts = {**facts_of_service(around, status), **draft.facts}
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=name,
            target_id=name,
            steps=() if draft.refused else draft.steps,
            checks=draft.checks,
            verdict=draft.verdict,
            refusal=draft.refusal(name),
            facts=facts,
            options=dict(options),
            longest_seconds=longest(draft.steps),
            locks=locks_of(status, draft.cards),
            subject="service",
            fits=draft.fits,
            diff=draft.diff,
            created_at=self._session.clock.now(),
            asker=asker,
        )


def _with_patience(draft: ServiceDraft, waited: float) -> ServiceDraft:
    """Allow for an engine that is slow to answer: each step asks it about as often as planning."""
    if waited < _SLOW_SECONDS or not draft.steps:
        return draft
    steps = tuple(
        msgspec.structs.replace(
            step, longest_seconds=round((step.longest_seconds or _ABOUT) + 2 * waited)
        )
        for step in draft.steps
    )
    slow = container_check("engine.slow", seconds=f"{waited:.0f}")
    return msgspec.structs.replace(draft, steps=steps, checks=(*draft.checks, slow))


def locks_of(status: ServiceStatus, cards: Sequence[str]) -> tuple[str, ...]:
    """Give the locks of a plan about a service, and of the cards it starts something on."""
    container = (f"container-{status.container_id}",) if status.container_id else ()
    return (f"service-{status.name}", *container, *(f"card-{uuid}" for uuid in cards))


def longest(steps: Sequence[Step]) -> float:
    """Give how long steps may take together, in seconds."""
    return sum(step.longest_seconds or _ABOUT for step in steps) or 1.0


def state_text(around: Around, status: ServiceStatus) -> str:
    """Say in what state a service is, such as `myia is ready on NVIDIA GeForce RTX 3090`."""
    where = ""
    if status.up and isinstance(status.gpu_uuid, str):
        where = f" on {around.card_name(status.gpu_uuid)}"
    detail = ""
    if status.state in {"unhealthy", "unreachable", "needs-auth", "misplaced"} and status.evidence:
        detail = f" ({status.evidence[0].text})"
    return f"{status.name} is {status.state}{where} now{detail}"


def _found(where: str) -> Callable[..., Any]:
    """Import what a table names as `module:function`; each verb's own imports stay its own."""
    module, _, name = where.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
