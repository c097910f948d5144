"""The steps: a list where there is room, else one line of marks."""

from __future__ import annotations

from collections.abc import Sequence

from screens.tui.paint import Line, Span, clickable, cut, fit, left, line_width, on
from screens.tui.setup.walk import Walk
from screens.tui.setup.words import capital, step_state

STATE_WIDTH = 9


def step_list(walk: Walk, titles: Sequence[str], width: int) -> list[Line]:
    """Give one line a step: its mark, number, title and state."""
    lines: list[Line] = []
    for place, (ident, title) in enumerate(zip(walk.steps, titles, strict=True)):
        state = step_state(walk, ident)
        here = ident == walk.at
        room = width - 8 - STATE_WIDTH
        line = fit(
            (
                Span("▸ " if here else "  ", "title"),
                Span(f"{state.symbol} ", state.role),
                Span(f"{place + 1:>2} ", "dim"),
                Span(left(cut(capital(title), room), room), "strong" if here else "text"),
                Span(f" {state.words}", state.role),
            ),
            width,
        )
        lines.append(clickable(on(line, "selected") if here else line, f"step {ident}"))
    return lines


def folded(walk: Walk, width: int) -> Line:
    """Give the marks of all steps in one line, the one that is shown in brackets."""
    spans: list[Span] = [Span(" ")]
    for ident in walk.steps:
        state = step_state(walk, ident)
        here = ident == walk.at
        mark = f"[{state.symbol}]" if here else f" {state.symbol} "
        spans += clickable((Span(mark, "strong" if here else state.role),), f"step {ident}")
    shown = step_state(walk, walk.at)
    tail = Span(f"{shown.words} ", shown.role)
    room = width - line_width((tail,))
    return (*fit(spans, max(0, room)), tail)
