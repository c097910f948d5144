"""How a plan may end other than well, each end as its event."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from actions import gate
from actions.plan import Plan, PlanDone, PlanFailed, Refusal, Step
from actions.trouble import CancelledStepError, StepError
from actions.wish import CANCEL, PAUSE
from console.errors import ConsoleError, ExitCode, RefusedError
from console.store.locks import Taken


def refused(plan: Plan, reason: Refusal, at: datetime) -> PlanFailed:
    """Give the end of a plan that the gate or its own checks refuse."""
    return failed(plan, "refused", gate.as_error(reason), at)


def failed(plan: Plan, outcome: str, error: ConsoleError, at: datetime) -> PlanFailed:
    """Give the end of a plan by an error, with the outside thing's own words in the hint."""
    words = f"{error.hint} ({error.detail})" if error.hint and error.detail else error.detail
    return PlanFailed(
        at=at,
        plan_id=plan.id,
        outcome=outcome,
        code=error.code,
        title=error.title,
        hint=words or error.hint,
        offers=error.offers if isinstance(error, StepError) else (),
        exit_code=int(error.exit_code),
    )


def stale(plan: Plan, fresh: Plan | None, title: str, at: datetime) -> PlanFailed:
    """Give the end of a plan whose ground has moved; `fresh` is what would be planned now."""
    return PlanFailed(
        at=at,
        plan_id=plan.id,
        outcome="stale",
        code="plan.stale",
        title=title,
        hint="Look at how it is now and ask again",
        text="nothing was changed",
        exit_code=int(ExitCode.REFUSED),
        plan=fresh,
    )


def by_error(
    plan: Plan, step: Step, number: int, error: Exception, log_file: Path, at: datetime
) -> PlanFailed:
    """Give the end of a plan by what its step `number` (from 1) raised."""
    if isinstance(error, CancelledStepError):
        return cancelled_in(plan, step, number, error, at)
    if isinstance(error, ConsoleError):
        end = failed(plan, str(getattr(error, "outcome", "failed")), error, at)
        if not plan.pausable and end.outcome == "failed":
            return end  # it is over: what was sent is not sent again
        return msgspec.structs.replace(end, hint=_with_way_on(plan, end.hint))
    return broke_off(plan, error, log_file, at)


def as_wished(end: PlanFailed, wish: str) -> PlanFailed:
    """Give the end of a plan that somebody ended early, by what they wished.

    Args:
        end: as of one that was cancelled.
        wish: `pause`, `cancel`, or `leave` where its process had to go.
    """
    if wish == CANCEL:
        return end
    ident = end.plan_id
    if wish == PAUSE:
        outcome, word, hint = "paused", "paused", f"gpuconsole jobs resume {ident} goes on"
    else:
        outcome, word = "interrupted", "interrupted, because its process was told to end"
        hint = f"It is gone on with by the next gpuconsole, or by gpuconsole jobs resume {ident}"
    return msgspec.structs.replace(
        end,
        outcome=outcome,
        code=f"plan.{outcome}",
        title=end.title.replace(" was cancelled", f" was {word}"),
        hint=hint,
    )


def _with_way_on(plan: Plan, hint: str) -> str:
    """Add to a hint how a download that failed is gone on with: nothing it has is lost."""
    if not plan.endless:
        return hint
    on = f"gpuconsole jobs resume {plan.id} goes on where it stopped"
    return f"{hint}; {on}" if hint else on


def cancelled(plan: Plan, where: str, text: str, at: datetime) -> PlanFailed:
    """Say that the wish to cancel was met, or came too late for what was sent already."""
    return PlanFailed(
        at=at,
        plan_id=plan.id,
        outcome="cancelled" if plan.endless else "interrupted",
        code="plan.cancelled",
        title=f"{plan.verb} {plan.target} was cancelled, {where}",
        text=text,
        exit_code=int(ExitCode.INTERRUPTED),
    )


def cancelled_before(plan: Plan, number: int, at: datetime) -> PlanFailed:
    """Say that the wish to cancel was met before step `number` (from 1)."""
    text = f"{plan.target} was not touched" if number == 1 and not plan.endless else ""
    return cancelled(plan, f"before step {number} of {len(plan.steps)}", text, at)


def cancelled_in(
    plan: Plan, step: Step, number: int, error: ConsoleError, at: datetime
) -> PlanFailed:
    """Say that a step ended early because somebody asked to cancel, and how it left things."""
    # The steps of a download are named at length, and its text says the file.
    name = "" if plan.endless else f" ({step.title})"
    where = f"in step {number} of {len(plan.steps)}{name}"
    return cancelled(plan, where, error.title, at)


def cancelled_late(plan: Plan, text: str, at: datetime) -> PlanFailed:
    """Say that the wish to cancel came after the last step's work was begun; `text` is its result.

    What was done is taken back all the same, where there is a way back.
    """
    back = plan.subject != "container"
    where = "after its last step" if back else "too late to take anything back"
    return cancelled(plan, where, text, at)


def broke_off(plan: Plan, error: BaseException, log_file: Path, at: datetime) -> PlanFailed:
    """Give the end of a plan by a fault of this program."""
    title = f"{plan.verb} {plan.target} broke off: {type(error).__name__}"
    hint = f"A fault of gpuconsole; the log {log_file} may have more"
    return failed(plan, "interrupted", ConsoleError("plan.broke-off", title, hint), at)


def outlasted(plan: Plan, step: Step, longest: float, last: str = "") -> StepError:
    """Give the error of a step that took longer than the plan promised; `last` is its last word."""
    what = f"{plan.verb} {plan.target}" if step.longest_seconds is None else step.title
    heard = f"; last heard: {last}" if last else ""
    if plan.subject != "container":
        hint = "What it was told to do it may still do; look at its state"
        return StepError("plan.outlasted", f"{what} was not over after {longest:g} s{heard}", hint)
    return StepError(
        "plan.outlasted",
        f"{what} was not over after {longest:g} s{heard}",
        "The engine may still do it; look at its state, or kill the container",
        offers=("kill",) if plan.verb in {"stop", "restart"} else (),
    )


def lock_held(plan: Plan, taken: Taken) -> RefusedError:
    """Name who works on the target."""
    holder = taken.holder
    if holder is None:
        who, hint = "somebody else works on it", "Wait until it is done and ask again"
    else:
        who = f"{holder.user} does {holder.what} since {holder.since}"
        hint = (
            f"Wait for plan {holder.plan_id} (process {holder.pid} on {holder.host}) to end; "
            f"gpuconsole jobs cancel {holder.plan_id} asks it to"
        )
    return RefusedError("lock.held", f"{plan.target} is taken: {who}", hint)


def with_state(
    event: PlanDone | PlanFailed, text: str, left: dict[str, Any]
) -> PlanDone | PlanFailed:
    """Say in a failure in what state things were left; a success has said so itself."""
    if isinstance(event, PlanDone):
        return event
    words = f"{event.text}; {text}" if event.went_back and event.text else event.text or text
    return msgspec.structs.replace(event, text=words, left=left)
