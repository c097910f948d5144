"""Parsed TOML turned into Settings, section by section; a broken one gives way to its defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from console.config import kinds
from console.config.kinds import KeyPath, Reader, WrongValueError
from console.config.schema import (
    CONFIRMABLE,
    KINDS,
    PICTURES,
    SCHEMES,
    THEMES,
    WATCHED,
    Auth,
    DownloadSettings,
    ExtraRoot,
    LayoutSettings,
    PathSettings,
    PolicySettings,
    ServiceSettings,
    Settings,
    UiSettings,
    WatchSettings,
)
from console.config.secret import file_trouble

S = TypeVar("S", bound=msgspec.Struct)


class Problem(NamedTuple):
    """What is wrong at one path; its line is found later."""

    path: KeyPath
    code: str
    title: str
    hint: str = ""


class Reading(NamedTuple):
    """What a parsed file comes to: settings, what is wrong, and which keys of it were taken."""

    settings: Settings
    problems: list[Problem]
    given: list[KeyPath]


def read_settings(data: Mapping[str, Any]) -> Reading:
    """Give the settings of parsed TOML, and everything that is wrong in it."""
    problems: list[Problem] = []
    given: list[KeyPath] = []
    parts: dict[str, Any] = {}
    for name, value in data.items():
        if name not in Settings.__struct_fields__:
            problems.append(_unknown((name,), Settings.__struct_fields__, "section"))
        elif not isinstance(value, dict):
            title = f"must be a section [{name}], not {kinds.described(value)}"
            problems.append(Problem((name,), "config.wrong-value", title))
        elif name in _NAMED:
            parts[name] = {}
            for key, each in value.items():
                part, wrong = _section(_NAMED[name], each, (name, key))
                problems += wrong
                if part is not None:
                    parts[name][key] = part
                    given += [(name, key, field) for field in each]
        else:
            part, wrong = _section(_SINGLE[name], value, (name,))
            problems += wrong
            if part is not None:
                parts[name] = part
                given += [(name, field) for field in value]
            elif name == "policy" and value.get("read_only") is True:
                # A slip beside it must not open what the operator has closed.
                parts[name] = PolicySettings(read_only=True)
                given.append((name, "read_only"))
    return Reading(Settings(**parts), problems, given)


def _section(kind: type[S], value: Any, path: KeyPath) -> tuple[S | None, list[Problem]]:
    """Give a section's struct, or None and what is wrong in it."""
    if not isinstance(value, dict):
        title = f"must be a section, not {kinds.described(value)}"
        return None, [Problem(path, "config.wrong-value", title)]
    problems: list[Problem] = []
    parts: dict[str, Any] = {}
    for key, raw in value.items():
        if key not in _FIELDS[kind]:
            problems.append(_unknown((*path, key), kind.__struct_fields__, "key"))
            continue
        try:
            parts[key] = _FIELDS[kind][key](raw)
        except WrongValueError as error:
            where = (*path, key, *error.path)
            problems.append(Problem(where, error.code, str(error), error.hint))
    problems += _missing(kind, value, path)
    problems += [] if problems else _contradiction(kind, parts, path)
    return (None if problems else kind(**parts)), problems


def _missing(kind: type[msgspec.Struct], value: Mapping[str, Any], path: KeyPath) -> list[Problem]:
    needed = (f.name for f in msgspec.structs.fields(kind) if f.required)
    return [
        Problem(path, "config.missing-key", f"needs the key {name}")
        for name in needed
        if name not in value
    ]


def _contradiction(
    kind: type[msgspec.Struct], parts: Mapping[str, Any], path: KeyPath
) -> list[Problem]:
    """Tell what does not go together though each value is right."""
    if kind is ServiceSettings and not {"container", "compose_service", "url"} & parts.keys():
        title = "names neither a container, nor a compose_service, nor an url"
        return [Problem(path, "config.missing-key", title)]
    if kind is WatchSettings and {"webhook", "webhook_file"} <= parts.keys():
        title = "has webhook and webhook_file: leave one out"
        return [Problem((*path, "webhook_file"), "config.wrong-value", title)]
    if kind is LayoutSettings:
        strangers = [
            (field, name)
            for field in ("variants", "gpus")
            for name in parts.get(field, {})
            if name not in parts.get("services", ())
        ]
        return [
            Problem((*path, field, name), "config.wrong-value", "is not a service of this layout")
            for field, name in strangers
        ]
    return []


