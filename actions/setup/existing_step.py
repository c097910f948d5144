"""The step `existing`: what is here already, and what of it goes into the config."""

import threading
from collections.abc import Iterator
from pathlib import Path

from actions.doctor.ground import Ground as DoctorGround
from actions.services.adopt import adoptable, values_of
from actions.setup.disagreement import disagreement
from actions.setup.draft import other
from actions.setup.ground import Ground
from actions.setup.report import Look
from actions.setup.words import words
from console.engine.values import items, mapping, text
from console.errors import ConsoleError, UsageError
from console.paths import expand, find_home
from console.text import clean_line
from console.unknown import Unknown

_PATIENCE = 2.0
_MOST_MOUNTED = 40


def look_at_existing(ground: Ground) -> Look:
    """Say which services, compose files and model folders there are, and adopt them."""
    problem = ground.snapshot.engine.problem
    if problem is not None:
        return Look(state="blocked", detail=problem.title, commands=_hint(problem))
    services = adoptable(ground.snapshot, ()) if ground.answers.flag("existing.adopt") else ()
    values = values_of(services)
    folder, found, notes = _models(ground)
    if folder is not None:
        wanted = {"paths.models": str(folder)}
        said = other(ground.session, wanted) if ground.answers.text("existing.models") else {}
        if said:
            return disagreement(said, wanted)
        if ground.session.config.settings.paths.models is None:
            values = {**wanted, **values}
    elif ground.session.config.settings.paths.models is None:
        return Look(
            state="blocked",
            detail="no models folder was found, and none is named",
            found=tuple(_service_lines(ground)),
            commands=('existing.models = "/…/ComfyUI/models" in the answers names one',),
        )
    lines = (*_service_lines(ground), *found)
    if not values:
        return Look(state="done", detail="the config knows what is here", found=lines)
    proposes = [f"{one.name}: {reason}" for one in services for reason in one.reasons[:1]]
    what = [one.name for one in services] + [
        f"models in {folder}" for _ in range(folder is not None)
    ]
    return Look(
        state="needed",
        detail=f"into the config: {', '.join(what)}",
        found=lines,
        proposes=(*proposes, *notes),
        values=values,
        folder=folder if folder is not None and not folder.exists() else None,
    )


def _service_lines(ground: Ground) -> Iterator[str]:
    for one in ground.snapshot.services:
        service = one.service
        where = f", {service.compose_file}" if service.compose_file else ""
        yield f"{one.name}: {service.kind}, {one.state}, {service.source}{where}"
    if not ground.snapshot.services:
        yield "no service of a kind that is known"


def _models(ground: Ground) -> tuple[Path | None, tuple[str, ...], tuple[str, ...]]:
    """Give the models folder to write, what was found, and what is to be known of it."""
    session = ground.session
    set_there = session.config.settings.paths.models
    named = ground.answers.text("existing.models")
    if named:
        folder = expand(named, session.environ)
        if not folder.is_absolute():
            raise UsageError(
                "setup.relative-path",
                f"existing.models is no absolute path: {clean_line(named, 120)}",
                "It begins with / or ~/",
            )
        return folder, (), _slow(ground, folder)
    if set_there is not None:
        return None, (f"models: {set_there}",), ()
    several = _search(ground)
    if not several:
        return None, (), ()
    lines = tuple(f"models: {one}" for one in several)
    return several[0], lines, _slow(ground, several[0])


def _slow(ground: Ground, folder: Path) -> tuple[str, ...]:
    facts = ground.snapshot.host
    on_wsl = not isinstance(facts, Unknown) and str(facts.platform).startswith("wsl")
    parts = folder.parts
    if on_wsl and parts[1:2] == ("mnt",) and len(parts) > 2 and len(parts[2]) == 1:
        return (f"{folder} lies on a Windows drive, which is read slowly from WSL",)
    return ()


def _search(ground: Ground) -> list[Path]:
    """Look for model folders, in a thread of its own: a drive may not answer."""
    found: list[Path] = []
    thread = threading.Thread(target=_find, args=(ground, found), name="setup-models", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return list(dict.fromkeys(found))


def _find(ground: Ground, found: list[Path]) -> None:
    search = words().search
    places = list(_mounted_into(ground))
    home = find_home(ground.session.environ)
    places += [home / one for one in search.home] if home is not None else []
    for place in places:
        _take(place, found)
    try:
        drives = sorted((ground.session.root / "mnt").iterdir())[:_MOST_MOUNTED]
    except OSError:
        return
    for drive in drives:
        for one in search.mounted:
            _take(drive / one, found)


def _take(place: Path, found: list[Path]) -> None:
    try:
        if any((place / mark).is_dir() for mark in words().search.marks):
            found.append(place)
    except OSError:
        return


def _mounted_into(ground: Ground) -> Iterator[Path]:
    """Give the folders of this host that ComfyUI's containers have their models from."""
    doctor = DoctorGround(ground.session)
    for one in ground.snapshot.services:
        if one.service.kind != "comfyui" or not one.container_id:
            continue
        try:
            mounts = items(doctor.inspect(one.container_id).get("Mounts"))
        except ConsoleError:
            continue
        for entry in map(mapping, mounts):
            source, inside = text(entry.get("Source"), 4096), text(entry.get("Destination"), 4096)
            if source.startswith("/") and inside.endswith("/models"):
                yield Path(source)
            elif source.startswith("/"):
                yield from (Path(source) / "models", Path(source) / "ComfyUI" / "models")


def _hint(problem: Unknown) -> tuple[str, ...]:
    return (problem.hint,) if problem.hint else ()
