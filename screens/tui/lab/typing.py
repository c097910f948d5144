"""A text that is being typed: the keys of a line editor, and which part of it is in sight."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

LONGEST_PROMPT = 100_000
"""What the workflows take at most."""
LONGEST_NUMBER = 24
_WORD_LEFT = re.compile(r"\S*\s*\Z")
_WORD_RIGHT = re.compile(r"\s*\S*")
_AROUND = 2000
"""So many letters on each side of the cursor are laid out: a long text costs no more than that."""


class Typing(msgspec.Struct, kw_only=True):
    """A field while it is edited.

    Attributes:
        field: its name.
        text: what stands there; `at` is the place of the cursor, `before` what stood there first.
        longest: how many letters it may have.
        history: what was typed there earlier, newest first; `past` is the one that is shown, -1 for
            the operator's own words, which `own` keeps meanwhile.
        said: what is wrong with it; empty while nothing is.
    """

    field: str
    text: str
    at: int = 0
    before: str = ""
    longest: int = LONGEST_PROMPT
    history: tuple[str, ...] = ()
    past: int = -1
    own: str = ""
    said: str = ""

    def insert(self, text: str) -> bool:
        """Put a text in at the cursor; False where there is no more room for all of it."""
        room = self.longest - len(self.text)
        taken = text[: max(0, room)]
        self.text = self.text[: self.at] + taken + self.text[self.at :]
        self.at += len(taken)
        self.said = ""
        return len(taken) == len(text)

    def press(self, key: str) -> bool:
        """Do what a key of a line editor does; False where it is none."""
        move = _MOVES.get(key)
        if move is not None:
            self.at = max(0, min(len(self.text), move(self)))
            return True
        cut = _CUTS.get(key)
        if cut is not None:
            start, end = cut(self)
            start, end = max(0, start), min(len(self.text), end)
            self.text, self.at = self.text[:start] + self.text[end:], start
            self.said = ""
            return True
        return False

    def recall(self, step: int) -> None:
        """Show an earlier text of the history, or a later one, and at its end the own words."""
        if not self.history:
            return
        if self.past < 0:
            self.own = self.text
        self.past = max(-1, min(len(self.history) - 1, self.past + step))
        self.text = self.own if self.past < 0 else self.history[self.past]
        self.at = len(self.text)


def _word_left(typing: Typing) -> int:
    found = _WORD_LEFT.search(typing.text[: typing.at])
    return found.start() if found is not None else 0


def _word_right(typing: Typing) -> int:
    found = _WORD_RIGHT.match(typing.text, typing.at)
    return found.end() if found is not None else len(typing.text)


_MOVES: dict[str, Callable[[Typing], int]] = {
    "left": lambda one: one.at - 1,
    "right": lambda one: one.at + 1,
    "ctrl+b": lambda one: one.at - 1,
    "ctrl+f": lambda one: one.at + 1,
    "home": lambda _one: 0,
    "ctrl+a": lambda _one: 0,
    "end": lambda one: len(one.text),
    "ctrl+e": lambda one: len(one.text),
    "ctrl+left": _word_left,
    "alt+b": _word_left,
    "ctrl+right": _word_right,
    "alt+f": _word_right,
}
_CUTS: dict[str, Callable[[Typing], tuple[int, int]]] = {
    "backspace": lambda one: (one.at - 1, one.at),
    "ctrl+h": lambda one: (one.at - 1, one.at),
    "delete": lambda one: (one.at, one.at + 1),
    "ctrl+d": lambda one: (one.at, one.at + 1),
    "ctrl+w": lambda one: (_word_left(one), one.at),
    "alt+backspace": lambda one: (_word_left(one), one.at),
    "ctrl+u": lambda one: (0, one.at),
    "ctrl+k": lambda one: (one.at, len(one.text)),
}


class Around(NamedTuple):
    """What is laid out of a text: before the cursor, after it, and if there is more at each end."""

    before: str
    after: str
    more_before: bool
    more_after: bool


def around(typing: Typing) -> Around:
    """Give the part of a text that stands around its cursor."""
    start = max(0, typing.at - _AROUND)
    end = min(len(typing.text), typing.at + _AROUND)
    return Around(
        typing.text[start : typing.at],
        typing.text[typing.at : end],
        start > 0,
        end < len(typing.text),
    )
