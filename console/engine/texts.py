"""The words of the engine door, read from the packaged data files at first need."""

import re
from functools import cache
from typing import Any

import msgspec

from console.packaged import read_table

_LONGEST_SEARCHED = 8192


class Explanation(msgspec.Struct, frozen=True):
    """A failure that the engine's own words tell: catalogue id, title and hint for people."""

    code: str
    title: str
    hint: str


@cache
def _errors() -> dict[str, Any]:
    return read_table("engine.toml")


@cache
def _explained() -> tuple[tuple[re.Pattern[str], Explanation], ...]:
    return tuple(
        (re.compile(entry["pattern"]), Explanation(entry["code"], entry["title"], entry["hint"]))
        for entry in _errors()["explained"]
    )


def words(code: str, **values: object) -> tuple[str, str]:
    """Give title and hint of the error `code`, with `values` put in.

    Raises:
        KeyError: the code or a value it needs is missing; a fault of the program, not of data.
    """
    entry = _errors()["errors"][code]
    return entry["title"].format(**values), entry["hint"].format(**values)


def explain(text: str) -> Explanation | None:
    """Recognise a known failure in the engine's words, wherever in them it stands."""
    searched = text[:_LONGEST_SEARCHED]
    for pattern, explanation in _explained():
        if pattern.search(searched):
            return explanation
    return None
