"""The list of edits, newest first: those under way with how they go, then what was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from console.edits.kept import OPEN_STATES, KeptEdit
from screens.tui.lab.now_panel import in_short
from screens.tui.lab.state import EDITS, State
from screens.tui.lab.words import edit_state, one_line, seconds_words, short_variant, took
from screens.tui.paint import Line, Span, clickable, fit, left, on, right
from screens.tui.view import Job
from screens.tui.words import gib, local_clock, place_text

CLOCK, NAME, HOW = 6, 20, 13
VARIANT_FROM, PROMPT_FROM = 76, 100


class Row(NamedTuple):
    """One line: an edit that was kept, the job that makes it, or both."""

    key: str
    edit: KeptEdit | None
    job: Job | None

    @property
    def name(self) -> str:
        """Give what a search knows it as."""
        if self.edit is None:
            return self.job.target if self.job is not None else ""
        edit = self.edit
        return f"{edit.workflow} {edit.variant} {edit.service} {edit.prompt[:2000]} {edit.id}"


def rows_of(edits: Sequence[KeptEdit], jobs: Mapping[str, Job]) -> tuple[Row, ...]:
    """Put what is kept and what is under way into one list; jobs that are not kept yet go first."""
    known = {edit.id for edit in edits}
    fresh = [Row(key, None, job) for key, job in jobs.items() if key not in known]
    return (*reversed(fresh), *(Row(edit.id, edit, jobs.get(edit.id)) for edit in edits))


def under_way(row: Row) -> bool:
    """Tell whether an edit has no end yet, as far as known."""
    return row.job is not None or (row.edit is not None and row.edit.state in OPEN_STATES)


def table(rows: Sequence[Row], state: State, now: datetime, width: int, height: int) -> list[Line]:
    """Give the head and the edits from `state.list_top` on in `height` lines of `width`."""
    label = place_text(state.list_top, height - 1, len(rows)) or "edit"
    head = f"   {left('when', CLOCK)} {left(label, NAME)}  {left('how', HOW)}"
    head += right("took", 7) + right("peak", 7)
    if width >= VARIANT_FROM:
        head += "  " + left("variant", 18)
    if width >= PROMPT_FROM:
        head += "  prompt"
    lines: list[Line] = [fit((Span(head, "dim"),), width)]
    for row in rows[state.list_top : state.list_top + height - 1]:
        line = fit(_row(row, state, now, width), width)
        chosen = row.key == state.edit and state.panel == EDITS
        lines.append(clickable(on(line, "selected") if chosen else line, f"row {row.key}"))
    return lines


def _row(row: Row, state: State, now: datetime, width: int) -> Line:
    edit = row.edit
    mark = Span(" ▸ " if row.key == state.edit and state.panel == EDITS else "   ", "title")
    if row.job is not None:
        name = edit.workflow if edit is not None else row.job.target
        when = local_clock(edit.created_at, now) if edit is not None else "now"
        return (
            mark,
            Span(left(when, CLOCK), "dim"),
            Span(f" {left(one_line(name), NAME)}", "strong"),
            Span(f"  ▶ {in_short(row.job)}", "accent"),
        )
    if edit is None:
        return (mark,)
    told = edit_state(edit)
    spans = [
        mark,
        Span(left(local_clock(edit.created_at, now), CLOCK), "dim"),
        Span(f" {left(one_line(edit.workflow), NAME)}", "strong"),
        Span(f"  {left(f'{told.symbol} {told.words}', HOW)}", told.role),
        Span(right(seconds_words(took(edit)), 7), "text"),
        Span(right(gib(edit.vram_peak_bytes), 7), "text"),
    ]
    if width >= VARIANT_FROM:
        spans.append(Span("  " + left(short_variant(edit.variant), 18), "text"))
    if width >= PROMPT_FROM:
        spans.append(Span(f"  {one_line(edit.prompt)}", "dim"))
    return tuple(spans)
