"""The plan desk: asks for plans, runs them off the screen's thread, keeps what is under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from textual.message_pump import MessagePump

from actions.plan import (
    AnyEvent,
    Plan,
    PlanDone,
    PlanFailed,
    PlanStarted,
    StepFinished,
    StepProgress,
    StepStarted,
)
from actions.services.snapshot import Service
from actions.session import Session
from console.errors import ConsoleError
from console.unknown import Unknown
from screens.tui.background import start, tell
from screens.tui.messages import (
    DownloadsFound,
    JobsRead,
    JournalFound,
    PlanEnded,
    PlanEvent,
    PlanProblem,
    PlanReady,
    Said,
    TimelineRead,
    Wanted,
)
from screens.tui.view import Job as Shown

if TYPE_CHECKING:
    from actions.downloads import Download
    from actions.jobs import Job
    from actions.take_up import TakenUp
    from actions.timeline import TimelineEntry


class RunningLike(Protocol):
    """A plan that runs somewhere, as `Operations.running()` gives it."""

    @property
    def plan(self) -> Plan:
        """Give the plan."""
        ...


class Operator(Protocol):
    """What the desk needs of `actions.operations.Operations`."""

    @property
    def problem(self) -> Unknown | None:
        """Say what is wrong with journal or locks."""
        ...

    def plan(self, verb: str, name: str, **options: Any) -> Plan:
        """Make a plan; changes nothing."""
        ...

    def resume_plan(self, plan_id: str) -> Plan:
        """Make the plan that goes on where an interrupted one was left."""
        ...

    def back_plan(self, plan_id: str) -> Plan:
        """Make the plan that restores what was before an interrupted one."""
        ...

    def run(self, plan: Plan) -> Iterator[AnyEvent]:
        """Run a plan that was confirmed."""
        ...

    def follow(self, plan_id: str) -> Iterator[AnyEvent]:
        """Watch a plan that runs elsewhere."""
        ...

    def cancel(self, plan_id: str) -> object:
        """Ask a plan to end early."""
        ...

    def pause(self, plan_id: str) -> object:
        """Ask a download to stop and keep what it has."""
        ...

    def resume(self, plan_id: str) -> object:
        """Go on with a download that waits, under its own id."""
        ...

    def same_job(self, plan: Plan) -> tuple[str, str]:
        """Give a job that does exactly what a pull would, by id and state; else empty."""
        ...

    def take_up(self) -> Sequence[TakenUp]:
        """Go on with the downloads that nobody runs any more; cheap where there is none."""
        ...

    def running_downloads(self) -> Sequence[Download]:
        """Give the downloads that have not ended for good; cheap where there is none."""
        ...

    def jobs(self, *, everything: bool = False) -> Sequence[Job]:
        """Give what is under way and what was left; with `everything` also what is over."""
        ...

    def running(self) -> Sequence[RunningLike]:
        """Give the plans that run now."""
        ...

    def undo(self) -> Plan:
        """Make the plan that takes the last one back."""
        ...

    def timeline(self, limit: int, *, plans: int = 0) -> Sequence[object]:
        """Give the newest entries of the timeline, and so many plans at least."""
        ...


class Desk:
    """Everything a screen does with plans; each call returns at once and answers by messages.

    `make` gives the operations; it is called in a thread at the first use, because importing and
    opening them has no place before the first frame.
    """

    def __init__(
        self, pump: MessagePump, make: Callable[[], Operator], monotonic: Callable[[], float]
    ) -> None:
        self._pump = pump
        self._make = make
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._operator: Operator | None = None
        self.jobs: dict[str, Shown] = {}
        self.started_here: set[str] = set()
        self._watched: set[str] = set()
        self._planning: set[str] = set()
        self._plans: dict[str, Plan] = {}

    def propose(
        self,
        verb: str,
        target_id: str,
        name: str,
        preface: str = "",
        options: Mapping[str, Any] | None = None,
        then: tuple[Wanted, ...] = (),
    ) -> None:
        """Ask for a plan; `PlanReady` or `PlanProblem` comes back.

        A key pressed again while its plan is being made asks for nothing more.

        Args:
            verb: what is to be done.
            target_id: what to: a container's id, the name of a service or of a layout.
            name: the same for people.
            preface: why it is proposed; the question begins with it.
            options: of the verb, such as `{"force": True}`.
            then: what is wanted once it has succeeded, one after the other.
        """
        given = dict(options or {})
        wanted = Wanted(verb, target_id, name, given)

        def make() -> PlanReady:
            plan = self._open().plan(verb, target_id, **given)
            joined = self._join(plan) if verb == "pull" and plan.refusal is None else ""
            return PlanReady(plan, preface, wanted, then, joined)

        self._make_plan(make, f"{verb} {name}", f"{verb} {target_id} {sorted(given.items())}")

    def _join(self, plan: Plan) -> str:
        """Take the job that fetches just this, if there is one; say what it does now."""
        job_id, state = self._open().same_job(plan)
        if not job_id:
            return ""
        if state in {"queued", "running"}:
            return f"{plan.target} is being fetched already"
        self._go_on(job_id)
        return f"{plan.target} was {state.replace('_', ' ')} and goes on"

    def go_on(self, entry: TimelineEntry) -> None:
        """Go on with what was interrupted: a download as it is, another by a plan that is asked."""
        if entry.plan_id and entry.endless:
            self.resume(entry.plan_id, entry.target)
        elif entry.plan_id:
            self.propose_on(entry.plan_id)

    def propose_on(self, plan_id: str) -> None:
        """Ask for the plan that goes on with an interrupted one."""
        self._make_plan(
            lambda: PlanReady(self._open().resume_plan(plan_id), "This goes on where it stopped."),
            "go on",
            f"on {plan_id}",
        )

    def propose_back(self, plan_id: str) -> None:
        """Ask for the plan that restores what was before an interrupted one."""
        self._make_plan(
            lambda: PlanReady(self._open().back_plan(plan_id), "This restores what was before."),
            "go back",
            f"back {plan_id}",
        )

    def propose_undo(self) -> None:
        """Ask for the plan that takes the last one back."""
        self._make_plan(lambda: PlanReady(self._open().undo()), "undo", "undo")

    def _make_plan(self, make: Callable[[], PlanReady], doing: str, what: str) -> None:
        if what in self._planning:
            return
        self._planning.add(what)

        def work() -> None:
            try:
                ready = make()
            finally:
                self._planning.discard(what)
            tell(self._pump, ready)

        self._start(work, doing)

    def run(self, plan: Plan) -> None:
        """Run a plan that was confirmed; its events come back one by one."""
        self.started_here.add(plan.id)
        self._watch(plan, lambda operator: operator.run(plan))

    def run_here(self, plan: Plan) -> list[PlanEvent]:
        """Run a plan that takes over the terminal, in the calling thread, to its end.

        Raises:
            ConsoleError: it cannot be run at all.
        """
        self.started_here.add(plan.id)
        self._watched.add(plan.id)
        return [
            PlanEvent(
                plan.id, plan.verb, plan.target, plan.detached, event, plan.endless, plan.subject
            )
            for event in self._open().run(plan)
        ]

    def look_round(self) -> None:
        """Go on with downloads whose process has died, and watch what runs."""

        def work() -> None:
            try:
                for one in self._open().take_up():
                    if one.problem is None:
                        tell(self._pump, Said(f"{one.what} goes on: {one.why}", "ok", "▶"))
                    else:
                        tell(self._pump, PlanProblem(f"go on with {one.what}", one.problem))
            finally:
                self.follow_running()

        self._start(work, "look round", quiet=True)

    def follow_running(self) -> None:
        """Watch the plans that other consoles or an earlier one have started."""

        def work() -> None:
            for running in self._open().running():
                plan = running.plan
                if plan.id not in self._watched:
                    self._watch(plan, lambda operator, plan_id=plan.id: operator.follow(plan_id))  # type: ignore[misc]
            tell(self._pump, DownloadsFound(self._open().running_downloads()))

        self._start(work, "look for running plans", quiet=True)

    def cancel(self, plan_id: str) -> None:
        """Ask a plan to end early."""
        job = self.jobs.get(plan_id)
        if job is not None:
            self.jobs[plan_id] = msgspec.structs.replace(job, cancelling=True)

        def work() -> None:
            self._open().cancel(plan_id)

        self._start(work, "cancel")

    def pause(self, plan_id: str, name: str) -> None:
        """Ask a download to stop and keep what it has; `Said` or `PlanProblem` comes back."""

        def work() -> None:
            self._open().pause(plan_id)
            tell(self._pump, Said(f"asked {name} to pause", "text", "◑"))
            tell(self._pump, JobsRead(self._open().jobs()))

        self._start(work, f"pause {name}")

    def resume(self, plan_id: str, name: str) -> None:
        """Go on with a download that waits; it is followed from then on."""

        def work() -> None:
            self._go_on(plan_id)
            tell(self._pump, Said(f"{name} goes on", "ok", "▶"))

        self._start(work, f"go on with {name}")

    def _go_on(self, plan_id: str) -> None:
        self._open().resume(plan_id)
        self._watched.discard(plan_id)
        tell(self._pump, JobsRead(self._open().jobs()))
        self.follow_running()

    def read_jobs(self, everything: bool = False) -> None:
        """Read what is under way and what was left; `JobsRead` comes back."""
        if "jobs" in self._planning:
            return
        self._planning.add("jobs")

        def work() -> None:
            try:
                found = self._open().jobs(everything=everything)
            finally:
                self._planning.discard("jobs")
            tell(self._pump, JobsRead(found))

        self._start(work, "read the jobs")

    def adopt(self, session: Session, service: Service) -> None:
        """Write a discovered service into the config; `Said` or `PlanProblem` comes back."""

        def work() -> None:
            # The config's writer keeps comments and takes its time to import.
            from actions.services.adopt import adopt

            adopt(session, (service,))
            tell(self._pump, Said(f"{service.name} is in the config now", "ok", "✔"))

        self._start(work, f"adopt {service.name}")

    def read_timeline(self, limit: int, plans: int = 50) -> None:
        """Read the newest entries, and so many plans at least; `TimelineRead` comes back."""

        def work() -> None:
            tell(self._pump, TimelineRead(self._open().timeline(limit, plans=plans)))

        self._start(work, "read the timeline")

    def note(self, message: PlanEvent) -> None:
        """Keep up to date what a running plan is doing."""
        event = message.event
        job = self.jobs.get(message.plan_id)
        if job is None:
            plan = self._plans.get(message.plan_id)
            job = Shown(
                plan_id=message.plan_id,
                verb=message.verb,
                target=message.target,
                text="",
                started_monotonic=self._monotonic(),
                detached=message.detached,
                steps=tuple(step.id for step in plan.steps) if plan is not None else (),
                endless=message.endless,
                subject=message.subject,
            )
        if isinstance(event, PlanDone | PlanFailed):
            self.jobs.pop(message.plan_id, None)
            return
        self.jobs[message.plan_id] = _advanced(job, event)

    def ended(self, plan_id: str) -> None:
        """Forget a plan whose events have ended."""
        self.jobs.pop(plan_id, None)
        plan = self._plans.pop(plan_id, None)
        if plan is not None and plan.endless:
            # It may be gone on with under the same id, by whomever; or it waits from now on.
            self._watched.discard(plan_id)
            self.follow_running()

    def _watch(self, plan: Plan, events: Callable[[Operator], Iterable[AnyEvent]]) -> None:
        self._watched.add(plan.id)
        self._plans[plan.id] = plan

        def work() -> None:
            try:
                for event in events(self._open()):
                    about = (plan.id, plan.verb, plan.target, plan.detached)
                    tell(self._pump, PlanEvent(*about, event, plan.endless, plan.subject))
            finally:
                tell(self._pump, PlanEnded(plan.id))
                # A disk may have filled up while the plan was written down.
                tell(self._pump, JournalFound(self._open().problem))

        self._start(work, f"{plan.verb} {plan.target}")

    def _open(self) -> Operator:
        with self._lock:
            if self._operator is None:
                self._operator = self._make()
                tell(self._pump, JournalFound(self._operator.problem))
            return self._operator

    def _start(self, work: Callable[[], None], doing: str, quiet: bool = False) -> None:
        def guarded() -> None:
            try:
                work()
            except ConsoleError as error:
                if not quiet:
                    tell(self._pump, PlanProblem(doing, error))

        start(guarded, doing.split()[0])


def _advanced(job: Shown, event: AnyEvent) -> Shown:
    """Give a job after an event that does not end it."""
    replace = msgspec.structs.replace
    if isinstance(event, PlanStarted):
        return replace(job, text="begun")
    if isinstance(event, StepStarted):
        step = job.steps.index(event.step_id) + 1 if event.step_id in job.steps else job.step
        return replace(job, text=event.title, step=step, back=event.back)
    if isinstance(event, StepProgress):
        longest = event.longest_seconds or job.longest_seconds
        transfer = event.transfer or job.transfer
        text = event.text or job.text
        edit = event.edit or job.edit
        return replace(job, text=text, longest_seconds=longest, transfer=transfer, edit=edit)
    if isinstance(event, StepFinished):
        return replace(job, text=event.text)
    return job
