"""Stand-ins for what the console talks to: a host that stands still, scripted operations."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from actions.downloads import Download
from actions.jobs import Job
from actions.operations import RunningPlan
from actions.plan import (
    AnyEvent,
    Asker,
    Check,
    Plan,
    PlanDone,
    PlanStarted,
    Refusal,
    Step,
    StepStarted,
)
from actions.snapshot import HostSnapshot
from actions.take_up import TakenUp
from actions.timeline import TimelineEntry
from console.errors import ConsoleError
from console.unknown import Unknown
from tests.support.snapshots import NOW, ident

ASKER = Asker(user="jesse", ssh_origin="192.0.2.7", via="tui")


class StillLive:
    """A live host that shows one snapshot until it is given another."""

    def __init__(self, snapshot: HostSnapshot) -> None:
        self.now = snapshot
        self.started = 0
        self.stopped = 0
        self.watched: Sequence[str] = ()
        self._callbacks: list[Callable[[], None]] = []

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def snapshot(self) -> HostSnapshot:
        return self.now

    def subscribe(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def watch_usage(self, ids: Sequence[str]) -> None:
        self.watched = ids

    def become(self, snapshot: HostSnapshot) -> None:
        """Change the host and tell everybody, as a sampler does."""
        self.now = snapshot
        for callback in self._callbacks:
            callback()


def make_plan(verb: str = "stop", name: str = "myia", **changes: Any) -> Plan:
    """Make a plan of one step that is ready to run."""
    undo = {"stop": "start", "start": "stop"}.get(verb, "")
    values: dict[str, Any] = {
        "id": f"plan-{verb}-{name}",
        "verb": verb,
        "target": name,
        "target_id": ident(name),
        "steps": (
            Step(
                id="1",
                title=f"{verb.capitalize()} {name}",
                touches=(f"container {name}",),
                command=f"docker {verb} {name}",
                destructive=verb == "kill",
                undo=f"docker {undo} {name}" if undo else "",
            ),
        ),
        "checks": (
            Check(
                id="grace", title="it gets 10 s to end by itself, then it is killed", verdict="pass"
            ),
        ),
        "longest_seconds": 25.0,
        "created_at": NOW,
        "asker": ASKER,
    }
    return Plan(**{**values, **changes})


def refused(plan: Plan) -> Plan:
    """Give a plan as a read-only console marks it."""
    why = Refusal(
        code="policy.read-only",
        title="this console is read-only: it changes nothing",
        hint="Start it without --read-only, or set policy.read_only = false in the config",
    )
    return msgspec.structs.replace(plan, verdict="refused", refusal=why)


def done(plan: Plan, text: str) -> list[AnyEvent]:
    """Give the events of a plan that goes well."""
    return [
        PlanStarted(at=NOW, plan_id=plan.id),
        StepStarted(at=NOW, plan_id=plan.id, step_id="1", title=plan.steps[0].title),
        PlanDone(at=NOW, plan_id=plan.id, text=text),
    ]


class Script:
    """Operations that do what a test says and remember what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.options: list[dict[str, Any]] = []
        self.ran: list[str] = []
        self.cancelled: list[str] = []
        self.paused: list[str] = []
        self.resumed: list[str] = []
        self.same = ("", "")
        self.listed: tuple[Job, ...] = ()
        self.over: tuple[Job, ...] = ()
        self.downloads: tuple[Download, ...] = ()
        self.taken_up: tuple[TakenUp, ...] = ()
        self.plans: dict[str, Plan | Callable[[dict[str, Any]], Plan]] = {}
        self.error: ConsoleError | None = None
        self.problem: Unknown | None = None
        self.events: dict[str, Sequence[AnyEvent] | Iterator[AnyEvent]] = {}
        self.under_way: tuple[RunningPlan, ...] = ()
        self.entries: tuple[TimelineEntry, ...] = ()

    def plan(self, verb: str, name: str, **options: Any) -> Plan:
        self.asked.append((verb, name))
        self.options.append(options)
        if self.error is not None:
            raise self.error
        known = {ident(item): item for item in ("myia", "myia-turbo", "comfyui-qwen", "watchtower")}
        plan = self.plans.get(verb)
        if callable(plan):
            return plan(options)
        return plan or make_plan(verb, known.get(name, name))

    def resume_plan(self, plan_id: str) -> Plan:
        self.asked.append(("go on", plan_id))
        plan = self.plans.get("go on")
        if isinstance(plan, Plan):
            return plan
        return make_plan("switch", "dual", subject="layout", continues=plan_id)

    def back_plan(self, plan_id: str) -> Plan:
        self.asked.append(("go back", plan_id))
        return make_plan("switch", "exclusive", subject="layout", undoes=plan_id)

    def run(self, plan: Plan) -> Iterator[AnyEvent]:
        self.ran.append(plan.verb)
        yield from self.events.get(plan.verb) or done(plan, f"{plan.target} is as asked")

    def follow(self, plan_id: str) -> Iterator[AnyEvent]:
        yield from self.events.get(plan_id, ())

    def cancel(self, plan_id: str) -> bool:
        self.cancelled.append(plan_id)
        return True

    def pause(self, plan_id: str) -> bool:
        self.paused.append(plan_id)
        if self.error is not None:
            raise self.error
        return True

    def resume(self, plan_id: str) -> bool:
        self.resumed.append(plan_id)
        if self.error is not None:
            raise self.error
        return True

    def same_job(self, plan: Plan) -> tuple[str, str]:
        return self.same

    def jobs(self, *, everything: bool = False) -> Sequence[Job]:
        return (*self.listed, *self.over) if everything else self.listed

    def take_up(self) -> Sequence[TakenUp]:
        return self.taken_up

    def running_downloads(self) -> Sequence[Download]:
        return self.downloads

    def running(self) -> Sequence[RunningPlan]:
        return self.under_way

    def undo(self) -> Plan:
        self.asked.append(("undo", ""))
        return make_plan("start", "myia", undoes="plan-stop-myia")

    def timeline(self, limit: int, *, plans: int = 0) -> Sequence[TimelineEntry]:
        return self.entries[:limit]


def entry(verb: str, target: str, outcome: str, minutes: float, text: str) -> TimelineEntry:
    """Make a journal entry that is `minutes` old."""
    return TimelineEntry(
        at=NOW - timedelta(minutes=minutes),
        kind="plan",
        plan_id=f"plan-{verb}-{target}",
        verb=verb,
        target=target,
        target_id=ident(target),
        command=f"docker {verb} {target}",
        user="jesse",
        ssh_origin="192.0.2.7",
        via="tui",
        outcome=outcome,
        text=text,
        duration_seconds=10.2,
        undoes="",
    )
