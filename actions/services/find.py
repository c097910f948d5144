"""Which services there are: those of the config, and those recognised among the containers."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from actions.services.address import address_of
from actions.services.recognise import recognise
from actions.services.snapshot import Service
from console.config.schema import ServiceSettings, Settings
from console.engine.snapshot import UP, Container
from console.unknown import known

_ONE_OFF = "com.docker.compose.oneoff"
_NUMBER = "com.docker.compose.container-number"


def services_of(settings: Settings, containers: Sequence[Container]) -> tuple[Service, ...]:
    """Give the config's services in its order, then the discovered ones by name.

    A container that belongs to a service of the config is not discovered again, nor is one whose
    name a service of the config has.
    """
    found: list[Service] = []
    taken: set[str] = set()
    for name, wanted in settings.services.items():
        container = match(name, wanted, containers, settings.services)
        if container is not None:
            taken.add(container.id)
        found.append(_configured(name, wanted, container))
    others = [item for item in containers if item.id not in taken]
    discovered = (_discovered(item) for item in sorted(others, key=lambda item: item.name))
    names = set(settings.services)
    return (*found, *(one for one in discovered if one is not None and one.name not in names))


def match(
    name: str,
    wanted: ServiceSettings,
    containers: Iterable[Container],
    services: Mapping[str, ServiceSettings] | None = None,
) -> Container | None:
    """Give the container of a service of the config, or None.

    By the container's name as configured; else by the labels of the compose service that creates
    it; else, where neither is configured, the container that is called like the service.
    """
    everything = list(containers)
    if wanted.container is not None:
        named = _called(wanted.container, everything)
        if named is not None:
            return named
    if wanted.compose_service is not None:
        return _of_compose(wanted.compose_service, wanted.compose_file, everything)
    if wanted.container is not None:
        return None
    others = (services or {}).items()
    if any(other.container == name for key, other in others if key != name):
        return None
    return _called(name, everything)


def container_of(service: Service, containers: Iterable[Container]) -> Container | None:
    """Give a service's container; None where it has none."""
    return _called(service.container, containers) if service.container else None


def service_of(services: Iterable[Service], container: Container) -> Service | None:
    """Give the service that a container belongs to; None where it is none's."""
    return next((one for one in services if one.container == container.name), None)


def service_named(
    services: Sequence[Service], containers: Sequence[Container], name: str
) -> Service | None:
    """Give the service that a name means, or None where it means none.

    A service's own name goes first, then its container's name or id, then the beginning of its id
    where no other container's id begins so.
    """
    wanted = name.strip().lstrip("/")
    if not wanted:
        return None
    own = next((one for one in services if one.name == wanted), None)
    if own is not None:
        return own
    meant = [item for item in containers if item.name == wanted]
    meant = meant or [item for item in containers if item.id == wanted.lower()]
    meant = meant or [item for item in containers if item.id.startswith(wanted.lower())]
    if len(meant) == 1:
        return service_of(services, meant[0])
    if not meant:
        # Its container may be gone: the config still knows what it is called.
        return next((one for one in services if one.container == wanted), None)
    return None


def _called(name: str, containers: Iterable[Container]) -> Container | None:
    return next((item for item in containers if item.name == name), None)


def _of_compose(
    service: str, file: Path | None, containers: Iterable[Container]
) -> Container | None:
    """Give the container that a compose service created; of several the one that is up, the first.

    Without a file the service's name must belong to one project only.
    """
    found = [item for item in containers if _created_by(item, service, file)]
    projects = {item.compose.project for item in found if item.compose is not None}
    if file is None and len(projects) > 1:
        return None
    return min(found, key=_first_up, default=None)


def _created_by(container: Container, service: str, file: Path | None) -> bool:
    compose = container.compose
    if compose is None or compose.service != service:
        return False
    if dict(container.labels).get(_ONE_OFF, "").lower() == "true":
        return False
    return file is None or any(_same(path, file) for path in _files(container))


def _first_up(container: Container) -> tuple[bool, int, str]:
    number = dict(container.labels).get(_NUMBER, "")
    place = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0
    return (container.state not in UP, place, container.name)


def _same(left: Path, right: Path) -> bool:
    """Tell whether two paths are one file; links are followed only where the names agree.

    Following them asks the disk, which may be a mount that does not answer.
    """
    if os.path.normpath(left) == os.path.normpath(right):
        return True
    return left.name == right.name and os.path.realpath(left) == os.path.realpath(right)


def _files(container: Container) -> tuple[Path, ...]:
    """Give the compose files that a container was made from; relative ones from its project."""
    compose = container.compose
    return () if compose is None else _below(compose.working_dir, compose.config_files)


def _below(folder: str, names: Sequence[str]) -> tuple[Path, ...]:
    return tuple(Path(folder or "/") / name for name in names if name.strip())


def _configured(name: str, wanted: ServiceSettings, container: Container | None) -> Service:
    url = wanted.url or ""
    source = "config" if url else ""
    if not url and container is not None:
        told = address_of(container, wanted.kind)
        url, source = (told, "port") if known(told) else ("", "")
    return Service(
        name=name,
        kind=wanted.kind,
        source="config",
        container=container.name if container is not None else wanted.container or "",
        url=url.rstrip("/"),
        url_source=source,
        public_url=wanted.public_url or "",
        gpu=wanted.gpu or "",
        variant=wanted.variant or "",
        vram_budget=wanted.vram_budget,
        auth=wanted.auth,
        **_origin(container, wanted.compose_file, wanted.compose_service),
    )


def _discovered(container: Container) -> Service | None:
    recognised = recognise(container)
    if recognised is None:
        return None
    told = address_of(container, recognised.kind)
    return Service(
        name=container.name,
        kind=recognised.kind,
        source="discovered",
        container=container.name,
        url=told if known(told) else "",
        url_source="port" if known(told) else "",
        reasons=recognised.reasons,
        **_origin(container),
    )


def _origin(
    container: Container | None, file: Path | None = None, service: str | None = None
) -> dict[str, Any]:
    """Give what creates a service's container: as configured, else as its labels tell."""
    compose = container.compose if container is not None else None
    files = _files(container) if container is not None else ()
    first = files[0] if files else None
    return {
        "compose_file": file or first,
        "compose_service": service or (compose.service if compose is not None else ""),
        "compose_project": compose.project if compose is not None else "",
        "compose_dir": Path(compose.working_dir) if compose and compose.working_dir else None,
        "compose_files": files,
        "compose_env_files": _below(compose.working_dir, compose.env_files) if compose else (),
    }
