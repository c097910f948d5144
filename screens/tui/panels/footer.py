"""The last two rows: what runs or how it went, and the keys that matter now."""

from collections.abc import Sequence
from typing import NamedTuple

from console.units import format_duration
from screens.tui.paint import BLANK, Line, Span, clickable, fit, line_width
from screens.tui.view import Job, View


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
    """Say what a plan is doing, at which of its steps, and for how long already."""
    elapsed = format_duration(float(int(max(0.0, now - running.started_monotonic))))
    limit = (
        f" of at most {format_duration(running.longest_seconds)}" if running.longest_seconds else ""
    )
    line = [
        Span(f" ▶ {running.verb} {running.target}", "accent"),
        Span(_step_words(running), "warning" if running.back else "strong"),
        Span(f"  {elapsed}{limit}", "text"),
        Span(f"  {running.text}", "dim"),
    ]
    if others:
        line.append(Span(f"  and {others} more", "dim"))
    offer = f"  {cancels} cancels" if running.detached and cancels else ""
    tail = "  cancelling …" if running.cancelling else offer
    return fit((*fit(line, width - len(tail)), Span(tail, "dim")), width)


def _step_words(running: Job) -> str:
    """Give the number of the step; a plan of one step has none to tell."""
    if running.back:
        return "  going back"
    if len(running.steps) < 2 or not running.step:
        return ""
    return f"  {running.step}/{len(running.steps)}"
