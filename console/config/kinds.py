"""Readers of single values: each gives the typed value or says in words what it should be."""

import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from console.paths import expand
from console.units import KIB, parse_bytes, parse_duration

Reader = Callable[[Any], Any]
KeyPath = tuple[str | int, ...]

_URL = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[^\s/@?#:\[\]]+)(?::(\d{1,5}))?(?:[/?#]\S*)?", re.IGNORECASE
)
_UUID_BEGINS = re.compile(r"GPU-", re.IGNORECASE)
_UUID = re.compile(r"GPU-[0-9a-f][0-9a-f-]*", re.IGNORECASE)
_LONGEST_CARD = 100
_SHORTEST_NUMBER = 3
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class WrongValueError(ValueError):
    """A value that cannot be taken.

    Attributes:
        hint: how to write a right one; may be empty.
        code: of the finding that it becomes.
        path: where inside the value, for tables and lists.
    """

    def __init__(
        self, title: str, hint: str = "", code: str = "config.wrong-value", path: KeyPath = ()
    ) -> None:
        super().__init__(title)
        self.hint = hint
        self.code = code
        self.path = path


def text(value: Any) -> str:
    """Read a text that is not empty."""
    if not isinstance(value, str):
        raise WrongValueError(f"must be text in quotes, not {described(value)}")
    if not value.strip():
        raise WrongValueError("must not be empty", "Leave the line out instead")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    raise WrongValueError(f"must be true or false, without quotes, not {described(value)}")


def size(value: Any) -> int:
    """Read a size such as "700 MiB" into bytes."""
    if isinstance(value, str):
        try:
            return parse_bytes(value)
        except ValueError as error:
            raise WrongValueError(str(error)) from error
    raise WrongValueError(f'must be a size in quotes such as "8 GiB", not {described(value)}')


def rate(value: Any) -> int:
    """Read a rate such as "20 MiB" or "20 MiB/s" into bytes a second; at least one KiB."""
    if not isinstance(value, str):
        raise WrongValueError(
            f'must be bytes a second in quotes such as "20 MiB/s", not {described(value)}'
        )
    try:
        found = parse_bytes(value.strip().removesuffix("/s"))
    except ValueError as error:
        raise WrongValueError(f'must be bytes a second such as "20 MiB/s": {error}') from error
    if found < KIB:
        raise WrongValueError("must be at least 1 KiB a second", "Leave the line out for no limit")
    return found


def path(value: Any) -> Path:
    """Read an absolute path, or one that begins with `~`."""
    whole = expand(text(value), os.environ)
    if "\0" in str(whole) or not whole.is_absolute():
        raise WrongValueError("must be an absolute path, or begin with ~/")
    return whole


def url(value: Any) -> str:
    """Read an http or https URL without credentials in it."""
    written = text(value)
    if "@" in written.partition("//")[2].partition("/")[0]:
        raise WrongValueError(
            "must not hold a name or password", "Use auth = { ... } with env or file instead"
        )
    match = _URL.fullmatch(written)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        raise WrongValueError('must be an URL such as "http://127.0.0.1:8188"')
    return written


def card(value: Any) -> str:
    """Read a card: a UUID, or a part of its name. Whether there is one is not known here."""
    written = text(value).strip()
    if len(written) > _LONGEST_CARD or not written.isprintable():
        raise WrongValueError("must be a UUID, or a part of a card's name")
    if _UUID_BEGINS.match(written) and not _UUID.fullmatch(written):
        raise WrongValueError("is no UUID of a card", "`nvidia-smi -L` lists them")
    if written.isdecimal() and len(written) < _SHORTEST_NUMBER:
        raise WrongValueError(
            "must not be a number: driver, CUDA and compose count cards differently",
            'Write a UUID, or a part of the name such as "3090"',
        )
    return written


