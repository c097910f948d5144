"""Whether a service's container is of an older compose file, and the plan that makes it anew."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from actions.doctor.ground import Ground as DoctorGround
from actions.services.snapshot import ServiceStatus
from actions.setup.ground import Ground
from actions.setup.planned import planned
from actions.setup.report import Look
from console.compose.project import parse, read_service, service_of
from console.engine.values import items, mapping, text
from console.errors import ConsoleError


def behind(ground: Ground, service: ServiceStatus) -> tuple[str, ...]:
    """Give in what a service's container differs from its compose file, in words.

    Empty where it does not, where there is no container, or where nobody can tell. Only what
    setup writes itself is compared: command, published ports, mounted folders and the image.
    """
    mine = service.service
    if not service.container_id or mine.compose_file is None or not mine.compose_service:
        return ()
    try:
        found = read_service(mine.compose_file, mine.compose_service)
        said = service_of(parse(found.text, found.file), found.name, found.file)
        runs = DoctorGround(ground.session).inspect(service.container_id)
    except ConsoleError:
        return ()
    return tuple(_differences(said, runs, found.file.absolute().parent))


def made_anew(ground: Ground, service: ServiceStatus, look: Look) -> Look:
    """Give a step's look with the plan that makes a container anew, where it is behind its file."""
    words = behind(ground, service)
    if not words:
        return look
    detail = f"the container of {service.name} is of before the file was changed"
    plan = ground.operations.plan("restart", service.name, recreate=True)
    anew = planned(plan, detail, (*look.found, f"not yet as the file says: {', '.join(words)}"))
    return replace(anew, proposes=(*anew.proposes, *look.proposes), asks=look.asks)


def _differences(said: Mapping[str, Any], runs: Mapping[str, Any], folder: Path) -> Iterator[str]:
    config, host = mapping(runs.get("Config")), mapping(runs.get("HostConfig"))
    command = said.get("command")
    if isinstance(command, str) and "$" not in command.replace("$$", ""):
        words = shlex.split(command.replace("$$", "$"))
        if words != [text(one, 4096) for one in items(config.get("Cmd"))]:
            yield "its flags"
    image = said.get("image")
    if isinstance(image, str) and "$" not in image and image != text(config.get("Image"), 300):
        yield "its image"
    bindings = mapping(host.get("PortBindings"))
    if any(not _published(one, bindings) for one in _list(said.get("ports"))):
        yield "its port"
    mounts = {
        text(one.get("Destination"), 4096): text(one.get("Source"), 4096)
        for one in map(mapping, items(runs.get("Mounts")))
    }
    for source, target in _mounted(said.get("volumes")):
        if mounts.get(target) != str((folder / source).resolve()) and mounts.get(target) != source:
            yield f"what is mounted at {target}"


def _published(one: object, bindings: Mapping[str, Any]) -> bool:
    """Tell whether a port is published as it is written; what is written otherwise passes."""
    parts = str(one).rsplit(":", 2)
    if len(parts) != 3 or "$" in str(one):
        return True
    address, port, inside = parts
    return any(
        (text(each.get("HostIp"), 100), text(each.get("HostPort"), 10))
        == (address.strip("[]"), port)
        for each in map(mapping, items(bindings.get(f"{inside}/tcp")))
    )


def _mounted(volumes: Any) -> Iterator[tuple[str, str]]:
    """Give source and target of the folders and files of the host that are mounted."""
    for one in _list(volumes):
        if isinstance(one, Mapping):
            source, target = str(one.get("source", "")), str(one.get("target", ""))
        else:
            source, _, rest = str(one).partition(":")
            target = rest.partition(":")[0]
        source = source.replace("$$", "\0")
        if source.startswith(("/", "./")) and target and "$" not in source:
            yield source.replace("\0", "$"), target.rstrip("/")


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
