"""The pre-check of a service: does it fit where it is meant to run."""

from actions.fit.answer import answer
from actions.fit.case import Ask, Case, open_case, status_named
from actions.fit.holders import card_of
from actions.fit.model import USUAL_TASK, Fit, Task
from actions.fit.ways import with_ways_out
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.unknown import Unknown

NOTHING: frozenset[str] = frozenset()


def fit_service(
    session: Session,
    snapshot: HostSnapshot,
    name: str,
    *,
    gpu_uuid: str | None = None,
    variant: str | None = None,
    task: Task = USUAL_TASK,
    stopped: frozenset[str] = NOTHING,
    freed: frozenset[str] = NOTHING,
    started: frozenset[str] = NOTHING,
    extras: tuple[str, ...] = (),
    ways_out: bool = True,
) -> Fit:
    """Give the verdict of starting a service now, with its arithmetic and the ways out.

    Args:
        session: settings and catalogue.
        snapshot: the host, with its services.
        name: of the service.
        gpu_uuid: another card than the one it is meant for.
        variant: another variant than its own.
        task: the edit that it is to do.
        stopped: services that are thought stopped.
        freed: services that are thought without their model, and asleep.
        started: services that are thought running.
        extras: ids of LoRAs and ControlNets beside the variant.
        ways_out: also look for ways out; they cost some milliseconds.

    Raises:
        UsageError: there is no such service.
    """
    case = open_case(session, snapshot)
    status = status_named(snapshot, name)
    ask = Ask(
        gpu_uuid=gpu_uuid if gpu_uuid is not None else _card(case, status),
        status=status,
        variant=variant or "",
        task=task,
        extras=extras,
        stopped=stopped,
        freed=freed,
        started=started,
    )
    fit = answer(case, ask)
    return with_ways_out(case, ask, fit) if ways_out else fit


def _card(case: Case, status: ServiceStatus) -> str | Unknown:
    where = card_of(case, status)
    return "" if where is None else where
