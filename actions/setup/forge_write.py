"""Writing what is corrected of Forges: compose files with a copy beside them, secrets apart.

A file is written once for each of its Forges, one correction on top of the other: what a Forge that
does not start is put back to still has what was corrected before it.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.gate import as_error, refusal
from actions.setup.files.forge import env_file
from actions.setup.forge_correct import Offer
from actions.setup.ground import Ground
from console.compose.editing import unified
from console.compose.writing import write_edit
from console.config.load import dotted
from console.errors import ConsoleError
from console.files import write_aside

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """What is written for several Forges: the files' diff, the config's values, and doing it."""

    diff: str
    values: dict[str, Any]
    write: Callable[[], tuple[str, ...]]


def writing(ground: Ground, offers: Sequence[Offer]) -> Writing:
    """Give what writes the corrections of several Forges, with copies beside their files."""
    files: dict[Path, list[Offer]] = {}
    for one in offers:
        files.setdefault(one.file, []).append(one)
    with_secrets = [one for one in offers if one.corrected is not None and one.corrected.secrets]
    diffs = [_diff(file, several) for file, several in files.items()]
    diffs += [_env_diff(one) for one in with_secrets]
    values: dict[str, Any] = {}
    for one in offers:
        values |= _logins(ground, one)

    def write() -> tuple[str, ...]:
        reason = refusal(ground.session)
        if reason is not None:
            raise as_error(reason)
        wrote = []
        for one in with_secrets:
            wrote += _write_secrets(ground, one)
        for file, several in files.items():
            wrote += [str(file), *_write_file(ground, file, several)]
        return tuple(wrote)

    return Writing(diff="\n".join(diffs), values=values, write=write)


def _diff(file: Path, several: Sequence[Offer]) -> str:
    """Give what becomes of a file: each Forge's edit was made on top of the one before it."""
    edits = [one.corrected.edit for one in several if one.corrected is not None]
    return unified(edits[0].before, edits[-1].text, str(file))


def _write_file(ground: Ground, file: Path, several: Sequence[Offer]) -> list[str]:
    """Write a file's corrections, and remember what leads back; gives the paths of the copies."""
    corrected = [(one.status.name, one.corrected) for one in several if one.corrected is not None]
    begun = f"setup-{ground.session.clock.now():%Y%m%d-%H%M%S-%f}"
    # What has just left the file is still in its copies.
    private = any(made.secrets for _, made in corrected)
    whole = corrected[-1][1].edit.digest
    copies = []
    for place, (name, made) in enumerate(corrected, start=1):
        token = begun if place == 1 else f"{begun}-{place}"
        edit = {"file": str(file), "token": token, "written": whole}
        ground.memory.keep_corrected(name, edit)
        copies.append(str(write_edit(file, made.edit, token, private=private)))
    return copies


def _env_diff(one: Offer) -> str:
    names = one.corrected.secrets if one.corrected is not None else {}
    lines = [f"--- {one.env} (not there)", f"+++ {one.env} (only you may read it)"]
    return "\n".join([*lines, *(f"+{name}=***" for name in names)])


def _token_path(ground: Ground, name: str) -> Path:
    folder = ground.session.places.config_file.parent
    return folder / f"{_NOT_IN_NAMES.sub('-', name).strip('-') or 'forge'}.token"


def _logins(ground: Ground, one: Offer) -> dict[str, Any]:
    """Give what the config needs so that the console gets past the login; nothing where it does."""
    token = one.corrected.secrets.get("WEB_TOKEN") if one.corrected is not None else None
    service = one.status.service
    if not token or service.auth is not None:
        return {}
    if service.source != "config" and not ground.answers.flag("existing.adopt"):
        return {}  # the config does not know it, and is not to
    path = _token_path(ground, one.status.name)
    if path.exists():
        return {}
    return {dotted(("services", one.status.name, "auth")): {"scheme": "bearer", "file": str(path)}}


def _write_secrets(ground: Ground, one: Offer) -> list[str]:
    if one.corrected is None:
        return []
    secrets = one.corrected.secrets
    made = [(one.env, env_file(secrets).text)]
    if _logins(ground, one):
        made.append((_token_path(ground, one.status.name), f"{secrets['WEB_TOKEN']}\n"))
    return [write_secret(path, text) for path, text in made]


def write_secret(path: Path, text: str) -> str:
    """Write a file that only its owner may read, its folder too if need be; gives its path.

    Raises:
        ConsoleError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_aside(path, text.encode(), 0o600)
    except OSError as error:
        raise ConsoleError(
            "setup.unwritable",
            f"{path} cannot be written: {error.strerror or error}",
            "Check the owner and the mode of its folder, and the free space",
        ) from error
    return str(path)
