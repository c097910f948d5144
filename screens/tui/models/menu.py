"""What can be done with a variant, a file or a job now, from `assets/model_actions.toml`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from console.packaged import read_table
from console.text import clean_line
from screens.tui.models.inventory_panel import fixes_of
from screens.tui.models.jobs_panel import how
from screens.tui.models.words import choice_state, kind_word
from screens.tui.verbs import Verb

if TYPE_CHECKING:
    from screens.tui.models.layout import Drawing


class Menu(NamedTuple):
    """A menu: what it is about, how that is, and its lines."""

    name: str
    state: str
    verbs: tuple[Verb, ...]


class _Action(msgspec.Struct, frozen=True, kw_only=True):
    """A line; `panel` is where it stands, `states` those of what is selected in which it does."""

    panel: str
    verb: str
    key: str
    title: str
    help: str
    states: tuple[str, ...] = ()


class _Table(msgspec.Struct):
    action: tuple[_Action, ...]


@cache
def _all() -> tuple[_Action, ...]:
    return msgspec.convert(read_table("model_actions.toml"), _Table).action


def menu_of(drawing: Drawing) -> Menu | None:
    """Give the menu of what is selected; None where nothing is."""
    panel = drawing.state.panel
    if panel == "catalogue":
        choice = drawing.choice()
        if choice is None:
            return None
        return Menu(choice.title, choice_state(choice).words, _verbs(panel, choice.state))
    if panel == "inventory":
        row = drawing.row()
        if row is None:
            return None
        fixes = tuple(
            Verb(f"fix-{number}", str(number), "Fix", (), clean_line(fix.title, 200))
            for number, fix in enumerate(fixes_of(row), 1)
        )
        return Menu(row.name, kind_word(row.file.kind), (*fixes, *_verbs(panel, "")))
    one = drawing.job()
    if one is None:
        return None
    state = f"{one.job.kind}-{one.job.state}" if one.job.kind == "download" else one.job.state
    found = tuple(
        verb
        for verb in _verbs(panel, state)
        if not (drawing.alone is False and verb.verb in {"go_on", "go_back"})
        and (verb.verb != "go_back" or "back" in one.job.can)
        and (verb.verb != "go_on" or "resume" in one.job.can)
        and (verb.verb != "cancel" or "cancel" in one.job.can)
    )
    return Menu(f"{one.job.verb} {one.job.target}", how(one).words, found)


def _verbs(panel: str, state: str) -> tuple[Verb, ...]:
    return tuple(
        Verb(one.verb, one.key, one.title, one.states, one.help)
        for one in _all()
        if one.panel == panel and (not one.states or state in one.states)
    )
