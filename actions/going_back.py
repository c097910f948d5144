"""Restoring what was before a plan that did not end well, under the locks it holds."""

from collections.abc import Sequence

import msgspec

from actions.plan import Plan, PlanFailed, Step
from actions.stepping import Stepper
from actions.verbs import Verbs
from console.errors import ConsoleError

_PREFIX = "back-"


def go_back(
    verbs: Verbs,
    stepper: Stepper,
    plan: Plan,
    done: Sequence[Step],
    broken: Step | None,
    end: PlanFailed,
) -> PlanFailed:
    """Do the steps that lead back, if there are any, and give the end with what came of them.

    Args:
        verbs: who knows the way back.
        stepper: does the steps; a wish to cancel is not heard any more.
        plan: that did not end well.
        done: its steps that did.
        broken: its step that did not, if it was one.
        end: how it ended.
    """
    if not done and broken is None:
        return end
    try:
        steps = verbs.rollback(plan, done, broken)
    except ConsoleError as error:
        again = f"gpuconsole jobs back {plan.id} tries it again"
        return _told(end, "no", f"going back was not possible: {error.title}; {again}")
    if not steps:
        return end
    stepper.let_go()
    went, failures = _do(stepper, steps)
    if not failures:
        return _told(end, "yes", "went back: what was there before is restored")
    outcome = "partly" if went else "no"
    said = "; ".join(failures)
    return _told(end, outcome, f"going back did not go well: {said}")


def _do(stepper: Stepper, steps: Sequence[Step]) -> tuple[int, list[str]]:
    """Do each step, but none of a target that one has failed for; gives how many went well."""
    went, failures, lost = 0, [], set[str]()
    for number, step in enumerate(steps, start=1):
        if step.target_id in lost:
            failures.append(f"{step.title} was left undone")
            continue
        try:
            stepper.do(_named(step, number), back=True)
            went += 1
        except ConsoleError as error:
            lost.add(step.target_id)
            failures.append(f"{step.title}: {error.title}")
    return went, failures


def _named(step: Step, number: int) -> Step:
    """Give a step an id that tells that it goes back, and that no other step of the run has."""
    return msgspec.structs.replace(step, id=f"{_PREFIX}{number}-{step.id.removeprefix(_PREFIX)}")


def _told(end: PlanFailed, went_back: str, text: str) -> PlanFailed:
    """Give the end with what came of going back; how a step left things is no news after it."""
    words = f"{end.text}; {text}" if end.text and went_back != "yes" else text
    return msgspec.structs.replace(end, went_back=went_back, text=words)
