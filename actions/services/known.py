"""The services of a host from look to look: found anew only when something they rest on changed."""

from collections.abc import Mapping

from actions.declared import GpuOrder
from actions.services.find import services_of
from actions.services.memory import ServiceMemory
from actions.services.snapshot import Service, ServiceStatus
from actions.services.status import Look, statuses
from actions.services.targets import targets_of
from actions.session import Session
from actions.snapshot import Claim
from console.engine.snapshot import Container, EngineSnapshot
from console.gpu.snapshot import GpuSnapshot
from console.models.catalog import Catalog
from console.services.reading import Reading, StartLog, Target


class KnownServices:
    """Finds the services of a host and remembers them; for one thread.

    Args:
        session: with the config.
        once: for one look alone.
    """

    def __init__(self, session: Session, *, once: bool = False) -> None:
        self._session = session
        self._memory = ServiceMemory(once)
        self._rest_on: object = None
        self._services: tuple[Service, ...] = ()

    def services(self, containers: tuple[Container, ...]) -> tuple[Service, ...]:
        """Give configured and discovered services."""
        settings = self._session.settings
        rest_on = (settings, containers)
        if rest_on != self._rest_on:
            self._services = services_of(settings, containers)
            self._rest_on = rest_on
        return self._services

    def targets(self, engine: EngineSnapshot) -> tuple[Target, ...]:
        """Give what the service doors are to look at; nothing before the engine has answered."""
        if engine.state == "connecting":
            return ()
        services = self.services(engine.containers)
        known = engine.state == "connected"
        return targets_of(services, engine.containers, engine_known=known)

    def statuses(
        self,
        gpu: GpuSnapshot,
        engine: EngineSnapshot,
        claims: Mapping[str, Claim],
        wsl: bool | None,
        readings: Mapping[str, Reading],
        start_logs: Mapping[str, StartLog],
    ) -> tuple[ServiceStatus, ...]:
        """Give the status of every service; none before the engine has answered or failed."""
        if engine.state == "connecting" and not engine.containers:
            return ()
        services = self.services(engine.containers)
        clock = self._session.clock
        # Reading the catalogue takes longer than all else here.
        wanted = any(one.variant for one in services)
        look = Look(
            engine=engine,
            order=GpuOrder(gpu.gpus),
            claims=claims,
            readings=readings,
            start_logs=start_logs,
            wsl=wsl,
            now=clock.now(),
            monotonic=clock.monotonic(),
            catalog=self._session.catalog if wanted else Catalog(),
        )
        return statuses(services, look, self._memory)
