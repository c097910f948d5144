"""The step `comfyui`: a service that works on this host, its image, and its place in the config."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from actions.building.recipe import LABEL
from actions.services.placement import card_words
from actions.setup.behind import made_anew
from actions.setup.comfyui_asks import asks_of
from actions.setup.comfyui_files import Made, files_here, is_theirs, url_of
from actions.setup.comfyui_theirs import look_at_theirs
from actions.setup.disagreement import disagreement
from actions.setup.draft import missing, other
from actions.setup.files.comfyui import DOCKERFILE, PARTS, reserve_of, traps
from actions.setup.files.filling import versions
from actions.setup.files.marks import untouched
from actions.setup.files.pinning import order_in_words
from actions.setup.files.writing import Draft, not_ours, write_drafts
from actions.setup.ground import Ground
from actions.setup.planned import planned
from actions.setup.ports import free_port, holder, open_to_network
from actions.setup.report import Look
from console.compose.command import find_compose
from console.compose.faults import ComposeError
from console.compose.validating import validate
from console.config.load import dotted
from console.engine.building import fingerprint
from console.engine.client import EngineClient
from console.engine.faults import EngineRefusedError
from console.engine.snapshot import Container
from console.engine.values import mapping
from console.errors import ConsoleError, UsageError

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def look_at_comfyui(ground: Ground) -> Look:
    """Say which ComfyUI there is, or make one: its files, its section in the config, its image."""
    problem = ground.snapshot.engine.problem
    if problem is not None:
        hint = (problem.hint,) if problem.hint else ()
        return Look(state="blocked", detail=problem.title, commands=hint)
    service = ground.service
    if service is not None and is_theirs(service):
        return look_at_theirs(ground, service)
    try:
        _same_host(ground)
        made = files_here(ground)
    except ConsoleError as error:
        return _blocked(ground, None, error)
    return _in_the_way(ground, made) or _made(ground, made)


def _same_host(ground: Ground) -> None:
    """Refuse an engine of another host: it would look for the folders there.

    Raises:
        UsageError: it is one (`setup.other-host`).
    """
    address = ground.session.endpoint.address
    place = urlsplit(address).hostname or ""
    if address.startswith("ssh://") or (place and place not in _HERE):
        raise UsageError(
            "setup.other-host",
            f"the engine is that of another host: {ground.session.endpoint.shown}",
            "Run gpuconsole setup on that host: files and models have to be there",
        )


def _in_the_way(ground: Ground, made: Made) -> Look | None:
    """Give the look that says what keeps the files from being written, or from being of use."""
    for one in made.drafts:
        # Beside a compose file of ours, somebody has put their own in the place of one of ours.
        if one.foreign and (not made.present.text or ground.answers.flag("comfyui.rewrite")):
            return _blocked(ground, made, not_ours(one.path))
    wanted = made.wanted
    port = wanted.port or 0
    for each in ground.snapshot.engine.containers:
        if each.name == wanted.container and not _made_from(each, made.compose.path):
            title = f"a container is called {each.name} already, and it is not setup's"
            return _blocked(ground, made, ConsoleError("setup.name", title, _OTHER_NAME))
    if who := holder(ground.snapshot, port, wanted.bind, but=wanted.container):
        free = free_port(ground.snapshot, port + 1, wanted.bind, but=wanted.container)
        hint = f'comfyui.port = "{free}" in the answers: that one is free'
        title = f"port {port} is taken by {who}"
        return _blocked(ground, made, ConsoleError("setup.port-taken", title, hint))
    for folder in (made.folder, wanted.data):
        title = _keeps_out(_nearest(folder))
        if title:
            return _blocked(ground, made, ConsoleError("setup.no-rights", title, _OTHER_FOLDER))
    against = _disagreement(ground, made)
    return against and disagreement(*against)


def _made_from(container: Container, file: Path) -> bool:
    """Tell whether compose made a container from a file; compose 1.x labels relative names."""
    compose = container.compose
    if compose is None:
        return False
    folder = Path(compose.working_dir or "/")
    real = os.path.realpath(file)
    return any(os.path.realpath(folder / one) == real for one in compose.config_files)


_OTHER_NAME = "service.name in the answers gives it another name"
_OTHER_FOLDER = "comfyui.folder in the answers names another folder; or have its owner let you in"


def _made(ground: Ground, made: Made) -> Look:
    """Give what is to be done yet: files and config first, then the image."""
    kept = _kept(ground, made)
    todo = [one for one in made.drafts if one.state != "same" and one not in kept]
    values = _values(ground, made)
    gone = [one for one in _parts(made) if not one.is_dir()]
    proposes = tuple(_proposes(ground, made))
    asks = asks_of(ground, made, edited=bool(kept) or ground.answers.flag("comfyui.rewrite"))
    missing_compose: tuple[str, ...] = ()
    try:
        found: tuple[str, ...] = (_validated(ground, made, kept),)
    except ComposeError as error:
        if error.code != "compose.missing":
            return _blocked(ground, made, error)
        # Files and image need none; only the start does.
        found = (f"{error.title}: nothing has checked the compose file, and a start needs it",)
        missing_compose = tuple(versions()["compose"]["install"])
    found += tuple(f"{one.path} was changed since setup wrote it, and stays so" for one in kept)
    if gone and not todo:
        found += tuple(f"{one} is not there any more: it is made anew" for one in gone)
    if todo or values or gone:
        return Look(
            state="needed",
            detail=f"{made.wanted.service} in {made.folder}",
            found=found,
            proposes=proposes,
            values=values,
            write=lambda: _written(ground, made, todo),
            diff="\n".join(one.diff for one in todo),
            command=f"gpuconsole build {made.wanted.service}",
            commands=missing_compose,
            asks=asks,
        )
    state = _image_state(ground, made)
    if state != "there":
        plan = ground.operations.plan("build", made.wanted.service)
        look = planned(plan, f"its image {made.image} is {state}", found)
        commands = (*look.commands, *missing_compose)
        return replace(look, asks=asks, commands=commands)
    detail = f"{made.wanted.service}: {made.compose.path}, image {made.image}"
    done = Look(state="done", detail=detail, found=found, asks=asks, commands=missing_compose)
    return done if ground.service is None else made_anew(ground, ground.service, done)


def _kept(ground: Ground, made: Made) -> tuple[Draft, ...]:
    """Give the files of ours that somebody changed since: they stay, unless it is said."""
    if ground.answers.flag("comfyui.rewrite"):
        return ()
    return tuple(
        one for one in made.drafts if one.state == "different" and not untouched(one.before or "")
    )


def _written(ground: Ground, made: Made, todo: list[Draft]) -> tuple[str, ...]:
    """Make the folders that are mounted, as the user, and write the files; gives all paths."""
    new = [one for one in (made.wanted.models, *_parts(made)) if not one.exists()]
    for one in new:
        try:
            one.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            title = f"{one} cannot be made: {error.strerror or error}"
            raise ConsoleError("setup.folder", title, _OTHER_FOLDER) from error
    backups = write_drafts(ground.session, todo, ground.session.clock.now())
    return tuple(map(str, [*new, *(one.path for one in todo), *backups]))


def _parts(made: Made) -> tuple[Path, ...]:
    """Give the folders that ComfyUI writes to; it does not start where one is not there."""
    data = made.wanted.data
    return (data, *(data / part for part in PARTS))


def _values(ground: Ground, made: Made) -> dict[str, Any]:
    """Give what the config lacks, and its address where that came from the file as it was."""
    name = made.wanted.service
    wanted = _wanted_values(ground, made)
    values = missing(ground.session, wanted)
    if ground.answers.flag("existing.replace"):
        values |= {key: wanted[key] for key in other(ground.session, _own(wanted))}
    key = dotted(("services", name, "url"))
    before = ground.service.service.url if ground.service is not None else ""
    port = made.present.port
    if before and port and before.endswith(f":{port}") and before != wanted[key]:
        values[key] = wanted[key]
    return values


def _wanted_values(ground: Ground, made: Made) -> dict[str, Any]:
    wanted = made.wanted
    said = {
        "kind": "comfyui",
        "container": wanted.container,
        "compose_file": str(made.compose.path),
        "compose_service": wanted.service,
        "url": url_of(wanted),
        "gpu": ground.card_named,
        "variant": wanted.variant,
    }
    return {dotted(("services", wanted.service, key)): one for key, one in said.items() if one}


def _disagreement(ground: Ground, made: Made) -> tuple[dict[str, str], dict[str, Any]] | None:
    """Give where the config describes another service by that name."""
    if ground.answers.flag("existing.replace"):
        return None
    wanted = _own(_wanted_values(ground, made))
    said = other(ground.session, wanted)
    return (said, wanted) if said else None


def _own(wanted: dict[str, Any]) -> dict[str, Any]:
    """Give what says whose the service is, of the config's values."""
    return {
        key: value
        for key, value in wanted.items()
        if key.rpartition(".")[2] in {"kind", "compose_file", "compose_service"}
    }


