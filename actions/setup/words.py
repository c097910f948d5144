"""What `assets/setup.toml` has: steps, answers, and where models are looked for."""

from functools import cache
from typing import Any

import msgspec

from console.packaged import read_table


class StepWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step's title, what it is for, and the ids of the steps it stands on."""

    title: str
    why: str
    needs: tuple[str, ...] = ()


class AnswerWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer.

    Attributes:
        kind: text, prose, name, flag, names, size, or choice of `choices`.
        once: it agrees to something that is there just now, and is not remembered.
    """

    kind: str
    default: Any
    about: str
    choices: tuple[str, ...] = ()
    once: bool = False


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where model folders are looked for, below home and below /mnt/*, and what tells them."""

    home: tuple[str, ...]
    mounted: tuple[str, ...]
    marks: tuple[str, ...]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; steps and answers in their order.

    Attributes:
        forge_vram: what a Forge may need, and with what.
        mends: the answer that is asked for anew, by the code of the error that it leads to.
    """

    steps: dict[str, StepWords]
    answers: dict[str, AnswerWords]
    search: Search
    forge_vram: dict[str, str]
    mends: dict[str, str]


@cache
def words() -> Words:
    """Give the table, read once."""
    return msgspec.convert(read_table("setup.toml"), Words)
