"""The last two rows: what runs or how it went, and the keys that matter now."""

from collections.abc import Sequence
from typing import NamedTuple

from console.units import format_duration
from screens.tui.paint import BLANK, Line, Span, clickable, cut, fit, line_width, wrap
from screens.tui.transfer_words import done_text, left_text, percent, rate_text, trouble_text
from screens.tui.view import Job, View, Waiting

TALL = 20
MOST_LINES, MOST_LINES_LOW = 3, 2
"""How many rows what is said may take, on a screen of at least `TALL` rows and on a lower one."""

JOBS_KEY = "  7 jobs "
LAB_KEY = "  4 lab "
"""The line of a download or an edit names the key that shows it, where there is room."""


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
        return [*_downloads_above(view, width, height), status(view, width, cancels)]
    notice = view.notice
    most = MOST_LINES if height >= TALL else MOST_LINES_LOW
    room = max(1, width - 4)
    parts = wrap(notice.text, room)
    if len(parts) > most:
        parts = [*parts[: most - 1], cut(" ".join(parts[most - 1 :]), room)]
    said = [
        fit((Span(f" {' ' if place else notice.symbol} {part}", notice.role),), width)
        for place, part in enumerate(parts)
    ]
    return [*_downloads_above(view, width, height), *said]


def _downloads_above(view: View, width: int, height: int) -> list[Line]:
    """Give the downloads a line of their own where something else is said on the last one."""
    found = [job for job in view.jobs if job.endless]
    covered = view.typing or view.notice is not None or len(found) < len(view.jobs)
    return [download(found, width)] if found and covered and height >= TALL else []


def status(view: View, width: int, cancels: str = "Esc") -> Line:
    """Give the line above the keys: the search, else a running plan, else how the last one went.

    `cancels` is the key that cancels what runs.
    """
    if view.typing:
        return fit((Span(" /", "title"), Span(view.search, "strong"), Span("▏", "title")), width)
    if view.notice is not None:
        notice = view.notice
        return fit((Span(f" {notice.symbol} ", notice.role), Span(notice.text, notice.role)), width)
    shorter = [one for one in view.jobs if not one.endless]
    if shorter:
        return job(shorter[-1], len(shorter) - 1, view.monotonic, width, cancels)
    if view.jobs:
        return download(view.jobs, width)
    if view.waiting and not view.search:
        return waiting(view.waiting, width)
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


def download(running: Sequence[Job], width: int) -> Line:
    """Say how far downloads are: the one that was begun last, with how many others there are."""
    last = running[-1]
    if last.subject == "edits":
        return edit(running, width)
    line = [Span(f" ⇩ {last.target}", "accent")]
    transfer = last.transfer
    if transfer is None or not transfer.bytes_total:
        line.append(Span(f"  {last.text}", "dim"))
    else:
        both = (transfer.bytes_done, transfer.bytes_total)
        line.append(Span(f"  {percent(*both)}", "strong"))
        line.append(Span(f"  {done_text(*both)}", "text"))
        trouble = trouble_text(transfer)
        if trouble:
            line.append(Span(f"  ▲ {trouble}", "warning"))
        elif transfer.rate_bytes_per_second is not None:
            line.append(Span(f"  {rate_text(transfer.rate_bytes_per_second)}", "text"))
            line.append(Span(f"  {left_text(transfer.eta_seconds)}", "text"))
    others = len(running) - 1
    tail = f"  and {others} more" if others else ""
    if line_width(line) + len(tail) + len(JOBS_KEY) <= width:
        tail += JOBS_KEY
    return clickable((*fit(line, width - len(tail)), Span(tail, "dim")), "key 7")


def edit(running: Sequence[Job], width: int) -> Line:
    """Say how an edit goes, one that runs before those that wait, and how many others there are."""
    from screens.tui.lab.now_panel import in_short  # only who has edits pays for it

    at_work = (one for one in running if one.edit is not None and one.edit.phase != "queued")
    shown = next(at_work, running[-1])
    others = len(running) - 1
    tail = f"  and {others} more" if others else ""
    line = (Span(f" ▶ {shown.target}", "accent"), Span(f"  {in_short(shown)}", "strong"))
    if line_width(line) + len(tail) + len(LAB_KEY) <= width:
        tail += LAB_KEY
    return clickable((*fit(line, max(0, width - len(tail))), Span(tail, "dim")), "key 4")


def waiting(stopped: Sequence[Waiting], width: int) -> Line:
    """Say which download waits to go on, how far it got, and how many others do."""
    first = stopped[0]
    how = f" at {percent(first.done, first.total)}" if first.total else ""
    role = "text" if first.state == "paused" else "warning"
    others = f"  and {len(stopped) - 1} more" if len(stopped) > 1 else ""
    symbol = "◑" if first.state == "paused" else "▲"
    said = f" {symbol} {first.target}: {first.state.replace('_', ' ')}{how}"
    tail = Span(f"{others}  7 jobs ", "dim")
    return clickable((*fit((Span(said, role),), max(10, width - len(tail.text))), tail), "key 7")


def _step_words(running: Job) -> str:
    """Give the number of the step; a plan of one step has none to tell."""
    if running.back:
        return "  going back"
    if len(running.steps) < 2 or not running.step:
        return ""
    return f"  {running.step}/{len(running.steps)}"
