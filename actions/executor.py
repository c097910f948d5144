"""Carrying a plan out: gate, locks, a second look at its facts, its steps, each journalled."""

import os
import socket
from datetime import datetime
from typing import Any, Protocol

from actions import endings, gate
from actions.journal import Journal
from actions.plan import (
    AnyEvent,
    Asker,
    Plan,
    PlanDone,
    PlanFailed,
    PlanStarted,
    Step,
    StepFinished,
    StepProgress,
    StepStarted,
)
from actions.session import Session
from actions.step_thread import StepThread, Talk, Work
from console.errors import ConsoleError, UsageError
from console.store.locks import Holder, LockFolder, Taken
from console.unknown import iso_time

_TICK_SECONDS = 0.1
_CANCEL_LOOK_SECONDS = 0.3
_VERDICTS = ("ready", "warned", "refused")


class Verbs(Protocol):
    """What the executor asks of whoever knows a kind of target."""

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make a plan."""
        ...

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan from what is true now."""
        ...

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out."""
        ...

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Give the target's facts as they are now."""
        ...


class Executor:
    """Carries out one plan in the calling thread; all it tells goes through the journal."""

    def __init__(self, session: Session, journal: Journal, verbs: Verbs) -> None:
        self._session = session
        self._journal = journal
        self._verbs = verbs
        self._locks = LockFolder(session.places)
        self._touched = False

    def run(self, plan: Plan) -> PlanDone | PlanFailed:
        """Carry a saved plan out and give its last event; whatever happens is journalled."""
        try:
            taken = self._locks.acquire([plan_lock(plan.id)], self._holder(plan))
            if isinstance(taken, Taken):
                return endings.failed(plan, "refused", endings.lock_held(plan, taken), self._now())
            with taken:
                return self._run_alone(plan)
        except BaseException as error:
            self._finish(
                plan, endings.broke_off(plan, error, self._session.places.log_file, self._now())
            )
            raise

    def _run_alone(self, plan: Plan) -> PlanDone | PlanFailed:
        if not self._journal.begin(plan, os.getpid()):
            title = f"plan {plan.id} was begun before"
            return endings.failed(plan, "refused", ConsoleError("plan.begun", title), self._now())
        reason = gate.refusal(self._session) or plan.refusal
        if reason is not None:
            return self._finish(plan, endings.refused(plan, reason, self._now()))
        held = self._locks.acquire(plan.locks, self._holder(plan))
        if isinstance(held, Taken):
            return self._finish(
                plan, endings.failed(plan, "refused", endings.lock_held(plan, held), self._now())
            )
        with held:
            event, left = self._look_at_what_is_left(plan, self._run_locked(plan))
        # The locks are free before the end is told: who hears it may begin with the next plan.
        self._journal.finish(plan, event, left)
        return event

    def _run_locked(self, plan: Plan) -> PlanDone | PlanFailed:
        """Look again, then do the steps; the caller holds the locks all along."""
        try:
            end = self._look_again(plan)
            if end is not None:
                return end
            self._write(PlanStarted(at=self._now(), plan_id=plan.id))
            text = ""
            for number, step in enumerate(plan.steps, start=1):
                if self._journal.plans.cancel_requested(plan.id):
                    return endings.cancelled(
                        plan, f"before step {number} of {len(plan.steps)}", "", self._now()
                    )
                text = self._do(plan, step)
            if self._journal.plans.cancel_requested(plan.id):
                return endings.cancelled(plan, "too late to take anything back", text, self._now())
        except ConsoleError as error:
            return endings.failed(plan, "failed", error, self._now())
        return PlanDone(at=self._now(), plan_id=plan.id, text=text)

    def _look_again(self, plan: Plan) -> PlanDone | PlanFailed | None:
        """Read the facts again; None where the plan still stands."""
        try:
            fresh = self._verbs.replan(plan)
        except UsageError:
            return endings.stale(plan, None, f"{plan.target} is not there any more", self._now())
        if fresh.target_id != plan.target_id:
            return endings.stale(
                plan, fresh, f"{plan.target} is another container now", self._now()
            )
        if _VERDICTS.index(fresh.verdict) > _VERDICTS.index(plan.verdict):
            said = next((one.title for one in fresh.checks if one.verdict != "pass"), "")
            return endings.stale(plan, fresh, f"{plan.target} has changed: {said}", self._now())
        if not fresh.steps:
            said = fresh.checks[0].title if fresh.checks else "nothing is left to do"
            return PlanDone(at=self._now(), plan_id=plan.id, text=f"{plan.target}: {said}")
        return None

    def _do(self, plan: Plan, step: Step) -> str:
        """Do one step in a thread of its own, telling how long it takes; gives its result."""
        self._write(StepStarted(at=self._now(), plan_id=plan.id, step_id=step.id, title=step.title))
        self._touched = True
        begun = self._session.clock.monotonic()
        said: list[str] = []
        talk = Talk(said.append, lambda: self._journal.plans.cancel_requested(plan.id))
        doing = StepThread(self._verbs.work(plan, step), talk)
        told, looked, warned = 0, 0.0, False
        while not doing.ended.wait(_TICK_SECONDS):
            if plan.interactive:
                continue
            elapsed = self._session.clock.monotonic() - begun
            if elapsed > plan.longest_seconds:
                doing.work.abort()
                raise endings.outlasted(plan)
            if not warned and elapsed - looked >= _CANCEL_LOOK_SECONDS:
                looked = elapsed
                warned = self._journal.plans.cancel_requested(plan.id)
                if warned:
                    text = f"{step.title}: cannot be taken back once sent; waiting for its end"
                    self._progress(plan, step, text, elapsed)
            if int(elapsed) > told:
                told = int(elapsed)
                self._progress(plan, step, step.title, elapsed)
        text = doing.result()
        self._write(StepFinished(at=self._now(), plan_id=plan.id, step_id=step.id, text=text))
        return text

    def _progress(self, plan: Plan, step: Step, text: str, elapsed: float) -> None:
        self._write(
            StepProgress(
                at=self._now(),
                plan_id=plan.id,
                step_id=step.id,
                text=text,
                elapsed_seconds=round(elapsed, 1),
                longest_seconds=plan.longest_seconds,
            )
        )

    def _finish(self, plan: Plan, event: PlanDone | PlanFailed) -> PlanDone | PlanFailed:
        """Journal the end of a plan that did not get to its steps, or broke off."""
        event, left = self._look_at_what_is_left(plan, event)
        self._journal.finish(plan, event, left)
        return event

    def _look_at_what_is_left(
        self, plan: Plan, event: PlanDone | PlanFailed
    ) -> tuple[PlanDone | PlanFailed, dict[str, Any]]:
        """Give the end with the state things were left in, and that state's facts."""
        if not self._touched:
            return event, {}
        try:
            left = self._verbs.left_behind(plan)
        except ConsoleError as error:
            return endings.with_text(event, f"its state is not known: {error.title}"), {}
        return endings.with_text(event, f"{plan.target} is {left.get('state')} now"), left

    def _holder(self, plan: Plan) -> Holder:
        asker = plan.asker
        origin = f" (from {asker.ssh_origin})" if asker.ssh_origin else ""
        return Holder(
            pid=os.getpid(),
            user=f"{asker.user}{origin}",
            host=socket.gethostname(),
            plan_id=plan.id,
            since=iso_time(self._now()),
            what=f"{plan.verb} {plan.target}",
        )

    def _write(self, event: AnyEvent) -> None:
        self._journal.write(event)

    def _now(self) -> datetime:
        return self._session.clock.now()


def plan_lock(plan_id: str) -> str:
    """Give the name of the lock that says that somebody runs a plan."""
    return f"plan-{plan_id}"
