"""Carrying a plan out: gate, locks, a second look at its facts, its steps, each journalled."""

import os
import socket
import threading
from typing import Any, Protocol

from actions import gate
from actions.journal import Journal
from actions.plan import (
    AnyEvent,
    Asker,
    Plan,
    PlanDone,
    PlanFailed,
    PlanStarted,
    Refusal,
    Step,
    StepFinished,
    StepProgress,
    StepStarted,
)
from actions.session import Session
from actions.trouble import StepError
from console.errors import ConsoleError, UsageError
from console.store.locks import Held, Holder, LockFolder, Taken
from console.unknown import iso_time

_TICK_SECONDS = 0.1
_CANCEL_LOOK_SECONDS = 0.3
_VERDICTS = ("ready", "warned", "refused")


class Work(Protocol):
    """One step, ready to be done."""

    def run(self) -> str:
        """Do it, and give the result in words; belongs to one thread."""
        ...

    def abort(self) -> None:
        """Stop waiting for it, from another thread."""
        ...


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
                return self.failure(plan, "refused", _held_error(plan, taken))
            with taken:
                return self._run_alone(plan)
        except BaseException as error:
            self._finish(plan, self._crashed(plan, error))
            raise

    def _run_alone(self, plan: Plan) -> PlanDone | PlanFailed:
        if not self._journal.begin(plan, os.getpid()):
            title = f"plan {plan.id} was begun before"
            return self.failure(plan, "refused", ConsoleError("plan.begun", title))
        reason = gate.refusal(self._session) or plan.refusal
        if reason is not None:
            return self._finish(plan, self.refusal_event(plan, reason))
        held = self._locks.acquire(plan.locks, self._holder(plan))
        if isinstance(held, Taken):
            return self._finish(plan, self.failure(plan, "refused", _held_error(plan, held)))
        with held:
            return self._finish(plan, self._run_locked(plan, held))

    def _run_locked(self, plan: Plan, _held: Held) -> PlanDone | PlanFailed:
        """Look again, then do the steps; the locks are held all along."""
        try:
            end = self._look_again(plan)
            if end is not None:
                return end
            self._write(PlanStarted(at=self._now(), plan_id=plan.id))
            text = ""
            for number, step in enumerate(plan.steps, start=1):
                if self._journal.plans.cancel_requested(plan.id):
                    return self._cancelled(plan, f"before step {number} of {len(plan.steps)}")
                text = self._do(plan, step)
            if self._journal.plans.cancel_requested(plan.id):
                return self._cancelled(plan, "too late to take anything back", text)
        except ConsoleError as error:
            return self.failure(plan, "failed", error)
        return PlanDone(at=self._now(), plan_id=plan.id, text=text)

    def _look_again(self, plan: Plan) -> PlanDone | PlanFailed | None:
        """Read the facts again; None where the plan still stands."""
        try:
            fresh = self._verbs.replan(plan)
        except UsageError as error:
            return self._stale(plan, None, f"{plan.target} is not there any more", error.hint)
        if fresh.target_id != plan.target_id:
            return self._stale(plan, fresh, f"{plan.target} is another container now")
        if _VERDICTS.index(fresh.verdict) > _VERDICTS.index(plan.verdict):
            said = next((one.title for one in fresh.checks if one.verdict != "pass"), "")
            return self._stale(plan, fresh, f"{plan.target} has changed: {said}")
        if not fresh.steps:
            said = fresh.checks[0].title if fresh.checks else "nothing is left to do"
            return PlanDone(at=self._now(), plan_id=plan.id, text=f"{plan.target}: {said}")
        return None

    def _do(self, plan: Plan, step: Step) -> str:
        """Do one step in a thread of its own, telling how long it takes; gives its result."""
        self._write(StepStarted(at=self._now(), plan_id=plan.id, step_id=step.id, title=step.title))
        self._touched = True
        doing = _Doing(self._verbs.work(plan, step))
        begun = self._session.clock.monotonic()
        told, looked, warned = 0, 0.0, False
        while not doing.ended.wait(_TICK_SECONDS):
            elapsed = self._session.clock.monotonic() - begun
            if elapsed > plan.longest_seconds:
                doing.work.abort()
                raise _outlasted(plan)
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

    def refusal_event(self, plan: Plan, reason: Refusal) -> PlanFailed:
        """Give the event for a plan that the gate or its own checks refuse."""
        return self.failure(plan, "refused", gate.as_error(reason))

    def _cancelled(self, plan: Plan, where: str, text: str = "") -> PlanFailed:
        """Say that the wish to cancel was met, or came too late for what was sent already."""
        return PlanFailed(
            at=self._now(),
            plan_id=plan.id,
            outcome="interrupted",
            code="plan.cancelled",
            title=f"{plan.verb} {plan.target} was cancelled, {where}",
            text=text or f"{plan.target} was not touched",
            exit_code=130,
        )

    def _stale(self, plan: Plan, fresh: Plan | None, title: str, hint: str = "") -> PlanFailed:
        return PlanFailed(
            at=self._now(),
            plan_id=plan.id,
            outcome="stale",
            code="plan.stale",
            title=title,
            hint=hint or "Look at the new plan and ask again",
            text="nothing was changed",
            exit_code=3,
            plan=fresh,
        )

    def failure(self, plan: Plan, outcome: str, error: ConsoleError) -> PlanFailed:
        """Give the event for a plan that ends with an error."""
        words = f"{error.hint} ({error.detail})" if error.hint and error.detail else error.detail
        return PlanFailed(
            at=self._now(),
            plan_id=plan.id,
            outcome=outcome,
            code=error.code,
            title=error.title,
            hint=words or error.hint,
            offers=error.offers if isinstance(error, StepError) else (),
            exit_code=int(error.exit_code),
        )

    def _crashed(self, plan: Plan, error: BaseException) -> PlanFailed:
        title = f"{plan.verb} {plan.target} broke off: {type(error).__name__}"
        hint = f"A fault of gpuconsole; the log {self._session.places.log_file} has more"
        return self.failure(plan, "interrupted", ConsoleError("plan.broke-off", title, hint))

    def _finish(self, plan: Plan, event: PlanDone | PlanFailed) -> PlanDone | PlanFailed:
        """Journal the end with the state things were left in, and give it."""
        left: dict[str, Any] = {}
        if self._touched:
            try:
                left = self._verbs.left_behind(plan)
            except ConsoleError as error:
                event = _add_text(event, f"its state is not known: {error.title}")
            else:
                event = _add_text(event, f"{plan.target} is {left.get('state')} now")
        self._journal.finish(plan, event, left)
        return event

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

    def _now(self) -> Any:
        return self._session.clock.now()


