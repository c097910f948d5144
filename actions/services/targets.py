"""What the service doors are to look at: each service's address, login and present run."""

from collections.abc import Iterable, Sequence

from actions.services.find import container_of
from actions.services.snapshot import Service
from console.engine.snapshot import Container
from console.services.reading import Target
from console.unknown import known


def targets_of(
    services: Iterable[Service], containers: Sequence[Container], *, engine_known: bool = True
) -> tuple[Target, ...]:
    """Give a target for each service.

    A service whose container does not run is not asked: whoever answers at its address then is
    somebody else. One without a container, such as a plain process or one on another host, is.

    Args:
        services: configured and discovered ones.
        containers: all containers of the engine.
        engine_known: False while the engine does not answer: its old list says nothing of now, so
            every service with an address is asked.
    """
    return tuple(_target(one, container_of(one, containers), engine_known) for one in services)


def _target(service: Service, container: Container | None, engine_known: bool) -> Target:
    auth = service.auth
    running = not engine_known or _runs(service, container)
    return Target(
        name=service.name,
        kind=service.kind,
        url=service.url,
        scheme=auth.scheme if auth is not None else "",
        secret_env=auth.env or "" if auth is not None else "",
        secret_file=str(auth.file) if auth is not None and auth.file is not None else "",
        parameter=auth.name if auth is not None else "token",
        container_id=container.id if container is not None else "",
        started_at=started_at(container) if container is not None and running else "",
        running=running,
    )


def started_at(container: Container) -> str:
    """Give when a container's present run began as text, ISO 8601; empty where that is not told.

    It names the run: a reading or a log of another run says nothing of this one.
    """
    moment = container.started_at
    if container.state not in {"running", "paused"} or moment is None or not known(moment):
        return ""
    return moment.isoformat()


def _runs(service: Service, container: Container | None) -> bool:
    if container is not None:
        return container.state == "running"
    return not (service.container or service.compose_service)
