"""Verbs whose steps are functions of the test, for runs that no engine can be asked for."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from actions.containers.verbs import new_plan_id
from actions.executor import Executor
from actions.journal import Journal
from actions.plan import AnyEvent, Asker, Plan, PlanDone, PlanFailed, Step
from actions.session import Session
from actions.step_thread import Talk, Work

Deed = Callable[[Talk], str]


def step(ident: str, longest: float | None = None, target: str = "") -> Step:
    """Give a step of a plan."""
    return Step(
        id=ident,
        title=f"Do {ident}",
        touches=(),
        command=ident,
        longest_seconds=longest,
        target_id=target,
    )


class Steps:
    """Verbs of a layout made of the test's own steps.

    Attributes:
        deeds: what each step does, by its id (a step that goes back by the id it was given).
        way_back: the steps that lead back.
        fresh: the plan as it would be made now; None is as it was made.
        log: the ids of the steps, in the order in which they were done.
    """

    def __init__(self, **deeds: Deed) -> None:
        self.deeds = deeds
        self.way_back: tuple[Step, ...] = ()
        self.fresh: Plan | None = None
        self.left: dict[str, Any] = {"state": "as it was"}
        self.log: list[str] = []
        self.aborted: list[str] = []
        self.asked_back: list[tuple[tuple[str, ...], str]] = []

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        raise NotImplementedError

    def replan(self, plan: Plan) -> Plan:
        return self.fresh or plan

    def work(self, plan: Plan, step: Step) -> Work:
        return _Deed(self, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        return self.left

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        self.asked_back.append((tuple(one.id for one in done), broken.id if broken else ""))
        return self.way_back

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        return msgspec.structs.replace(plan, id=f"{plan.id}-back", steps=self.way_back)


class _Deed:
    def __init__(self, verbs: Steps, step: Step) -> None:
        self._verbs = verbs
        self._step = step
        # One that goes back is known by what it was called before.
        self._name = step.id.split("-")[-1]

    def run(self, talk: Talk) -> str:
        self._verbs.log.append(self._step.id)
        return self._verbs.deeds[self._name](talk)

    def abort(self) -> None:
        self._verbs.aborted.append(self._step.id)


def done(_talk: Talk) -> str:
    """Do a step that goes well."""
    return "done"


def layout_plan(session: Session, *steps: Step, **changed: Any) -> Plan:
    """Give a switch made of steps."""
    plan = Plan(
        id=new_plan_id(session),
        verb="switch",
        target="dual",
        target_id="dual",
        subject="layout",
        steps=steps,
        longest_seconds=sum(one.longest_seconds or 5.0 for one in steps),
        locks=("service-a", "service-b"),
        created_at=session.clock.now(),
        asker=session.asker("cli"),
    )
    return msgspec.structs.replace(plan, **changed)


def execute(session: Session, verbs: Steps, plan: Plan) -> PlanDone | PlanFailed:
    """Carry a plan out as a runner does."""
    journal = Journal(session)
    journal.save(plan)
    event = Executor(session, journal, verbs).run(plan)
    assert journal.events(plan.id)[-1][1] == event
    return event


def events_of(session: Session, plan: Plan) -> list[AnyEvent]:
    """Give what the journal has of a plan."""
    return [event for _, event in Journal(session).events(plan.id)]


class Gate:
    """Lets a step wait until the test says so."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def wait(self, _talk: Talk) -> str:
        """Do a step that waits."""
        self.reached.set()
        self.open.wait(20)
        return "through"
