"""What verbs have in common that change a service's settings and make its container anew."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from actions.containers.back import refuse_changed
from actions.fit.model import Fit
from actions.plan import Check, Plan, Step
from actions.service_verbs.around import Around
from actions.service_verbs.compose_change import restore_step, settle_steps
from actions.service_verbs.goal import runs
from actions.service_verbs.steps import StartHow, start_steps, stop_steps
from actions.service_verbs.stop import stop_how
from actions.service_verbs.way_back import look_before_going_back, patience
from actions.services.snapshot import ServiceStatus
from actions.session import Session

WELL = frozenset({"ready", "busy", "misplaced", "needs-auth"})
"""How a service is that comes back as well."""
_ENDED = ("done", "failed", "interrupted")


class Anew(NamedTuple):
    """How a service gets its new container.

    Attributes:
        runs: it runs now.
        starts: it is to run then.
        gpu_uuid: the card it must sit on then; None is the one it is meant for.
    """

    runs: bool
    starts: bool
    gpu_uuid: str | None = None


def anew_steps(
    around: Around,
    status: ServiceStatus,
    options: Mapping[str, Any],
    between: Sequence[Step],
    anew: Anew,
    fit: Fit | None = None,
) -> tuple[Step, ...]:
    """Give the steps that stop a service, do something, and make its container from what is then.

    Args:
        around: the look at the host.
        status: the service.
        options: those of stop and start.
        between: what is done once it has stopped.
        anew: see there.
        fit: its pre-check.
    """
    stops = stop_steps(around, status, stop_how(options)) if anew.runs else ()
    if not anew.starts:
        return (*stops, *between, *settle_steps(around, status))
    how = StartHow(gpu_uuid=anew.gpu_uuid, recreate=True, ready_limit=options.get("ready_limit"))
    return (*stops, *between, *start_steps(around, _stopped(status), fit, how))


def softened(fitting: Sequence[Check], *, starts: bool) -> tuple[Check, ...]:
    """Give what the pre-check says; of a service that stays stopped nothing is refused."""
    if starts:
        return tuple(fitting)
    return tuple(
        msgspec.structs.replace(one, verdict="warn") if one.verdict == "refuse" else one
        for one in fitting
    )


def facts_before(plan: Plan) -> Mapping[str, Any]:
    """Give what was true before a plan, or before the one that it goes on with."""
    before: Mapping[str, Any] = plan.facts.get("continues") or plan.facts
    return before


def rollback_anew(
    session: Session,
    plan: Plan,
    done: Sequence[Step],
    broken: Step | None,
    more: Callable[[ServiceStatus], tuple[Step, ...]] | None = None,
) -> tuple[Step, ...]:
    """Give the steps that put settings and container back as they were, from what is true now.

    What was not well before is not waited for: it is only as it was.

    Args:
        session: to look at the host.
        plan: whose facts are `running`, `edits`, and those of the service.
        done: its steps that ended well.
        broken: the step that failed; None where it ended between two.
        more: steps after the file was put back.
    """
    if not done and broken is None:
        return ()
    before = facts_before(plan)
    name = plan.target_id
    around = look_before_going_back(session, {name})
    status = around.status(name)
    running = runs(around, status)
    anew = status.container_id != before.get("id")
    edit = dict(before.get("edits") or {}).get(name)
    steps: list[Step] = []
    if running and anew:
        steps += stop_steps(around, status)
    if edit is not None:
        steps.append(restore_step(status, edit))
    if more is not None:
        steps += more(status)
    if not before.get("running"):
        return (*steps, *(settle_steps(around, status) if anew else ()))
    if running and not anew:
        return tuple(steps)
    longest = patience(status, plan.options.get("ready_limit"))
    how = StartHow(gpu_uuid=before.get("gpu_uuid"), recreate=anew, ready_limit=longest)
    starts = start_steps(around, _stopped(status), None, how)
    return (*steps, *(starts if before.get("well", True) else starts[:1]))


def back_anew(
    session: Session,
    plan: Plan,
    left: Mapping[str, Any],
    facts: Sequence[str],
    options: Mapping[str, Any],
) -> Plan:
    """Make the plan that takes one back, by the same verb.

    Args:
        session: to look at the host.
        plan: the one to take back.
        left: how it left the service; empty where nobody saw it.
        facts: names of those that the way back rests on.
        options: of the plan, beside them.

    Raises:
        RefusedError: others have changed the service since (`undo.changed`).
    """
    from actions.service_verbs.verbs import ServiceVerbs

    verbs = ServiceVerbs(session)
    if left:
        refuse_changed(plan, left, verbs.left_behind(plan))
    back = {name: plan.facts.get(name) for name in facts}
    asker = session.asker(plan.asker.via)
    return verbs.plan(plan.verb, plan.target_id, {**options, "back": back}, asker)


def was_running(session: Session, verb: str, name: str) -> bool:
    """Tell whether the service was stopped by a plan of ours that was interrupted on its way."""
    from actions.journal import Journal, as_plan

    rows = Journal(session).plans.newest(_ENDED, limit=100)
    row = next((one for one in rows if one.target_id == name), None)
    plan = as_plan(row) if row is not None and row.verb == verb else None
    if row is None or plan is None or row.state != "interrupted" or row.left_behind:
        return False
    return bool(facts_before(plan).get("running"))


def _stopped(status: ServiceStatus) -> ServiceStatus:
    return msgspec.structs.replace(status, state="stopped", activity="", reading=None)
