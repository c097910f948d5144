"""Logs as hosts write them, each with its first right answer: data for the accuracy tests.

Every file holds several, each after a line `#### id` (or `#### id/other` where either is right);
those in `healthy` have a name in place of an id, and no finding.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent


class Case(NamedTuple):
    """A log: the ids that are right first answers (or its name, where it is healthy)."""

    wanted: tuple[str, ...]
    lines: tuple[str, ...]


def cases(folder: str) -> Iterator[Case]:
    """Give the logs of `faults` or `healthy`."""
    for file in sorted((_HERE / folder).glob("*.txt")):
        for part in ("\n" + file.read_text("utf-8")).split("\n#### ")[1:]:
            head, _, body = part.partition("\n")
            yield Case(tuple(head.split("/")), tuple(body.splitlines()))
