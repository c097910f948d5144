"""The service that an edit runs on: chosen among those that are up, and met through its door."""

from collections.abc import Callable, Sequence

import msgspec

from actions.edits.request import EditRequest
from actions.services.find import service_named
from actions.services.snapshot import ServiceStatus
from actions.services.targets import targets_of
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.workflow import Workflow
from console.errors import UnreachableError, UsageError
from console.services.reading import Target
from console.text import clean_line
from console.web.client import WebClient

_DOWN = frozenset({"absent", "created", "stopped"})
_BEST = ("ready", "misplaced", "busy", "unhealthy", "starting", "needs-auth", "unreachable")


def choose_service(
    snapshot: HostSnapshot, workflow: Workflow, request: EditRequest
) -> ServiceStatus:
    """Give the service that an edit runs on: as named, else the best there is of its kind.

    One that loads the variant asked for comes before others, one that is idle before one at work.

    Raises:
        UsageError: no service is called so, or it is of another kind.
        UnreachableError: there is none of that kind, or it does not run.
    """
    status = _named(snapshot, request.service) if request.service else None
    if status is None:
        status = _best(snapshot.services, workflow.service, request.variant)
    if status.service.kind != workflow.service:
        raise UsageError(
            "workflow.kind",
            f"{workflow.name} runs on {workflow.service}, {status.name} is {status.service.kind}",
            "`gpuconsole workflows list` says which runs where",
        )
    if status.state in _DOWN:
        raise UnreachableError(
            "service.not-running",
            f"{status.name} does not run ({status.state})",
            f"`gpuconsole start {status.name}` starts it",
        )
    return status


def target_of(status: ServiceStatus) -> Target:
    """Give where a service is met, and how to log in."""
    return msgspec.structs.replace(targets_of([status.service], ())[0], running=True)


def connector(session: Session, target: Target) -> Callable[[], WebClient]:
    """Give what makes HTTP clients of a service, one for each thread of talk."""

    def connect() -> WebClient:
        from console.services.door import client_for

        return client_for(target, session.environ)

    return connect


def target_named(session: Session, name: str) -> Target | None:
    """Give where a service is met by its name, from the config, else by a look at the host."""
    from actions.services.find import services_of
    from actions.status import read_status

    for service in services_of(session.settings, ()):
        if service.name == name and service.url:
            return msgspec.structs.replace(targets_of([service], ())[0], running=True)
    for status in read_status(session).services:
        if status.name == name and status.service.url:
            return target_of(status)
    return None


def _named(snapshot: HostSnapshot, name: str) -> ServiceStatus:
    several = snapshot.services
    found = service_named([one.service for one in several], snapshot.engine.containers, name)
    for one in several:
        if found is not None and one.name == found.name:
            return one
    names = ", ".join(one.name for one in several) or "none"
    raise UsageError(
        "service.unknown", f"there is no service {clean_line(name, 80)!r}", f"Services: {names}"
    )


def _best(several: Sequence[ServiceStatus], kind: str, variant: str) -> ServiceStatus:
    there = [one for one in several if one.service.kind == kind]
    if not there:
        raise UnreachableError(
            "workflow.no-service",
            f"no {kind} is known here",
            "`gpuconsole status` shows the services; `gpuconsole config adopt` adds some",
        )

    def worth(one: ServiceStatus) -> tuple[bool, bool, int]:
        rank = _BEST.index(one.state) if one.state in _BEST else len(_BEST)
        other = bool(variant) and one.service.variant != variant
        return one.state in _DOWN, rank >= _BEST.index("unhealthy"), rank + 10 * other

    return min(there, key=worth)