def _proposes(ground: Ground, made: Made) -> Iterator[str]:
    """Say what the service will be like, and why."""
    wanted = made.wanted
    yield f"card: {card_words(ground.card)}. {order_in_words(wanted)}"
    yield f"models: {wanted.models}, which ComfyUI only reads"
    yield f"what it makes: {wanted.data}, which belongs to you"
    where = f"port {wanted.port} of {wanted.bind}"
    if open_to_network(wanted.bind):
        yield f"{where}: everybody who reaches it can use the card; put a login in front"
    else:
        yield f"{where}: only this host reaches it, and what stands in front of it"
    if not ground.answers.text("comfyui.port") and not made.present.port and wanted.port != 8188:
        yield f"not 8188: {holder(ground.snapshot, 8188, wanted.bind) or 'it is taken'} has it"
    yield f"{reserve_of(wanted):g} GB of the card stay free (layout {wanted.layout})"
    size = versions()["image"]["words"]
    yield f"image: {made.image}, built here once: {size}"
    for trap in traps("comfyui"):
        yield f"avoided: {trap}"


def _validated(ground: Ground, made: Made, kept: tuple[Draft, ...]) -> str:
    """Have compose read the file as it is to be; gives in words that it takes it.

    Raises:
        ComposeError: there is no compose, or it does not take the file.
    """
    command = find_compose(ground.session.environ, ground.session.endpoint)
    return validate(
        command,
        {
            one.file.name: (one.before or "") if one in kept else one.file.text
            for one in made.drafts
        },
    )


