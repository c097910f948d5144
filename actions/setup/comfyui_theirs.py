"""A ComfyUI that was here before: it stays as it is, and what of its settings is a trap is said."""

from collections.abc import Iterator

from actions.doctor.ground import Ground as DoctorGround
from actions.services.snapshot import ServiceStatus
from actions.setup.files.filling import versions
from actions.setup.ground import Ground
from actions.setup.report import Look
from console.compose.faults import ComposeError
from console.compose.project import read_service
from console.engine.values import items, mapping, text
from console.errors import ConsoleError


def look_at_theirs(ground: Ground, service: ServiceStatus) -> Look:
    """Say which it is, and the traps in its settings; nothing of it is changed."""
    mine = service.service
    where = f", {mine.compose_file}" if mine.compose_file else ""
    detail = f"{service.name} is here already and stays as it is{where}"
    if not service.container_id and mine.compose_file is not None:
        try:
            read_service(mine.compose_file, mine.compose_service)
        except ComposeError as error:
            hint = (error.hint,) if error.hint else ()
            return Look(state="blocked", detail=error.title, commands=hint)
    found = tuple(_traps(ground, service))
    if found:
        detail += (
            f"; {len(found)} of its settings {'is a trap' if len(found) == 1 else 'are traps'}"
        )
    return Look(state="done", detail=detail, found=found)


def _traps(ground: Ground, service: ServiceStatus) -> Iterator[str]:
    said = " ".join((*_compose_words(service), *_container_words(ground, service)))
    if not said:
        return
    for one in versions()["traps"]:
        if one["kind"] == "comfyui" and one["find"] in said:
            yield f"{one['trap']}: {one['instead']}"
    for one in versions()["lacks"]:
        if one["find"] not in said:
            instead = one["instead"].replace("SERVICE", service.name)
            yield f"{one['trap']}: {instead.replace('CARD', ground.card.uuid)}"


def _compose_words(service: ServiceStatus) -> Iterator[str]:
    """Give the lines of its compose file that are no comments."""
    mine = service.service
    if mine.compose_file is None or not mine.compose_service:
        return
    try:
        found = read_service(mine.compose_file, mine.compose_service)
    except ComposeError:
        return
    for line in found.text.splitlines():
        if not line.lstrip().startswith("#"):
            yield line.strip()


def _container_words(ground: Ground, service: ServiceStatus) -> Iterator[str]:
    """Give what its container is run with: command, variables, mounts."""
    if not service.container_id:
        return
    try:
        config = mapping(DoctorGround(ground.session).inspect(service.container_id).get("Config"))
    except ConsoleError:
        return
    for key in ("Entrypoint", "Cmd", "Env"):
        yield from (text(one, 4096) for one in items(config.get(key)))
