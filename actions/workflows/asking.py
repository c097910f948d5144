"""The service that a workflow is checked against: found by name, asked through its door."""

from typing import Any

import msgspec

from actions.services.find import service_named
from actions.services.snapshot import ServiceStatus
from actions.services.targets import targets_of
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status
from console.errors import UnreachableError, UsageError
from console.text import clean_line

_DOWN = frozenset({"absent", "created", "stopped"})


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a service told of itself.

    Attributes:
        service: its name. kind: `comfyui` or `forge`.
        variant: id of the variant it loads, by config or discovery; may be empty.
        version: empty where it does not tell.
        object_info: of ComfyUI's nodes, as it came: text in it is raw.
        checkpoints: of Forge.
    """

    service: str
    kind: str
    variant: str = ""
    version: str = ""
    object_info: dict[str, Any] = {}
    checkpoints: tuple[str, ...] = ()


def ask_service(session: Session, name: str = "", kind: str = "comfyui") -> Told:
    """Ask a service for all that workflows are checked against.

    Args:
        session: whose host.
        name: of a service or its container; empty for the only one of its kind.
        kind: `comfyui` or `forge`, where no name is given.

    Raises:
        UsageError: no service is called so, it is of no kind that runs workflows, or there are
            several and none is named.
        UnreachableError: there is none of that kind, or it does not run.
        ServiceFault: it does not answer, or oddly.
    """
    return ask_status(session, _chosen(read_status(session), name, kind))


def ask_status(session: Session, status: ServiceStatus) -> Told:
    """Ask a service that was found already.

    Raises:
        UsageError: it is of no kind that runs workflows.
        UnreachableError: it does not run.
        ServiceFault: it does not answer, or oddly.
    """
    if status.state in _DOWN:
        raise UnreachableError(
            "service.not-running",
            f"{status.name} does not run ({status.state})",
            f"`gpuconsole start {status.name}` starts it",
        )
    # The HTTP client takes a tenth of a second to import.
    from console.comfyui.door import ComfyDoor
    from console.forge.door import ForgeDoor
    from console.services.door import open_door

    target = msgspec.structs.replace(targets_of([status.service], ())[0], running=True)
    facts: dict[str, Any] = {
        "service": status.name,
        "kind": status.service.kind,
        "variant": status.service.variant,
    }
    with open_door(target, session.environ, session.clock) as door:
        if isinstance(door, ComfyDoor):
            # Asked first: one that hangs is found out in seconds, its list of nodes takes longer.
            facts["version"] = _text(door.system_stats().version)
            return Told(**facts, object_info=door.object_info())
        if isinstance(door, ForgeDoor):
            return Told(**facts, checkpoints=tuple(one.title for one in door.checkpoints()))
    raise UsageError(
        "workflow.kind",
        f"{status.name} is neither a ComfyUI nor a Forge",
        "Workflows run on those",
    )


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _chosen(snapshot: HostSnapshot, name: str, kind: str) -> ServiceStatus:
    several = snapshot.services
    if name:
        found = service_named([one.service for one in several], snapshot.engine.containers, name)
        for one in several:
            if found is not None and one.name == found.name:
                return one
        names = ", ".join(one.name for one in several) or "none"
        raise UsageError(
            "service.unknown", f"there is no service {clean_line(name, 80)!r}", f"Services: {names}"
        )
    there = [one for one in several if one.service.kind == kind]
    up = [one for one in there if one.state not in _DOWN] or there
    if len(up) > 1:
        names = " or ".join(one.name for one in up)
        raise UsageError(
            "service.several", f"several services are {kind}", f"Name one: --service {names}"
        )
    if not up:
        raise UnreachableError(
            "workflow.no-service",
            f"no {kind} is known here",
            "`gpuconsole status` shows the services; `gpuconsole config adopt` adds some",
        )
    return up[0]
