"""Carrying a plan out: gate, locks, a second look at its facts, its steps, each journalled."""

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from actions import endings, gate
from actions.dropping import CANCELLED, dropped
from actions.going_back import go_back
from actions.journal import Journal
from actions.plan import Plan, PlanDone, PlanFailed, PlanStarted, Step
from actions.session import Session
from actions.staleness import worse
from actions.stepping import Stepper
from actions.transfer import merged
from actions.trouble import PausedStepError
from actions.verbs import Verbs
from actions.wish import PAUSE
from console.errors import ConsoleError, UsageError
from console.store.locks import Held, Holder, LockFolder, Taken
from console.unknown import iso_time

# Whoever ran it before may still be on its way out.
_LEAVING_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.05


def _never() -> bool:
    return False


class Executor:
    """Carries out one plan in the calling thread; all it tells goes through the journal."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        verbs: Verbs,
        told_to_end: Callable[[], bool] = _never,
    ) -> None:
        """Take what the run of a plan rests on.

        Args:
            session: settings, places, clock.
            journal: where all of it is written.
            verbs: who knows the kind of target.
            told_to_end: whether a signal told this process to end.
        """
        self._session = session
        self._journal = journal
        self._verbs = verbs
        self._locks = LockFolder(session.places)
        self._told_to_end = told_to_end
        self._pause = threading.Event()
        self._stepper: Stepper | None = None

    def run(self, plan: Plan) -> PlanDone | PlanFailed:
        """Carry a saved plan out and give its last event; whatever happens is journalled."""
        try:
            taken = self._take(plan)
            if isinstance(taken, Taken):
                return endings.failed(plan, "refused", endings.lock_held(plan, taken), self._now())
            with taken:
                return self._run_alone(plan)
        except BaseException as error:
            self._finish(
                plan, endings.broke_off(plan, error, self._session.places.log_file, self._now())
            )
            raise

    def _take(self, plan: Plan) -> Held | Taken:
        """Take the plan itself; one that was paused a moment ago may still be somebody's."""
        until = self._session.clock.monotonic() + (_LEAVING_SECONDS if plan.endless else 0.0)
        while True:
            taken = self._locks.acquire([plan_lock(plan.id)], self._holder(plan))
            if isinstance(taken, Held) or self._session.clock.monotonic() >= until:
                return taken
            self._pause.wait(_LOOK_AGAIN_SECONDS)

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
            # The steps of one without an end of its own look for themselves, each time they begin.
            end = None if plan.endless else self._look_again(plan)
        except ConsoleError as error:
            return endings.failed(plan, "failed", error, self._now())
        if end is not None:
            return end
        self._journal.write(PlanStarted(at=self._now(), plan_id=plan.id))
        self._stepper = Stepper(self._session, self._journal, self._verbs, plan, self._told_to_end)
        return self._do_all(plan, self._stepper)

    def _do_all(self, plan: Plan, stepper: Stepper) -> PlanDone | PlanFailed:
        """Do the steps in their order; one that does not end well leads back, where there is a way.

        Whoever asks to cancel is heard in between, and by the steps that can end early.
        """
        done: list[Step] = []
        text, results = "", list[dict[str, Any]]()
        for number, step in enumerate(plan.steps, start=1):
            wish = stepper.wish.kind_now()
            if wish:
                end = endings.cancelled_before(plan, number, self._now())
                return self._end_early(stepper, plan, done, None, endings.as_wished(end, wish))
            try:
                text, result = stepper.do(step)
            except Exception as error:
                end = endings.by_error(
                    plan, step, number, error, self._session.places.log_file, self._now()
                )
                if isinstance(error, PausedStepError):
                    end = endings.as_wished(end, stepper.wish.kind() or PAUSE)
                end = self._end_early(stepper, plan, done, step, end)
                if isinstance(error, ConsoleError):
                    return end
                self._finish(plan, end)
                raise
            done.append(step)
            results.append(result)
        if stepper.wish.there_now() and not plan.endless:
            end = endings.cancelled_late(plan, text, self._now())
            return self._end_early(stepper, plan, done, None, end)
        return PlanDone(at=self._now(), plan_id=plan.id, text=text, result=merged(results))

    def _end_early(
        self, stepper: Stepper, plan: Plan, done: list[Step], broken: Step | None, end: PlanFailed
    ) -> PlanFailed:
        """Go back where there is a way; a download keeps what it has, unless it was given up."""
        if not plan.endless:
            return go_back(self._verbs, stepper, plan, done, broken, end)
        return dropped(self._verbs, plan, end) if end.outcome == CANCELLED else end

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
        said = worse(plan, fresh)
        if said:
            return endings.stale(plan, fresh, f"{plan.target} has changed: {said}", self._now())
        if not fresh.steps:
            said = fresh.checks[0].title if fresh.checks else "nothing is left to do"
            return PlanDone(at=self._now(), plan_id=plan.id, text=f"{plan.target}: {said}")
        return None

    def _finish(self, plan: Plan, event: PlanDone | PlanFailed) -> PlanDone | PlanFailed:
        """Journal the end of a plan that did not get to its steps, or broke off."""
        event, left = self._look_at_what_is_left(plan, event)
        self._journal.finish(plan, event, left)
        return event

    def _look_at_what_is_left(
        self, plan: Plan, event: PlanDone | PlanFailed
    ) -> tuple[PlanDone | PlanFailed, dict[str, Any]]:
        """Give the end with the state things were left in, and that state's facts."""
        if plan.endless or self._stepper is None or not self._stepper.touched:
            return event, {}
        try:
            left = self._verbs.left_behind(plan)
        except ConsoleError as error:
            return endings.with_state(event, f"its state is not known: {error.title}", {}), {}
        text = str(left.get("text") or f"{plan.target} is {left.get('state')} now")
        return endings.with_state(event, text, left), left

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

    def _now(self) -> datetime:
        return self._session.clock.now()


def plan_lock(plan_id: str) -> str:
    """Give the name of the lock that says that somebody runs a plan."""
    return f"plan-{plan_id}"
