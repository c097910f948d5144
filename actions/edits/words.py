"""The words of an edit's plan and of its phases, from the packaged tables."""

import re
from functools import cache
from typing import Any

from actions.containers.words import worded
from actions.plan import Check
from console.packaged import read_table

PHASES = ("load", "encode", "sample", "decode", "save", "other")
"""The parts that a run is told in; the names of `Timings` for all but `save`."""

SHOWN = {
    "load": "loading",
    "encode": "encoding",
    "sample": "sampling",
    "decode": "decoding",
    "save": "saving",
}


def check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    """Give a check of an edit's plan in its packaged words.

    Raises:
        KeyError: the id or a value is missing: a fault of the program, not of data.
    """
    return worded(_plans()["checks"][check_id], check_id, verdict, values)


def text(name: str, **values: object) -> str:
    """Give one of the packaged sentences, with its values put in."""
    words: str = _plans()["texts"][name]
    return words.format(**values)


def phase_of(kind: str) -> str:
    """Give the phase that a node of this class belongs to; `other` where nothing says."""
    named, patterns = _phases()
    if kind in named:
        return named[kind]
    return next((phase for phase, pattern in patterns if pattern.search(kind)), "other")


@cache
def _plans() -> dict[str, Any]:
    return read_table("edit_plans.toml")


@cache
def _phases() -> tuple[dict[str, str], tuple[tuple[str, "re.Pattern[str]"], ...]]:
    table = read_table("edit_phases.toml")
    named = {kind: phase for phase, kinds in table["classes"].items() for kind in kinds}
    patterns = tuple((one["phase"], re.compile(one["pattern"])) for one in table["patterns"])
    return named, patterns
