"""All checks of an examination: what each found, or why it was not made."""

from __future__ import annotations

from collections.abc import Sequence

from actions.doctor.check import GROUPS, Result
from screens.tui.paint import Line, Span, left, right, wrap

MARKS = {
    "pass": ("✔", "ok"),
    "warn": ("▲", "warning"),
    "fail": ("✖", "error"),
    "skip": ("○", "dim"),
}
TITLES = {
    "host": "Host",
    "driver": "Driver",
    "engine": "Engine",
    "containers": "Containers",
    "services": "Services",
    "models": "Models",
    "outside": "Outside",
    "security": "Security",
}


def check_lines(results: Sequence[Result], width: int) -> list[Line]:
    """Give each check in lines of `width`, under its group, in the order of their dependence."""
    lines: list[Line] = []
    for group in GROUPS:
        found = [one for one in results if one.group == group]
        if found:
            lines.append((Span(f" {TITLES.get(group, group)}", "title"),))
        for one in found:
            lines += _check(one, width)
    return lines


def _check(one: Result, width: int) -> list[Line]:
    symbol, role = MARKS.get(one.state, ("·", "dim"))
    took = f"{one.seconds:.2f} s" if one.seconds >= 0.01 else ""
    room = max(10, width - 14)
    parts = wrap(one.title, room)
    lines: list[Line] = [
        (
            Span(f"   {symbol} ", role),
            Span(left(parts[0], room), "dim" if one.state == "skip" else "text"),
            Span(right(took, 8), "dim"),
        )
    ]
    lines += [(Span("     "), Span(part)) for part in parts[1:]]
    if one.detail and one.state != "pass":
        lines += [(Span("     "), Span(part, "dim")) for part in wrap(one.detail, room)]
    return lines
