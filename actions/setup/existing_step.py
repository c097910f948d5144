"""The step `existing`: what is here already, and what of it goes into the config."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from actions.services.adopt import adoptable, values_of
from actions.services.snapshot import Service, ServiceStatus
from actions.setup.compose_search import services_in
from actions.setup.forge_step import Forges, look_at_forges
from actions.setup.ground import Ground
from actions.setup.models_folder import choose_models
from actions.setup.report import Ask, Look, Option
from actions.setup.searching import OnDisk, search
from console.engine.snapshot import Container
from console.text import clean_line
from console.unknown import Unknown

_ALL, _NONE = "", "none"
_FILES = "existing.files"


def look_at_existing(ground: Ground) -> Look:
    """Say which services, compose files and model folders there are, and adopt them."""
    problem = ground.snapshot.engine.problem
    if problem is not None:
        return Look(state="blocked", detail=problem.title, commands=_hint(problem))
    disk = search(ground)
    lying, doubles = _lying(ground, disk)
    taken = (*_running(ground), *_wanted(ground, lying))
    comfyui = any(one.service.kind == "comfyui" for one in ground.snapshot.services)
    models = choose_models(ground, disk, comfyui_here=comfyui)
    forges = look_at_forges(ground)
    found = (
        *_service_lines(ground), *_file_lines(lying), *doubles, *models.found, *_late(disk),
        *forges.found,
    )  # fmt: skip
    asks = (*_asks(ground, lying), models.ask, *forges.asks)
    refused = models.refused or forges.refused
    if refused is not None:
        return _with(refused, found, asks)
    commands = (*models.commands, *forges.commands)
    values = {**models.values, **values_of(taken), **forges.values}
    proposes = [f"{one.name}: {reason}" for one in taken for reason in one.reasons[:1]]
    what = [one.name for one in taken] + [f"models in {one}" for one in models.values.values()]
    if not values and models.folder is None and not forges.able:
        return Look(
            state="done", detail=_done(ground, forges), found=found, asks=asks,
            proposes=(*models.notes, *forges.proposes), commands=commands,
        )  # fmt: skip
    return Look(
        state="needed",
        detail=_needed(what, models.folder, forges),
        found=found,
        proposes=(*proposes, *models.notes, *forges.proposes),
        values=values,
        folder=models.folder,
        write=forges.write,
        diff=forges.diff,
        plan=forges.plan if not values else None,
        command=forges.command,
        commands=commands,
        asks=asks,
    )


def _needed(what: Sequence[str], folder: Path | None, forges: Forges) -> str:
    parts = [f"into the config: {', '.join(what)}"] if what else []
    parts += [f"makes {folder}"] if folder is not None and not what else []
    return "; ".join((*parts, *((forges.detail,) if forges.able else ())))


def _done(ground: Ground, forges: Forges) -> str:
    known_here = ground.answers.flag("existing.adopt") or not adoptable(ground.snapshot, ())
    words = "the config knows what is here" if known_here else "nothing is taken into the config"
    return f"{words}; {forges.detail}" if forges.detail else words


def _with(refused: Look, found: tuple[str, ...], asks: tuple[Ask, ...]) -> Look:
    from msgspec.structs import replace

    more = tuple(one for one in refused.asks if one.key not in {each.key for each in asks})
    return replace(refused, found=found, asks=(*asks, *more))


def _running(ground: Ground) -> tuple[Service, ...]:
    """Give the services that have containers and are not in the config yet."""
    return adoptable(ground.snapshot, ()) if ground.answers.flag("existing.adopt") else ()


def _lying(ground: Ground, disk: OnDisk) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Give the services of compose files that have no container and are not in the config.

    Of several of one name the first counts; the others are told of, beside them.
    """
    services = ground.snapshot.services
    here = {(str(one.service.compose_file), one.service.compose_service) for one in services}
    names = {one.name for one in services} | {one.service.container for one in services}
    files = dict.fromkeys((*_labelled(ground.snapshot.engine.containers), *disk.files))
    made = {
        (str(file), one.compose.service)
        for one in ground.snapshot.engine.containers
        if one.compose is not None
        for file in _files_of(one)
    }
    found: dict[str, Service] = {}
    doubles: list[str] = []
    for file in files:
        for one in services_in(file):
            key = (str(file), one.compose_service)
            if key in here or key in made:
                continue
            if one.name in names or one.name in found:
                doubles.append(f"{one.name}: another of that name is left out: {file}")
                continue
            found[one.name] = one
    return tuple(found.values()), tuple(doubles)


def _labelled(containers: Sequence[Container]) -> Iterator[Path]:
    """Give the compose files that containers were made from, by their labels."""
    for one in containers:
        yield from _files_of(one)


def _files_of(one: Container) -> Iterator[Path]:
    if one.compose is not None:
        folder = Path(one.compose.working_dir or "/")
        yield from (folder / name for name in one.compose.config_files if name.strip())


def _wanted(ground: Ground, lying: Sequence[Service]) -> tuple[Service, ...]:
    """Give those of compose files that are to be adopted, as it was answered."""
    if not ground.answers.flag("existing.adopt"):
        return ()
    answer = ground.answers.text(_FILES)
    if answer == _ALL:
        return tuple(lying)
    names = {part.strip() for part in answer.split(",")}
    return tuple(one for one in lying if one.name in names)


def _asks(ground: Ground, lying: Sequence[Service]) -> Iterator[Ask]:
    there = adoptable(ground.snapshot, ())
    if there or lying:
        names = ", ".join(one.name for one in (*there, *lying))
        yield Ask(
            key="existing.adopt",
            title="Write what was found into the config?",
            kind="flag",
            value=ground.answers.flag("existing.adopt"),
            about=f"{names}. Containers and compose files stay as they are.",
        )
    if lying:
        several = [
            Option(value=one.name, title=f"only {one.name}", detail=str(one.compose_file))
            for one in lying
        ]
        yield Ask(
            key=_FILES,
            title="Services of compose files that have no container yet:",
            kind="text",
            value=ground.answers.text(_FILES),
            options=(
                Option(value=_ALL, title="all of them", recommended=True),
                *several,
                Option(value=_NONE, title="none of them"),
            ),
            about="Names, with commas between several. They are not started by this.",
        )


def _service_lines(ground: Ground) -> Iterator[str]:
    for one in ground.snapshot.services:
        yield _service_line(one)
        if one.state == "needs-auth":
            yield f"{one.name}: has a login; `auth` in the config says where its token is"
    if not ground.snapshot.services:
        yield "no container of a Forge or a ComfyUI"


def _service_line(one: ServiceStatus) -> str:
    service = one.service
    source = "in the config" if service.source == "config" else "not in the config"
    where = f", {service.compose_file}" if service.compose_file else ""
    return f"{one.name}: {service.kind}, {one.state}, {source}{where}"


def _file_lines(lying: Sequence[Service]) -> Iterator[str]:
    for one in lying:
        yield f"{one.name}: {one.kind}, has no container, {clean_line(str(one.compose_file), 200)}"


def _late(disk: OnDisk) -> Iterator[str]:
    if disk.late:
        yield "a disk did not answer in time: there may be more on it"


def _hint(problem: Unknown) -> tuple[str, ...]:
    return (*((problem.hint,) if problem.hint else ()), "the step host says what to do about it")