class _Doing:
    """A step's work in a daemon thread, so that its end can be waited for in bits."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.ended = threading.Event()
        self._text = ""
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="plan-step", daemon=True).start()

    def result(self) -> str:
        """Give the result once it has ended, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._text

    def _run(self) -> None:
        try:
            self._text = self.work.run()
        except BaseException as error:  # noqa: BLE001 -- raised again by result()
            self._error = error
        finally:
            self.ended.set()


def plan_lock(plan_id: str) -> str:
    """Give the name of the lock that says that somebody runs a plan."""
    return f"plan-{plan_id}"


def _outlasted(plan: Plan) -> StepError:
    return StepError(
        "plan.outlasted",
        f"{plan.verb} {plan.target} was not over after {plan.longest_seconds:g} s",
        "The engine may still do it; look at its state, or kill the container",
        offers=("kill",) if plan.verb in {"stop", "restart"} else (),
    )


def _held_error(plan: Plan, taken: Taken) -> ConsoleError:
    """Name who works on the target."""
    from console.errors import RefusedError

    holder = taken.holder
    if holder is None:
        who, hint = "somebody else works on it", "Wait until it is done and ask again"
    else:
        who = f"{holder.user} does {holder.what} since {holder.since}"
        hint = f"Wait for plan {holder.plan_id} (process {holder.pid} on {holder.host}) to end"
    return RefusedError("lock.held", f"{plan.target} is taken: {who}", hint)


def _add_text(event: PlanDone | PlanFailed, text: str) -> PlanDone | PlanFailed:
    """Say in a failure in what state things were left; a success has said so itself."""
    import msgspec

    if isinstance(event, PlanDone) or event.text:
        return event
    return msgspec.structs.replace(event, text=text)
