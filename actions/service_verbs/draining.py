"""Waiting until a service has done its jobs, or interrupting the one under way."""

from actions.service_verbs.doing import Doing
from actions.service_verbs.jobs import busy, job_text, jobs, work_of
from actions.service_verbs.words import limit
from actions.services.snapshot import ServiceStatus
from actions.trouble import StepError
from console.services.reading import Job
from console.units import format_duration


def drain(doing: Doing) -> str:
    """Wait until a service is idle; jobs that arrive meanwhile are told and waited for too.

    Raises:
        StepError: it was still busy at the limit (`service.still-busy`).
        CancelledStepError: somebody asked to cancel; the service works on.
    """
    longest = float(doing.options["limit"])
    most = 0
    while True:
        seen = doing.look()
        status = seen.status
        if status is None:
            why = seen.problem.title if seen.problem is not None else "it is gone"
            doing.tell(f"what {doing.name} does is not known: {why}")
        elif not status.up:
            return f"{doing.name} is {status.state} already"
        elif _tells(status):
            if not busy(status):
                return f"{doing.name} is idle after {doing.taken()}"
            many = jobs(status)
            came = f"; {many - most} more arrived" if 0 < most < many else ""
            most = max(most, many)
            doing.tell(f"waiting for {work_of(status)}{came}")
        else:
            doing.tell(f"{doing.name} does not tell what it does: {_why(status)}")
        if doing.over(longest):
            raise StepError(
                "service.still-busy",
                f"{doing.name} was not idle after {format_duration(longest)}: {_last_word(status)}",
                f"{doing.name} was not stopped; wait longer with --wait-limit, or --interrupt",
            )
        doing.pause(limit("drain", "look_every"), f"{doing.name} was not stopped: it works on")


def interrupt(doing: Doing) -> str:
    """Interrupt the job under way and see that it ended.

    Raises:
        StepError: it goes on all the same (`service.not-interrupted`).
        ServiceFault: the service did not take the order.
    """
    before = doing.look().status
    if before is None or not before.up:
        return f"{doing.name} does not run: there is nothing to interrupt"
    if not _tells(before):
        return f"{doing.name} does not tell what it works on, so nothing was interrupted"
    if not busy(before):
        return f"{doing.name} is idle: there is nothing to interrupt"
    with doing.door(before) as door:
        door.interrupt()
    doing.tell(f"told {doing.name} to interrupt {job_text(before)}")
    while True:
        status = doing.look().status
        if status is None or not status.up or (_tells(status) and _ended(before, status)):
            return f"{job_text(before)} was interrupted"
        if doing.over(limit("drain", "interrupt_limit")):
            raise StepError(
                "service.not-interrupted",
                f"{doing.name} still works on {job_text(status)} "
                f"{doing.taken()} after it was told to stop",
                f"{doing.name} was not stopped; without --interrupt its container is all the same",
            )
        doing.pause(limit("drain", "look_every"), f"{doing.name} was told to interrupt its job")


def _ended(before: ServiceStatus, now: ServiceStatus) -> bool:
    """Tell whether the job of before is not the one under way now."""
    if not (now.reading and now.reading.busy):
        return True
    first, second = _job(before), _job(now)
    return bool(first.ident and second.ident and first.ident != second.ident)


def _job(status: ServiceStatus) -> Job:
    return (status.reading.job if status.reading else None) or Job()


def _tells(status: ServiceStatus) -> bool:
    """Tell whether its API answered as it does, so that idle is idle."""
    return status.reading is not None and status.reading.answer == "ready"


def _why(status: ServiceStatus) -> str:
    problem = status.reading.problem if status.reading else None
    return problem.title if problem is not None else f"it is {status.state}"


def _last_word(status: ServiceStatus | None) -> str:
    if status is None:
        return "what it does is not known"
    return work_of(status) if _tells(status) else _why(status)
