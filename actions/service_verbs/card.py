"""Seeing that a service sits on the card it is meant for, by its own word."""

from actions.service_verbs.doing import Doing, Seen
from actions.service_verbs.words import limit
from actions.services.snapshot import ServiceStatus
from actions.trouble import StepError
from console.unknown import Unknown

_TRUSTED = frozenset({"observed", "processes"})


def check_card(doing: Doing) -> str:
    """Compare the card a service says it computes on with the one it is meant for.

    Where it does not tell, that is said, and is no failure.

    Raises:
        StepError: it sits on another card (`service.misplaced`, the hint says what to change); it
            is left running where the plan does not lead back.
        CancelledStepError: somebody asked to cancel.
    """
    meant = str(doing.options["gpu"])
    while True:
        seen = doing.look()
        status = seen.status
        if status is not None and not status.up:
            raise StepError("service.ended", f"{doing.name} is {status.state} already")
        if status is not None and status.gpu_source in _TRUSTED and status.gpu_uuid:
            return _compared(doing, seen, status, meant)
        silent = status is not None and (status.service.kind == "other" or doing.had_login)
        if doing.over(limit("ready", "card_limit")) or silent:
            return _untold(doing, seen)
        doing.tell(f"which card {doing.name} is on it has not told yet")
        doing.pause(limit("ready", "look_every"), f"{doing.name} runs; its card was not looked at")


def _compared(doing: Doing, seen: Seen, status: ServiceStatus, meant: str) -> str:
    by = "as it says itself" if status.gpu_source == "observed" else "by the driver's processes"
    if status.gpu_uuid == meant:
        return f"{doing.name} is {status.activity or status.state} on {_card(seen, meant)}, {by}"
    left = "" if doing.leads_back else "; it is left running"
    here, there = _card(seen, status.gpu_uuid), _card(seen, meant)
    raise StepError(
        "service.misplaced",
        f"{doing.name} is on {here}, not on {there}, {by}{left}",
        status.advice or f"gpuconsole move {doing.name} --gpu {meant} changes its settings",
    )


def _untold(doing: Doing, seen: Seen) -> str:
    status = seen.status
    declared = status.gpu_declared_uuid if status else None
    leads = ""
    if isinstance(declared, str):
        leads = f"; its settings lead to {_card(seen, declared)}"
    state = (status.activity or status.state) if status else "started"
    return f"{doing.name} is {state}; which card it is on is not known: it does not tell{leads}"


def _card(seen: Seen, uuid: object) -> str:
    gpu = seen.gpu(uuid)
    if gpu is None:
        return f"a card that is not read ({uuid})"
    return gpu.uuid if isinstance(gpu.name, Unknown) else gpu.name
