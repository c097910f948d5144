"""What plans of services look at before they are made: the host, its containers, the commands."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from actions.containers.docker import docker_command
from actions.containers.facts import ContainerFacts, facts_of
from actions.containers.verbs import PATIENCE_SECONDS
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status
from console.engine.faults import EngineUnreachableError, NoSuchContainerError
from console.errors import UsageError
from console.gpu.snapshot import Gpu
from console.mask import mask_text
from console.text import clean_line
from console.unknown import Unknown

if TYPE_CHECKING:
    from console.engine.client import EngineClient

# A plan rather waits for a slow engine than says something about services without it.
_ENGINE_SECONDS = 30.0
_NO_WORD = Unknown("engine.no-word", "the engine does not answer", "look at it: docker version")


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the host, for all the plans and steps that are made of it.

    Attributes:
        snapshot: cards, engine, services.
        facts: by container id: the inspected containers of the services in question.
        others: running containers that have ports of the host.
        docker: how to call docker for this engine, as it may be shown.
    """

    snapshot: HostSnapshot
    facts: dict[str, ContainerFacts] = {}
    others: tuple[ContainerFacts, ...] = ()
    docker: tuple[str, ...] = ("docker",)

    def status(self, name: str) -> ServiceStatus:
        """Give the service of a name.

        Raises:
            UsageError: there is none (`service.unknown`).
        """
        for status in self.snapshot.services:
            if status.name == name:
                return status
        raise UsageError("service.unknown", f"There is no service {clean_line(name, 80)}")

    def container(self, status: ServiceStatus) -> ContainerFacts | None:
        """Give the container of a service; None where it has none now."""
        return self.facts.get(status.container_id)

    def gpu(self, uuid: object) -> Gpu | None:
        """Give a card by its UUID; None where it is not here."""
        return next((gpu for gpu in self.snapshot.gpu.gpus if gpu.uuid == uuid), None)

    def card_name(self, uuid: object) -> str:
        """Give a card's name for people, its UUID where the driver tells none."""
        gpu = self.gpu(uuid)
        if gpu is None:
            return str(uuid)
        return gpu.uuid if isinstance(gpu.name, Unknown) else gpu.name


def look_around(session: Session, names: Collection[str] | None = None) -> Around:
    """Read the host once and inspect the containers of the named services (None: of all).

    Raises:
        EngineError: the engine does not answer as it should.
    """
    snapshot = read_status(session, _ENGINE_SECONDS)
    engine = snapshot.engine
    if engine.state != "connected":
        why = _NO_WORD if engine.problem is None else engine.problem
        raise EngineUnreachableError(why.code, why.title, why.hint)
    wanted = [
        status.container_id
        for status in snapshot.services
        if status.container_id and (names is None or status.name in names)
    ]
    with engine_client(session) as client:
        listed = client.list()
        inspected = (_inspected(client, ident) for ident in dict.fromkeys(wanted))
        facts = {one.id: one for one in inspected if one is not None}
        others = _with_ports(client, listed, facts)
    docker = tuple(mask_text(word) for word in docker_command(session.endpoint))
    return Around(snapshot=snapshot, facts=facts, others=others, docker=docker)


def engine_client(session: Session) -> "EngineClient":
    """Give a client of the engine for the calling thread; close it."""
    # The docker SDK takes a tenth of a second to import: only who asks the engine pays it.
    from console.engine.client import EngineClient

    return EngineClient(session.endpoint, PATIENCE_SECONDS)


def _with_ports(
    client: "EngineClient",
    listed: Sequence[Mapping[str, Any]],
    facts: Mapping[str, ContainerFacts],
) -> tuple[ContainerFacts, ...]:
    """Look at the running containers that have ports, where one to be started wants ports."""
    if not any(one.ports and not one.runs for one in facts.values()):
        return ()
    found = []
    for entry in listed:
        if any(port.get("PublicPort") for port in entry.get("Ports") or ()):
            ident = str(entry.get("Id") or "")
            found.append(facts.get(ident) or _inspected(client, ident))
    return tuple(one for one in found if one is not None and one.runs)


def _inspected(client: "EngineClient", ident: str) -> ContainerFacts | None:
    try:
        return facts_of(client.inspect(ident))
    except NoSuchContainerError:
        return None
