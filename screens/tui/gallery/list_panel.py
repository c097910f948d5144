"""The list of the gallery, and the line that says which edits are listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.edits.kept import KeptEdit
from console.text import clean_line
from screens.tui.gallery.state import ALL, State, Wanted
from screens.tui.lab.words import edit_state, one_line, short_variant
from screens.tui.paint import Line, Span, clickable, fit, left, on, wrap
from screens.tui.words import local_clock, place_text

CLOCK, NAME_LEAST, HOW, VARIANT = 6, 12, 14, 18
VARIANT_FROM, PROMPT_FROM = 56, 76


def table(
    edits: Sequence[KeptEdit], state: State, now: datetime, width: int, height: int
) -> list[Line]:
    """Give the head and the edits from `state.list_top` on in `height` lines of `width`."""
    name = _name_width(width)
    head = f"   {left('when', CLOCK)} {left('workflow', name)} {left('state', HOW)}"
    if width >= VARIANT_FROM:
        head += left("variant", VARIANT)
    if width >= PROMPT_FROM:
        head += " prompt"
    lines: list[Line] = [fit((Span(head, "dim"),), width)]
    for edit in edits[state.list_top : state.list_top + height - 1]:
        line = fit(_row(edit, state, now, name, width), width)
        chosen = edit.id == state.edit
        lines.append(clickable(on(line, "selected") if chosen else line, f"row {edit.id}"))
    return lines


def _name_width(width: int) -> int:
    """Give the columns of a workflow's name: what is left, as long as no prompt is shown."""
    taken = 3 + CLOCK + 1 + 1 + HOW + (VARIANT if width >= VARIANT_FROM else 0)
    return max(NAME_LEAST, min(22, width - taken - (24 if width >= PROMPT_FROM else 0)))


def _row(edit: KeptEdit, state: State, now: datetime, name: int, width: int) -> Line:
    told = edit_state(edit)
    spans = [
        Span(" ▸" if edit.id == state.edit else "  ", "title"),
        Span("+" if edit.id in state.marked else " ", "accent"),
        Span(left(local_clock(edit.created_at, now), CLOCK), "dim"),
        Span(f" {left(one_line(edit.workflow), name)}", "strong"),
        Span(f" {left(f'{told.symbol} {told.words}', HOW)}", told.role),
    ]
    if width >= VARIANT_FROM:
        spans.append(Span(left(short_variant(edit.variant), VARIANT), "text"))
    if width >= PROMPT_FROM:
        spans.append(Span(f" {one_line(edit.prompt)}", "dim"))
    return tuple(spans)


def heading(state: State, total: int | None, shown: int) -> Line:
    """Give the title: how many there are, which are in sight, chosen by what, how many marked.

    Args:
        state: of the gallery.
        total: of the edits that are chosen; None before they were counted.
        shown: rows of the list; 0 where there is none.
    """
    spans = [Span(" Gallery", "title")]
    if total is not None:
        count = place_text(state.list_top, shown, total) if shown else ""
        text = count.rstrip() or f"{total}"
        spans.append(Span(f"  {text} {'edit' if total == 1 else 'edits'}", "dim"))
    spans += [Span(f"  {text}", "accent") for text in chosen_by(state.wanted)]
    if state.marked:
        spans.append(Span(f"  +{len(state.marked)} marked", "accent"))
    return tuple(spans)


def chosen_by(wanted: Wanted) -> list[str]:
    """Say by what edits are chosen, each in a few words."""
    named = [
        clean_line(value, 40)
        for value in (wanted.workflow, short_variant(wanted.variant), wanted.service)
        if value
    ]
    named += [f"of {clean_line(wanted.group, 12)}"] if wanted.group else []
    named += [wanted.states] if wanted.states != ALL else []
    return [*named, *([f"/{clean_line(wanted.text, 30)}"] if wanted.text else [])]


def nothing(wanted: Wanted, width: int) -> list[Line]:
    """Say why nothing is listed."""
    text = "No edit has been kept yet. 4 opens the lab, where they are made; so does"
    text += " gpuconsole edit on the command line."
    if not wanted.any:
        text = "No edit is like that: " + ", ".join(chosen_by(wanted)) + ". Esc lists all again."
    return [(Span(f"  {part}", "dim"),) for part in wrap(text, max(10, width - 4))]
