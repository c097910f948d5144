"""A new Forge: its compose file, its login and its place in the config."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actions.fit.cards import cards_of, pick_card
from actions.setup.files.filling import versions
from actions.setup.files.forge import COMPOSE, ENV_FILE, env_file, forge_file
from actions.setup.files.host import wanted_for
from actions.setup.files.wanted import Wanted
from actions.setup.files.writing import Draft, drafts_in, not_ours, write_drafts
from actions.setup.forge_write import write_secret
from actions.setup.ground import Ground
from actions.setup.ports import free_port, holder
from console.config.load import dotted
from console.errors import ConsoleError, UsageError
from console.files import read_limited
from console.gpu.snapshot import Gpu
from console.paths import expand, find_home
from console.text import clean_line

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_LOOPBACK = "127.0.0.1"
_TOKEN_BYTES = 24
_LIMIT = 1 << 16


class NewForge(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of a new Forge.

    Attributes:
        path: of its compose file.
        write: writes its files; None where they are there already.
        notes: what is to be known of it.
        values: for the config.
        commands: what comes next.
    """

    path: Path
    diff: str = ""
    write: Callable[[], tuple[str, ...]] | None = None
    notes: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    commands: tuple[str, ...] = ()


def new_forge(ground: Ground) -> NewForge:
    """Give what a new Forge is made of, as it was answered.

    Raises:
        UsageError: its name, folder or card cannot be that, or is somebody else's.
    """
    name = ground.answers.text("forge.name")
    folder = _folder(ground, name)
    path = folder / COMPOSE
    next_step = (f"gpuconsole start {name}  # fetches its image first, about 13 GB",)
    for one in ground.snapshot.services:
        if one.name == name:
            if one.service.compose_file == path:
                return NewForge(path=path, commands=() if one.container_id else next_step)
            raise _wrong(f"a service is called {name} already", "forge.name names it otherwise")
    if not _NAME.fullmatch(name):
        shown = clean_line(name, 60)
        raise _wrong(f"forge.name cannot be {shown!r}", "letters, digits, - and _")
    card = _card(ground)
    wanted = _wanted(ground, name, folder, card)
    (draft,) = _drafts(folder, wanted)
    if draft.foreign:
        error = not_ours(path)
        raise UsageError(error.code, error.title, error.hint)
    port = wanted.port or 0
    values = {
        "kind": "forge", "container": name, "compose_file": str(path), "compose_service": name,
        "url": f"http://{_LOOPBACK}:{port}", "gpu": card.uuid,
        "auth": {"scheme": "bearer", "file": str(folder / f"{name}.token")},
    }  # fmt: skip
    return NewForge(
        path=path,
        diff=f"{draft.diff}\n{_secret_diff(folder, name)}",
        write=lambda: _write(ground, draft, folder, name),
        notes=tuple(_notes(ground, wanted, folder)),
        values={dotted(("services", name, key)): value for key, value in values.items()},
        commands=next_step,
    )


def _wrong(title: str, hint: str) -> UsageError:
    return UsageError("setup.name", title, hint)


def _folder(ground: Ground, name: str) -> Path:
    answer = ground.answers.text("forge.folder")
    if answer:
        folder = expand(answer, ground.session.environ)
        if not folder.is_absolute():
            shown = clean_line(answer, 120)
            raise _wrong(f"forge.folder is no absolute path: {shown}", "It begins with / or ~/")
        return folder
    home = find_home(ground.session.environ)
    if home is None:
        raise _wrong("there is no home directory", "forge.folder names a folder")
    return home / "gpuconsole" / name


def _card(ground: Ground) -> Gpu:
    """Give the card: as answered, else one that ComfyUI leaves alone, else the only one."""
    cards = cards_of(ground.snapshot.gpu)
    answer = ground.answers.text("forge.gpu")
    if answer:
        return pick_card(answer, cards)
    try:
        taken = ground.card.uuid
    except ConsoleError:
        taken = ""
    return next((one for one in cards if one.uuid != taken), cards[0])


def _wanted(ground: Ground, name: str, folder: Path, card: Gpu) -> Wanted:
    inside = versions()["forge"]["port"]
    port = free_port(ground.snapshot, inside, _LOOPBACK, but=name)
    changes = {
        "models": folder / "models", "workspace": folder / "workspace", "service": name,
        "container": name, "port": port,
    }  # fmt: skip
    gpus = ground.snapshot.gpu.gpus
    return wanted_for(ground.session, gpus, card, variant=None, changes=changes)


def _drafts(folder: Path, wanted: Wanted) -> tuple[Draft, ...]:
    try:
        return drafts_in(folder, (forge_file(wanted),))
    except ConsoleError as error:
        raise UsageError(error.code, error.title, error.hint) from error


def _notes(ground: Ground, wanted: Wanted, folder: Path) -> list[str]:
    notes = [
        f"{wanted.service} gets {wanted.card.name}",
        f"it is reached at http://{_LOOPBACK}:{wanted.port}, from this host only",
        f"its login is a token in {folder / ENV_FILE}, made by chance; only you may read it",
        "it does not update itself, and supervisord's port 9001 is not published",
    ]
    usual = versions()["forge"]["port"]
    if wanted.port != usual:
        who = holder(ground.snapshot, usual, _LOOPBACK, but=wanted.container)
        notes.append(f"port {wanted.port}, because {usual} is {who}'s" if who else "")
    return [one for one in notes if one]


def _secret_diff(folder: Path, name: str) -> str:
    lines = []
    for path, line in ((folder / ENV_FILE, "WEB_TOKEN=***"), (folder / f"{name}.token", "***")):
        if not path.exists():
            lines += [f"--- {path} (not there)", f"+++ {path} (only you may read it)", f"+{line}"]
    return "\n".join(lines)


def _write(ground: Ground, draft: Draft, folder: Path, name: str) -> tuple[str, ...]:
    """Write folders, login and compose file; what is there of a login is kept."""
    workspace = folder / "workspace"
    try:
        workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConsoleError(
            "setup.folder",
            f"{workspace} cannot be made: {error.strerror or error}",
            "Make it as its owner, or name another: forge.folder in the answers",
        ) from error
    wrote = [str(workspace)]
    token = _token(folder / ENV_FILE)
    if not (folder / ENV_FILE).exists():
        wrote.append(write_secret(folder / ENV_FILE, env_file({"WEB_TOKEN": token}).text))
    wrote.append(write_secret(folder / f"{name}.token", f"{token}\n"))
    copies = write_drafts(ground.session, (draft,), ground.session.clock.now())
    return (*wrote, str(draft.path), *map(str, copies))


def _token(path: Path) -> str:
    """Give the token of an env file that is there, else a new one."""
    try:
        lines = read_limited(path, _LIMIT).decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    there = (line.partition("=")[2] for line in lines if line.startswith("WEB_TOKEN="))
    return next(there, "") or secrets.token_urlsafe(_TOKEN_BYTES)
