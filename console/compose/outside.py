"""What a compose file takes from elsewhere: variables of `.env`, settings of `env_file`."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from console.compose.faults import ComposeError
from console.compose.project import ComposeService, parse, read_text, service_of
from console.compose.settings import CHOOSING, PLACES, variables_of
from console.compose.tree import Tree
from console.engine.snapshot import ARGUMENT_NAMES
from console.files import read_limited
from console.text import clean_line

_LARGEST_FILE = 1 << 18
_REFERENCE = re.compile(
    r"\$(?:\$|\{(?P<name>[A-Za-z_]\w*)(?:(?P<op>:?[-+?])(?P<other>[^}]*))?\}"
    r"|(?P<bare>[A-Za-z_]\w*))"
)
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*?)\s*")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A variable's value, and where it is set, such as `/srv/sd/.env, line 3`."""

    value: str
    where: str


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What is not in the compose file itself; values may be secrets and are never shown.

    Attributes:
        variables: what `${NAME}` stands for.
        environment: what the service's `env_file` sets.
        overrides: other files of the project that have a say in what is to be changed too.
    """

    variables: dict[str, Setting] = {}
    environment: dict[str, Setting] = {}
    overrides: tuple[str, ...] = ()

    def resolved(self, text: str) -> str:
        """Give a text as compose reads it; a variable that nobody sets is its default, or empty."""
        return _REFERENCE.sub(self._meant, text)

    def _meant(self, reference: re.Match[str]) -> str:
        if reference[0] == "$$":
            return "$"
        name, operator, other = reference["name"] or reference["bare"], reference["op"], ""
        if operator:
            other = reference["other"]
        setting = self.variables.get(name)
        there = setting is not None and (setting.value or not (operator or "").startswith(":"))
        if operator and operator.endswith("+"):
            return other if there else ""
        if setting is not None and there:
            return setting.value
        return other if operator and operator.endswith("-") else ""


class Concern(NamedTuple):
    """What an edit is about: variables, and places below a service. As it stands, its card."""

    names: Collection[str] = (*ARGUMENT_NAMES, *CHOOSING)
    places: Collection[tuple[str, ...]] = PLACES


_CARD = Concern()


def outside_of(
    service: ComposeService, environ: Mapping[str, str], concern: Concern = _CARD
) -> Outside:
    """Read what a service takes from elsewhere; files that cannot be read add nothing.

    Args:
        service: as it is in its file.
        environ: of whoever runs compose.
        concern: what is to be changed: other files that say something about it are told.
    """
    project = service.project
    variables: dict[str, Setting] = {}
    for file in project.env_files or (project.place / ".env",):
        variables |= _read(file)
    # The environment wins over the file, as it does for compose.
    variables |= {
        name: Setting(value=value, where="the environment") for name, value in environ.items()
    }
    environment: dict[str, Setting] = {}
    try:
        found = service_of(parse(service.text, service.file), service.name, service.file)
    except ComposeError:
        return Outside(variables=variables)
    for name in _names(found.get("env_file")):
        environment |= _read(project.place / name)
    overrides = (
        clean_line(str(file), 200) for file in project.files if _overrides(service, file, concern)
    )
    return Outside(variables=variables, environment=environment, overrides=tuple(overrides))


def _overrides(service: ComposeService, file: Path, concern: Concern) -> bool:
    """Tell whether another file of the project has a say in what an edit is about."""
    if file.resolve() == service.file.resolve():
        return False
    try:
        text = read_text(file)
        parse(text, file)
    except ComposeError:
        return False  # compose itself will say what is wrong with it
    tree = Tree(text)
    node = tree.services().get(service.name)
    if node is None:
        return False
    variables = variables_of(tree, node).keys() & set(concern.names)
    return bool(variables) or any(tree.find(node, *path) is not None for path in concern.places)


def _names(value: Any) -> list[str]:
    """Give the files of `env_file`: one, a list of them, or of mappings with a path."""
    entries = value if isinstance(value, list) else [value]
    found = (entry.get("path") if isinstance(entry, Mapping) else entry for entry in entries)
    return [name for name in found if isinstance(name, str)]


def _read(file: Path) -> dict[str, Setting]:
    """Read a file of `NAME=value` lines."""
    try:
        text = read_limited(file, _LARGEST_FILE).decode("utf-8", "replace")
    except OSError:
        return {}
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match:
            where = f"{clean_line(str(file), 200)}, line {number}"
            found[match[1]] = Setting(value=_unquoted(match[2]), where=where)
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value.partition(" #")[0].rstrip()
