"""The last two rows: what runs or how it went, and the keys that matter now."""

from collections.abc import Sequence
from typing import NamedTuple

from console.units import format_duration
from screens.tui.paint import BLANK, Line, Span, clickable, cut, fit, line_width, wrap
from screens.tui.view import Job, View

TALL = 20
MOST_LINES, MOST_LINES_LOW = 3, 2
"""How many rows what is said may take, on a screen of at least `TALL` rows and on a lower one."""


class Key(NamedTuple):
    """A key of the footer: what it is called, what it does, and what a click on it runs."""

    key: str
    text: str
    action: str


def keys(width: int, shown: Sequence[Key], more: Key) -> Line:
    """Give as many keys as fit, in order of importance; `more` (help) always stays."""
    line: list[Span] = [Span(" ")]
    tail = (*_key(more), Span(" "))
    room = width - line_width(tail)
    for key in shown:
        spans = _key(key)
        if line_width(line) + line_width(spans) > room:
            break
        line += spans
    return fit((*line, *tail), width)


def _key(key: Key) -> Line:
    return clickable((Span(key.key, "key"), Span(f" {key.text}  ", "dim")), key.action)


def status_lines(view: View, width: int, height: int, cancels: str = "Esc") -> list[Line]:
    """Give what stands above the keys of a screen: what is said in as many rows as it needs.

    How a plan ended, and in what state it left things, is not to be guessed from its beginning.
    """
    if view.typing or view.notice is None:
        return [status(view, width, cancels)]
    notice = view.notice
    most = MOST_LINES if height >= TALL else MOST_LINES_LOW
    room = max(1, width - 4)
    parts = wrap(notice.text, room)
    if len(parts) > most:
        parts = [*parts[: most - 1], cut(" ".join(parts[most - 1 :]), room)]
    return [
        fit((Span(f" {' ' if place else notice.symbol} {part}", notice.role),), width)
        for place, part in enumerate(parts)
    ]


def status(view: View, width: int, cancels: str = "Esc") -> Line:
    """Give the line above the keys: the search, else a running plan, else how the last one went.

    `cancels` is the key that cancels what runs.
    """
    if view.typing:
        return fit((Span(" /", "title"), Span(view.search, "strong"), Span("▏", "title")), width)
    if view.notice is not None:
        notice = view.notice
        return fit((Span(f" {notice.symbol} ", notice.role), Span(notice.text, notice.role)), width)
    if view.jobs:
        return job(view.jobs[-1], len(view.jobs) - 1, view.monotonic, width, cancels)
    if view.search:
        return fit(
            (Span(f" /{view.search}", "title"), Span("  n next  N previous  Esc ends", "dim")),
            width,
        )
    return BLANK


def job(running: Job, others: int, now: float, width: int, cancels: str = "Esc") -> Line:
    """Say what a plan is doing, at which of its steps, and for how long already.

    Where there is no room for all, what it is doing goes before how long it may take.
    """
    elapsed = format_duration(float(int(max(0.0, now - running.started_monotonic))))
    limit = (
        f" of at most {format_duration(running.longest_seconds)}" if running.longest_seconds else ""
    )
    offer = f"  {cancels} cancels" if running.detached and cancels else ""
    tail = "  cancelling …" if running.cancelling else offer
    more = f"  and {others} more" if others else ""
    head = [
        Span(f" ▶ {running.verb} {running.target}", "accent"),
        Span(_step_words(running), "warning" if running.back else "strong"),
        Span(f"  {elapsed}", "text"),
    ]
    doing = Span(f"  {running.text}", "dim")
    room = width - len(tail) - len(more)
    if line_width((*head, doing)) + len(limit) <= room:
        head.append(Span(limit, "text"))
    return fit((*fit((*head, doing), room), Span(f"{more}{tail}", "dim")), width)


def _step_words(running: Job) -> str:
    """Give the number of the step; a plan of one step has none to tell."""
    if running.back:
        return "  going back"
    if len(running.steps) < 2 or not running.step:
        return ""
    return f"  {running.step}/{len(running.steps)}"
