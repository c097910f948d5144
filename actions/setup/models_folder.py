"""Which folder models are in and fetched into: the config's, one that is found, or a new one."""

import os
import shlex
from pathlib import Path
from typing import Any

import msgspec

from actions.setup.disagreement import disagreement
from actions.setup.draft import other
from actions.setup.ground import Ground
from actions.setup.report import Ask, Look, Option
from actions.setup.searching import ModelsFolder, OnDisk, default_models, is_slow, room
from console.errors import UsageError
from console.paths import expand
from console.text import clean_line
from console.units import format_bytes

_KEY = "existing.models"
_SLOW = "on a Windows drive: WSL reads those slowly, a model takes minutes to load"


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What is chosen.

    Attributes:
        values: for the config; empty where it has it.
        folder: to be made; None where it is there.
        found: what is there, line by line.
        notes: what is to be known of it.
        commands: what only a person can do about it.
        ask: the question.
        refused: why nothing can be chosen; None where something is.
    """

    ask: Ask
    values: dict[str, Any] = {}
    folder: Path | None = None
    found: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    refused: Look | None = None


def choose_models(ground: Ground, disk: OnDisk, *, comfyui_here: bool) -> Chosen:
    """Choose the models folder.

    Args:
        ground: of setup.
        disk: what was found.
        comfyui_here: a ComfyUI is here already, which has its models from somewhere.
    """
    there = ground.session.config.settings.paths.models
    try:
        named = _named(ground)
    except UsageError as error:
        # The question is asked all the same: it is the way out.
        ask = _ask(disk, Path(ground.answers.text(_KEY)), None)
        look = Look(state="blocked", detail=error.title, commands=(error.hint,))
        return Chosen(ask=ask, refused=look)
    lines = tuple(f"models: {_line(one)}" for one in disk.models)
    if there is not None and (named is None or _same(named, expand_there(ground, there))):
        folder = expand_there(ground, there)
        notes = (f"{folder} lies {_SLOW}",) if is_slow(ground, folder) else ()
        return Chosen(
            ask=_ask(disk, folder, None), found=(f"models: {there} (of the config)",), notes=notes,
            folder=None if folder.exists() else folder, commands=_rights(folder),
        )  # fmt: skip
    new = None if comfyui_here or disk.models else default_models(ground)
    folder_or_none = named or (disk.models[0].path if disk.models else new)
    ask = _ask(disk, folder_or_none, new)
    if folder_or_none is None:
        return Chosen(ask=ask, refused=_none_found(ask))
    folder = folder_or_none
    values = {"paths.models": str(folder)}
    against = other(ground.session, values) if named is not None else {}
    if against and not ground.answers.flag("existing.replace"):
        look = disagreement(against, values)
        return Chosen(ask=ask, refused=msgspec.structs.replace(look, asks=(ask, *look.asks)))
    return Chosen(
        ask=ask,
        values=values,
        folder=None if folder.exists() else folder,
        found=lines,
        notes=(*_why(disk, folder, named), *_notes(ground, folder)),
        commands=_rights(folder),
    )


def expand_there(ground: Ground, there: Path) -> Path:
    """Give the config's folder as it is on this host."""
    return expand(str(there), ground.session.environ)


def _rights(folder: Path) -> tuple[str, ...]:
    """Give how root lets this user write in a folder, or make it; nothing where they may."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    if os.access(there, os.W_OK | os.X_OK):
        return ()
    if there == folder:
        return (
            f"# you may not write in {folder}, where models are fetched to; as root:",
            f'sudo chown -R "$USER" {shlex.quote(str(folder))}',
        )
    return (
        f"# you may not write in {there}, where the folder would be made; as root:",
        f'sudo install -d -o "$USER" {shlex.quote(str(folder))}',
    )


def _named(ground: Ground) -> Path | None:
    named = ground.answers.text(_KEY)
    if not named:
        return None
    folder = expand(named, ground.session.environ)
    if not folder.is_absolute():
        raise UsageError(
            "setup.relative-path",
            f"existing.models is no absolute path: {clean_line(named, 120)}",
            "It begins with / or ~/",
        )
    there = next((one for one in (folder, *folder.parents) if os.path.lexists(one)), folder)
    if there.is_file():
        raise UsageError(
            "setup.no-folder",
            f"{clean_line(str(there), 120)} is a file, and ComfyUI's models lie in a folder",
            "existing.models in the answers names another",
        )
    return folder


def _same(left: Path, right: Path) -> bool:
    return left == right or str(left).rstrip("/") == str(right).rstrip("/")


def _none_found(ask: Ask) -> Look:
    return Look(
        state="blocked",
        detail="no models folder was found, and none is named",
        commands=('existing.models = "/…/ComfyUI/models" in the answers names one',),
        asks=(ask,),
    )


def _why(disk: OnDisk, folder: Path, named: Path | None) -> tuple[str, ...]:
    """Say why just this folder."""
    if named is not None:
        return (f"models in {folder}, as it was answered",)
    if not disk.models:
        return (f"models in {folder}: none are here yet, so a new folder is made",)
    if len(disk.models) > 1:
        return (f"models in {folder}: of {len(disk.models)} that were found the likeliest",)
    return (f"models in {folder}: it is the one that was found",)


def _notes(ground: Ground, folder: Path) -> tuple[str, ...]:
    slow = (f"{folder} lies {_SLOW}",) if is_slow(ground, folder) else ()
    free = room(folder) if not slow else None
    return (*slow, *((f"{format_bytes(free)} are free on its disk",) if free is not None else ()))


def _line(one: ModelsFolder) -> str:
    return f"{one.path}: {_has(one, 4)}{', ' + _SLOW if one.slow else ''}"


def _has(one: ModelsFolder, most: int) -> str:
    if one.empty:
        return "there, with no models in it yet"
    return f"has {', '.join(one.marks[:most])}"


def _ask(disk: OnDisk, chosen: Path | None, new: Path | None) -> Ask:
    """Ask for the folder: each that was found is offered, and any other may be typed."""
    options = [
        Option(
            value=str(one.path),
            title=str(one.path),
            detail=_detail(one),
            recommended=place == 0,
        )
        for place, one in enumerate(disk.models)
    ]
    if new is not None:
        options.append(Option(value=str(new), title=str(new), detail="is made", recommended=True))
    return Ask(
        key=_KEY,
        title="Where are ComfyUI's models, or where shall they be?",
        kind="text",
        value=str(chosen) if chosen is not None else "",
        options=tuple(options),
        about="A folder with 20 to 60 GB of room, on a Linux disk: it is made where it is missing.",
    )


def _detail(one: ModelsFolder) -> str:
    free = f", {format_bytes(one.free_bytes)} free" if one.free_bytes is not None else ""
    slow = ", slow: a Windows drive" if one.slow else ""
    return f"{_has(one, 3)}{free}{slow}"