def _unknown(path: KeyPath, names: tuple[str, ...], what: str) -> Problem:
    hint = kinds.nearest(str(path[-1]), names) or f"Known are {', '.join(names)}"
    return Problem(path, "config.unknown-key", f"is not a known {what}", hint)


def _table(kind: type[S], value: Any) -> S:
    """Read an inner table; its first problem becomes the error, with its path."""
    part, problems = _section(kind, value, ())
    if part is None:
        first = problems[0]
        raise WrongValueError(first.title, first.hint, first.code, first.path)
    return part


def _auth(value: Any) -> Auth:
    """Read how to log in; the file's own permissions are checked where it exists."""
    if isinstance(value, str):
        raise WrongValueError(
            "must be a table, never the secret itself",
            'Such as auth = { scheme = "bearer", env = "COMFY_TOKEN" }',
        )
    auth = _table(Auth, value)
    if (auth.env is None) == (auth.file is None):
        raise WrongValueError("needs either env or file", "They say where the secret is")
    trouble = file_trouble(auth.file) if auth.file else None
    if trouble is not None and trouble.code == "secret.open-to-others":
        raise WrongValueError(trouble.title, trouble.hint, trouble.code, ("file",))
    return auth


def _closed_file(value: Any) -> Path:
    """Read the path of a file that only its owner may read; it need not be there yet."""
    found = kinds.path(value)
    trouble = file_trouble(found)
    if trouble is not None and trouble.code == "secret.open-to-others":
        raise WrongValueError(trouble.title, trouble.hint, trouble.code)
    return found


def _extra(value: Any) -> tuple[ExtraRoot, ...]:
    if not isinstance(value, list):
        raise WrongValueError("must be tables: [[paths.extra]]")
    roots = []
    for index, each in enumerate(value):
        try:
            roots.append(_table(ExtraRoot, each))
        except WrongValueError as error:
            error.path = (index, *error.path)
            raise
    return tuple(roots)


_FIELDS: dict[type[msgspec.Struct], dict[str, Reader]] = {
    PathSettings: {
        "models": kinds.path,
        "outputs": kinds.path,
        "catalog": kinds.path,
        "runbook": kinds.path,
        "extra": _extra,
    },
    ExtraRoot: {"models": kinds.path},
    ServiceSettings: {
        "kind": kinds.choice(KINDS),
        "container": kinds.text,
        "compose_file": kinds.path,
        "compose_service": kinds.text,
        "url": kinds.url,
        "public_url": kinds.url,
        "gpu": kinds.card,
        "variant": kinds.text,
        "vram_budget": kinds.size,
        "auth": _auth,
    },
    Auth: {
        "scheme": kinds.choice(SCHEMES),
        "env": kinds.variable,
        "file": kinds.path,
        "name": kinds.text,
    },
    LayoutSettings: {
        "services": kinds.several(kinds.text),
        "variants": kinds.texts_by_name,
        "gpus": kinds.cards_by_name,
    },
    PolicySettings: {
        "read_only": kinds.flag,
        "confirm": kinds.several(kinds.choice(CONFIRMABLE)),
        "vram_reserve": kinds.size,
    },
    DownloadSettings: {"limit": kinds.rate, "connections": kinds.whole(1, 16)},
    UiSettings: {
        "theme": kinds.choice(THEMES),
        "mouse": kinds.flag,
        "interval": kinds.number(0.5, 60),
        "pictures": kinds.choice(PICTURES),
    },
    WatchSettings: {
        "command": kinds.arguments,
        "webhook": kinds.url,
        "webhook_file": _closed_file,
        "auth": _auth,
        "severity": kinds.choice(WATCHED),
        "raise_after": kinds.duration(0, 86_400),
        "clear_after": kinds.duration(0, 86_400),
        "time_limit": kinds.duration(1, 300),
        "ignore": kinds.several(kinds.text),
    },
}
_SINGLE: dict[str, type[msgspec.Struct]] = {
    "paths": PathSettings,
    "policy": PolicySettings,
    "downloads": DownloadSettings,
    "ui": UiSettings,
    "watch": WatchSettings,
}
_NAMED: dict[str, type[msgspec.Struct]] = {"services": ServiceSettings, "layouts": LayoutSettings}
