"""The verbs of containers: plan one, look again before it runs, carry it out."""

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from actions.containers.back import inverse_of, refuse_changed
from actions.containers.docker import docker_command
from actions.containers.drafts import DRAFTS, Draft, Surroundings
from actions.containers.facts import ContainerFacts, facts_of
from actions.containers.find import container_of, find, listed_of
from actions.containers.perform import PERFORMERS
from actions.containers.signals import signal_name
from actions.containers.words import check
from actions.plan import Asker, Plan, Refusal, Step
from actions.session import Session
from actions.step_thread import Talk, Work
from actions.verbs import verbs_of
from console.engine.faults import NoSuchContainerError
from console.errors import UsageError
from console.mask import MASK, mask_text
from console.text import clean_line

if TYPE_CHECKING:
    from console.engine.client import EngineClient

LONGEST_TIMEOUT = 86_400
_SLOW_SECONDS = 2.0
# Longer than a screen waits for its figures: an engine that takes 10 s to answer still does work.
PATIENCE_SECONDS = 20.0
_OPTIONS = {"stop": {"timeout"}, "restart": {"timeout"}, "kill": {"signal"}, "start": set[str]()}


class ContainerVerbs:
    """Plans and performs start, stop, restart and kill; each call opens the engine's door itself.

    All methods raise EngineError where the engine does not answer as it should.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan for `verb` on what `name` means: a service's container, else a container.

        Raises:
            UsageError: unknown or ambiguous name, or an option that makes no sense.
        """
        return self._plan_for(verb, container_of(self._session.settings, name), options, asker)

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan again from what is true now, for the container of the same name."""
        # The journal masks a name that reads like a secret, such as sk-learn-notebook-server-1.
        name = plan.target_id if MASK in plan.target else plan.target
        return self._plan_for(plan.verb, name, dict(plan.options), plan.asker)

    def _plan_for(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan for the container of a name or id."""
        chosen = _checked_options(verb, options)
        begun = self._session.clock.monotonic()
        with self.client() as client:
            listed = client.list()
            facts = self._facts(client, listed, name)
            around = self._around(client, listed, facts)
        draft = DRAFTS[verb](facts, chosen, around)
        draft = _with_patience(draft, self._session.clock.monotonic() - begun)
        return self._plan(verb, facts, draft, chosen, asker)

    def _facts(
        self, client: "EngineClient", listed: Sequence[dict[str, Any]], name: str
    ) -> ContainerFacts:
        """Inspect the one of the listed containers that a name or id means."""
        found = find((listed_of(entry) for entry in listed), name)
        try:
            return facts_of(client.inspect(found.id))
        except NoSuchContainerError as error:
            raise UsageError(
                "container.unknown", f"The container {found.names[0]} is gone", error.hint
            ) from error

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out, for a thread of its own."""
        return ContainerWork(plan, step, self.client())

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Give the target's facts as they are now; `state` is `gone` where it is no more."""
        with self.client() as client:
            try:
                return facts_of(client.inspect(plan.target_id)).resting_on()
            except NoSuchContainerError:
                return {"id": plan.target_id, "state": "gone"}

    def rollback(
        self,
        plan: Plan,  # noqa: ARG002 -- the protocol's
        done: Sequence[Step],  # noqa: ARG002
        broken: Step | None,  # noqa: ARG002
    ) -> tuple[Step, ...]:
        """Give no steps: what a plan of one step has done to a container stays."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        """Make the plan that takes an earlier one back, if nobody has changed its target since."""
        inverse = inverse_of(plan)
        refuse_changed(plan, left, self.left_behind(plan))
        # The container may be a service's by now, whose own plan knows what its start needs.
        verbs = verbs_of(self._session, inverse, plan.target_id)
        return verbs.plan(inverse, plan.target_id, {}, plan.asker)

    def client(self) -> "EngineClient":
        """Give a client for the calling thread; close it."""
        # The docker SDK takes a tenth of a second to import: only who asks the engine pays it.
        from console.engine.client import EngineClient

        return EngineClient(self._session.endpoint, PATIENCE_SECONDS)

    def _around(
        self, client: "EngineClient", listed: Sequence[dict[str, Any]], facts: ContainerFacts
    ) -> Surroundings:
        """Look at the running containers that have ports, where this one wants ports at all."""
        others = []
        if facts.ports and not facts.runs:
            for entry in listed:
                taken = any(port.get("PublicPort") for port in entry.get("Ports") or ())
                if taken and entry.get("Id") != facts.id:
                    others.append(_inspected(client, str(entry["Id"])))
        found = tuple(other for other in others if other is not None and other.runs)
        return Surroundings(docker=self._docker(), others=found)

    def _docker(self) -> tuple[str, ...]:
        """Give how to call docker so that it reaches the same engine, as it may be shown."""
        return tuple(mask_text(word) for word in docker_command(self._session.endpoint))

    def _plan(
        self, verb: str, facts: ContainerFacts, draft: Draft, options: dict[str, Any], asker: Asker
    ) -> Plan:
        refused = next((one for one in draft.checks if one.verdict == "refuse"), None)
        warned = any(one.verdict == "warn" for one in draft.checks)
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=facts.name,
            target_id=facts.id,
            steps=() if refused else draft.steps,
            checks=draft.checks,
            verdict="refused" if refused else "warned" if warned else "ready",
            refusal=None
            if refused is None
            else Refusal(
                code=refused.id, title=f"{facts.name}: {refused.title}", hint=refused.detail
            ),
            facts=facts.resting_on(),
            options=options,
            longest_seconds=draft.longest_seconds,
            locks=(f"container-{facts.id}",),
            created_at=self._session.clock.now(),
            asker=asker,
        )


class ContainerWork:
    """One step under way: `run` belongs to one thread, `abort` to any other."""

    def __init__(self, plan: Plan, step: Step, client: "EngineClient") -> None:
        self._plan = plan
        self._step = step
        self._client = client

    def run(self, _talk: Talk) -> str:
        """Carry the step out and wait for its effect; gives the result in words."""
        try:
            return PERFORMERS[self._step.id](self._plan, self._client)
        finally:
            self._client.close()

    def abort(self) -> None:
        """Stop waiting for the engine; what it was told to do it may still do."""
        self._client.abort()


def _with_patience(draft: Draft, waited: float) -> Draft:
    """Allow for an engine that is slow to answer: doing asks it about as often as planning did."""
    if waited < _SLOW_SECONDS or not draft.steps:
        return draft
    return msgspec.structs.replace(
        draft,
        checks=(*draft.checks, check("engine.slow", seconds=f"{waited:.0f}")),
        longest_seconds=round(draft.longest_seconds + 2 * waited),
    )


def new_plan_id(session: Session) -> str:
    """Give an id that sorts by time and that two consoles never share."""
    return f"{session.clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _checked_options(verb: str, options: dict[str, Any]) -> dict[str, Any]:
    """Give the options that were set, or say which makes no sense."""
    chosen = {name: value for name, value in options.items() if value is not None}
    for name, value in chosen.items():
        if name not in _OPTIONS[verb]:
            shown = clean_line(name, 40).replace("_", "-")
            raise UsageError(
                "plan.bad-option",
                f"{verb} of a plain container has no option {shown}",
                "Options about VRAM, jobs and being ready are for services",
            )
        if name == "signal":
            chosen[name] = signal_name(str(value))
        elif not _is_grace(value):
            raise UsageError(
                "plan.bad-timeout",
                f"--timeout is a number of seconds, not {clean_line(str(value), 40)}",
                f"0 kills at once; {LONGEST_TIMEOUT} at most",
            )
    return chosen


def _is_grace(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and 0 <= value <= LONGEST_TIMEOUT  # type: ignore[operator]


def _inspected(client: "EngineClient", identity: str) -> ContainerFacts | None:
    try:
        return facts_of(client.inspect(identity))
    except NoSuchContainerError:
        return None
