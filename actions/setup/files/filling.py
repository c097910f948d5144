"""Filling templates in: `@name@` becomes a value; alone on a line it becomes lines, or none."""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from console.compose.editing import quoted
from console.errors import UsageError
from console.packaged import read_table, read_text
from console.text import clean_line

_PLACE = re.compile(r"@([a-z_]+)@")
_ALONE = re.compile(r"([ \t]*)@([a-z_]+)@")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,62}")
_ENDS_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})


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
    """Give a text as compose reads it as just this: quoted where needed, `$` doubled.

    Raises:
        UsageError: it is more than a line, or no text at all (`setup.odd-text`).
    """
    return quoted(one_line(value).replace("$", "$$"))


def one_line(value: str | Path) -> str:
    """Give a text that stays on its line of a file.

    Raises:
        UsageError: it has line ends or control characters, or is no UTF-8 (`setup.odd-text`).
    """
    text = str(value)
    if any(unicodedata.category(one) in _ENDS_A_LINE for one in text):
        raise UsageError(
            "setup.odd-text",
            f"no file can say {clean_line(text, 120)!r}: it has characters that are no text",
            "Name it otherwise, or make a link to it that has a plain name",
        )
    return text


def compose_name(text: str) -> str:
    """Give a name as compose and the engine take it, quoted where YAML would read something else.

    Raises:
        UsageError: they would not (`setup.name`).
    """
    if not _NAME.fullmatch(text):
        raise UsageError(
            "setup.name",
            f"compose and the engine take no such name: {clean_line(text, 80)!r}",
            "Two to 63 letters (a to z), digits, dots, - or _, the first a letter or a digit",
        )
    return quoted(text)
