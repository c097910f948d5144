"""Which container a name means: its name, its id or the beginning of its id."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from console.config.schema import Settings
from console.errors import UsageError
from console.mask import mask_text
from console.text import clean_line

_SHOWN = 5
_SHORT = 12


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A container as the engine lists it: its id and its names (the first is its own)."""

    id: str
    names: tuple[str, ...]


def listed_of(entry: Mapping[str, Any]) -> Listed:
    """Read one entry of the engine's list; one with a second slash is another's link."""
    given = [clean_line(str(name)).removeprefix("/") for name in entry.get("Names") or ()]
    own = sorted((name for name in given if name), key=lambda name: ("/" in name, name))
    identity = str(entry.get("Id") or "")
    return Listed(id=identity, names=tuple(own) or (identity[:_SHORT],))


def container_of(settings: Settings, name: str) -> str:
    """Give the container of the service of that name; where there is none, the name itself."""
    service = settings.services.get(name)
    return (service.container if service is not None else None) or name


def find(listed: Iterable[Listed], name: str) -> Listed:
    """Give the container that `name` means; an exact name wins over the beginning of an id.

    Raises:
        UsageError: no container (`container.unknown`, with the nearest names) or more than one
            (`container.ambiguous`, with their names).
    """
    wanted = name.strip().lstrip("/")
    containers = tuple(listed)
    by_name = [found for found in containers if wanted in found.names]
    by_id = [found for found in containers if wanted and found.id.startswith(wanted.lower())]
    exact = [found for found in containers if found.id == wanted.lower()] or by_name or by_id
    if len(exact) == 1:
        return exact[0]
    if exact:
        raise _ambiguous(wanted, exact)
    raise _unknown(wanted, containers)


def _ambiguous(wanted: str, found: list[Listed]) -> UsageError:
    shown = ", ".join(f"{one.names[0]} ({one.id[:_SHORT]})" for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return UsageError(
        "container.ambiguous",
        f"{clean_line(mask_text(wanted), 80)} is the beginning of {len(found)} container ids",
        f"It could be {shown}{more}: use a name",
    )


def _unknown(wanted: str, containers: tuple[Listed, ...]) -> UsageError:
    names = sorted({name for one in containers for name in one.names})
    near = difflib.get_close_matches(wanted.lower(), names, n=_SHOWN, cutoff=0.5)
    near += [name for name in names if wanted and wanted.lower() in name.lower()]
    unique = list(dict.fromkeys(near))[:_SHOWN]
    if unique:
        hint = f"Did you mean {' or '.join(unique)}?"
    elif names:
        hint = "gpuconsole status lists the containers there are"
    else:
        hint = "The engine has no containers at all"
    shown = clean_line(mask_text(wanted), 80)
    title = f"There is no container {shown}" if shown else "The name of the container is empty"
    return UsageError("container.unknown", title, hint)