def _image_state(ground: Ground, made: Made) -> str:
    """Give whether the image is `there`, `not there yet`, or of a Dockerfile of before."""
    try:
        with EngineClient(ground.session.endpoint) as client:
            config = mapping(client.image(made.image).get("Config"))
    except EngineRefusedError:
        return "not there yet"
    # Who built it by compose left no label: then it is taken for what it is called.
    label = mapping(config.get("Labels")).get(LABEL)
    dockerfile = made.folder / DOCKERFILE
    if label and label != fingerprint(dockerfile.parent, dockerfile.name):
        return "of an older Dockerfile"
    return "there"


def _blocked(ground: Ground, made: Made | None, error: ConsoleError) -> Look:
    commands = (error.hint,) if error.hint else ()
    if error.detail:
        commands = (*commands, *error.detail.splitlines())
    return Look(state="blocked", detail=error.title, commands=commands, asks=asks_of(ground, made))


def _keeps_out(nearest: Path) -> str:
    """Say why nothing can be made below a place; empty where something can."""
    if not nearest.is_dir():
        return f"{nearest} is a file, so there is no folder to write in"
    able = os.access(nearest, os.W_OK | os.X_OK)
    return "" if able else f"you have no right to write in {nearest}"


def _nearest(folder: Path) -> Path:
    """Give a place, else the nearest one above it where something is."""
    return next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
