"""Layouts drawn on the cards: what shares each, what it needs, and what the card has."""

from __future__ import annotations

from collections.abc import Sequence

from actions.fit.layout import CardSum, LayoutFit
from console.units import format_gib
from console.unknown import Unknown
from screens.tui.bars import bar
from screens.tui.paint import BLANK, UNKNOWN, Line, Span, cut, left, wrap
from screens.tui.panels.precheck import VERDICT_WORDS, verdict_role

LEAST_BAR, MOST_BAR = 10, 36
NAME_MOST = 24


def layout_lines(layouts: Sequence[LayoutFit], width: int) -> list[Line]:
    """Draw each layout: its verdict, a bar a card, and the reason."""
    lines: list[Line] = []
    for fit in layouts:
        if lines:
            lines.append(BLANK)
        role = verdict_role(fit.verdict)
        word = f"{UNKNOWN} not known"
        if isinstance(fit.verdict, str):
            word = VERDICT_WORDS.get(fit.verdict, fit.verdict)
        lines.append((Span(fit.layout, "strong"), Span(f"  {word}", role)))
        for card in fit.cards:
            lines += _card(card, width)
        lines += [(Span("  "), Span(part, "dim")) for part in wrap(fit.reason, width - 2) if part]
    return lines


def _card(card: CardSum, width: int) -> list[Line]:
    need, have = card.need_bytes, card.available_bytes
    shared = " + ".join(card.services)
    name_width = max(8, min(NAME_MOST, width // 3))
    name = left(cut(card.gpu_name, name_width), name_width)
    if isinstance(need, Unknown) or isinstance(have, Unknown):
        unknown: Line = (Span(f"  {name} "), Span(f"{UNKNOWN} not known", "dim"))
        return [unknown, *_services(shared, width)]
    room = max(LEAST_BAR, min(MOST_BAR, width - name_width - 3 - 20))
    over = need > have
    filled, track = bar(min(1.0, need / have) if have else 1.0, room)
    figures = f" {format_gib(need)} of {format_gib(have)} GiB"
    row: Line = (
        Span(f"  {name} "),
        Span(filled, "bar-error" if over else "bar"),
        Span(track, "track"),
        Span(figures, "error" if over else "text"),
    )
    return [row, *_services(shared, width)]


def _services(shared: str, width: int) -> list[Line]:
    return [(Span("    "), Span(part, "text")) for part in wrap(shared, width - 4) if part]
