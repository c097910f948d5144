"""Filling templates in: `@name@` becomes a value; alone on a line it becomes lines, or none."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from console.compose.editing import quoted
from console.packaged import read_table, read_text

_PLACE = re.compile(r"@([a-z_]+)@")
_ALONE = re.compile(r"([ \t]*)@([a-z_]+)@")


@cache
def versions() -> dict[str, Any]:
    """Give what is pinned: PyTorch by capability, ComfyUI and nodes by route, folders, traps."""
    return read_table("templates/versions.toml")


def template(file: str, /, **values: str) -> str:
    """Give a packaged template with its places filled in.

    A place that is alone on its line takes any number of lines, indented as it is; without a value
    the line is gone. A value is not looked through for places again.

    Raises:
        KeyError: a place has no value, or a value no place: the program's own mistake.
    """
    return filled(read_text(f"templates/{file}"), values)


def filled(text: str, values: dict[str, str]) -> str:
    """Give a text with its places filled in, as `template` does."""
    used = {match[1] for match in _PLACE.finditer(text)}
    if spare := values.keys() - used:
        raise KeyError(f"no place for {', '.join(sorted(spare))}")
    lines = []
    for line in text.splitlines():
        alone = _ALONE.fullmatch(line)
        if alone is None:
            lines.append(_PLACE.sub(lambda match: values[match[1]], line))
        else:
            lines += [f"{alone[1]}{one}".rstrip() for one in values[alone[2]].splitlines()]
    return "\n".join(lines) + "\n"


def in_compose(value: str | Path) -> str:
    """Give a text as compose reads it as just this: quoted where needed, `$` doubled."""
    return quoted(str(value).replace("$", "$$"))
