"""What the boxes of the gallery offer: what edits are chosen by, what can be done with one."""

from __future__ import annotations

from functools import cache

import msgspec

from console.edits.kept import KeptEdit
from console.packaged import read_table
from console.text import clean_line
from screens.tui.gallery.source import Names
from screens.tui.gallery.state import Wanted
from screens.tui.lab.choice_dialog import Choice
from screens.tui.verbs import Verb

EVERYTHING = "all"
_FIELDS = ("workflow", "variant", "service")


class _Action(msgspec.Struct, frozen=True, kw_only=True):
    verb: str
    key: str
    title: str
    help: str
    states: tuple[str, ...] = ()


class _Table(msgspec.Struct):
    action: tuple[_Action, ...]


@cache
def _actions() -> tuple[_Action, ...]:
    return msgspec.convert(read_table("gallery_actions.toml"), _Table).action


def actions_of(edit: KeptEdit) -> tuple[Verb, ...]:
    """Give what can be done with an edit in its state."""
    return tuple(
        Verb(one.verb, one.key, one.title, one.states, one.help)
        for one in _actions()
        if (not one.states or edit.state in one.states) and (one.verb != "group" or edit.group)
    )


def filters(names: Names, wanted: Wanted, edit: KeptEdit | None) -> tuple[Choice, ...]:
    """Give what edits may be chosen by; the word is a field with its value, or `all`."""
    lists = (names.workflows, names.variants, names.services)
    found = [Choice(EVERYTHING, "all edits", "" if wanted.any else "no filter any more")]
    for field, values in zip(_FIELDS, lists, strict=True):
        now = getattr(wanted, field)
        found += [
            Choice(f"{field} {value}", clean_line(value, 60), field + ", now" * (value == now))
            for value in values
        ]
    if edit is not None and edit.group:
        text = clean_line(edit.group, 20)
        found.append(Choice(f"group {edit.group}", text, "the comparison or load run it is of"))
    return tuple(found)


def chosen_filter(wanted: Wanted, word: str) -> Wanted:
    """Give the filter after a line was chosen; the same once more takes it away."""
    if word == EVERYTHING:
        return Wanted()
    field, _, value = word.partition(" ")
    if field not in {*_FIELDS, "group"}:
        return wanted
    now = "" if getattr(wanted, field) == value else value
    return msgspec.structs.replace(wanted, **{field: now})