def variable(value: Any) -> str:
    """Read the name of an environment variable."""
    name = text(value)
    if not _VARIABLE.fullmatch(name):
        # The value is not shown: what stands here by mistake is often the secret itself.
        raise WrongValueError("must be the name of an environment variable", "Not its value")
    return name


def number(low: float, high: float) -> Reader:
    """Make a reader of numbers from `low` to `high`."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongValueError(f"must be a number from {low:g} to {high:g}")
        if not math.isfinite(value) or not low <= value <= high:
            raise WrongValueError(f"must be from {low:g} to {high:g}, not {value}")
        return float(value)

    return read


def whole(low: int, high: int) -> Reader:
    """Make a reader of whole numbers from `low` to `high`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongValueError(f"must be a whole number from {low} to {high}")
        if not low <= value <= high:
            raise WrongValueError(f"must be from {low} to {high}, not {value}")
        return value

    return read


def duration(low: float, high: float) -> Reader:
    """Make a reader of times such as "30s" or "2m" into seconds from `low` to `high`."""

    def read(value: Any) -> float:
        if not isinstance(value, str):
            raise WrongValueError(f'must be a time in quotes such as "30s", not {described(value)}')
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise WrongValueError(f'must be a time such as "30s" or "2m": {error}') from error
        if not low <= seconds <= high:
            raise WrongValueError(f"must be from {low:g} s to {high:g} s, not {value}")
        return seconds

    return read


def arguments(value: Any) -> tuple[str, ...]:
    """Read a command as a list of its arguments; no shell ever sees it.

    The program is named by its path, or by a name that PATH has. A leading `~` of the path is the
    home directory; the other arguments stay as they are.
    """
    if isinstance(value, str):
        raise WrongValueError(
            "must be a list of arguments, not one text: no shell reads it",
            'Such as command = ["/usr/local/bin/page", "--on-call"]',
        )
    if not isinstance(value, list):
        raise WrongValueError(f"must be a list of texts in [ ], not {described(value)}")
    if not value:
        raise WrongValueError("must not be empty: leave it out where nothing is to be run")
    words = [each if isinstance(each, str) else text(each) for each in value]
    program = text(words[0])
    if any("\0" in word for word in words):
        raise WrongValueError("must not hold a NUL")
    if program.startswith("~/"):
        program = str(expand(program, os.environ))
    elif "/" in program and not program.startswith("/"):
        raise WrongValueError("must name its program by an absolute path, by ~/ or by name alone")
    return (program, *words[1:])


def choice(names: Sequence[str]) -> Reader:
    """Make a reader of one of `names`; a near miss is told the right one."""

    def read(value: Any) -> str:
        written = text(value)
        if written in names:
            return written
        raise WrongValueError(
            f"must be one of {', '.join(names)}, not {written[:40]!r}", nearest(written, names)
        )

    return read


def several(item: Reader) -> Reader:
    """Make a reader of lists of what `item` reads."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise WrongValueError(f"must be a list in [ ], not {described(value)}")
        return tuple(dict.fromkeys(item(each) for each in value))

    return read


def texts_by_name(value: Any) -> dict[str, str]:
    """Read a table of texts, such as `{ comfyui-qwen = "..." }`."""
    return _by_name(value, text)


def cards_by_name(value: Any) -> dict[str, str]:
    """Read a table of cards, such as `{ comfyui-qwen = "3090" }`."""
    return _by_name(value, card)


def _by_name(value: Any, item: Callable[[Any], str]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise WrongValueError(f"must be a table in {{ }}, not {described(value)}")
    return {name: item(each) for name, each in value.items()}


def nearest(name: str, names: Sequence[str]) -> str:
    """Give `Did you mean ...?` for the name next to a wrong one, or nothing."""
    import difflib  # only mistakes need it

    near = difflib.get_close_matches(name, names, 1, 0.6)
    return f"Did you mean {near[0]}?" if near else ""


def described(value: Any) -> str:
    """Say what kind of value something is, in TOML's words."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    kinds |= {list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")
