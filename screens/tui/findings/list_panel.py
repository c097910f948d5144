"""The list of findings: since when, how grave, about what; consequences stand under their cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from actions.doctor.onset import onset_of
from actions.runbook.finding import Finding
from screens.tui.findings.course import Progress, counted
from screens.tui.findings.flow import Row
from screens.tui.findings.state import State
from screens.tui.paint import TIMES, Line, Span, clickable, cut, fit, left, line_width, on
from screens.tui.words import local_clock, place_text
from screens.words import SYMBOLS

CLOCK, SUBJECT_LEAST, SUBJECT_MOST = 6, 10, 24
STATE_WORDS = {"fail": "wrong", "warn": "to look at", "skip": "not checked", "pass": "well"}


def table(
    rows: Sequence[Row], chosen: str, state: State, now: datetime, width: int, height: int
) -> list[Line]:
    """Give the head and the findings from `state.list_top` on in `height` lines of `width`.

    Args:
        rows: the findings.
        chosen: key of the selected one.
        state: what is searched, and which row is the first in sight.
        now: wall time.
        width: columns.
        height: lines.
    """
    subject = max(SUBJECT_LEAST, min(SUBJECT_MOST, width // 4))
    where = place_text(state.list_top, height - 1, len(rows)) or "what is wrong"
    titles = f"   {left('since', CLOCK)} {left('about', subject + 2)} {where}"
    lines: list[Line] = [fit((Span(titles, "dim"),), width)]
    for row in rows[state.list_top : state.list_top + height - 1]:
        marked = row.key == chosen
        line = fit(_row(row, marked, state.search, now, subject, width), width)
        lines.append(clickable(on(line, "selected") if marked else line, f"row {row.key}"))
    return lines


def _row(row: Row, marked: bool, search: str, now: datetime, subject: int, width: int) -> Line:
    one = row.finding
    symbol, role = mark_of(one)
    quiet = row.earlier or not one.current
    found = search and search.casefold() in name_of(row).casefold()
    mark = "▸" if marked else "/" if found else " "
    beneath = "↳ " if one.consequence_of else ""
    times = f" {TIMES}{one.count}" if one.count > 1 else ""
    room = max(8, width - CLOCK - subject - len(times) - len(beneath) - 7)
    return (
        Span(f" {mark} ", "title"),
        Span(left(since_of(one, now), CLOCK) + " ", "dim"),
        Span(f"{symbol} ", "dim" if quiet else role),
        Span(left(one.subject, subject) + " ", "dim" if quiet else "strong"),
        Span(beneath, "dim"),
        Span(cut(short_title(one), room), "dim" if quiet or beneath else "text"),
        Span(times, "dim"),
    )


def mark_of(one: Finding) -> tuple[str, str]:
    """Give the symbol and the role of a finding's severity; what is past is a note."""
    severity = one.severity if one.current else "info"
    return SYMBOLS.get(severity, "·"), severity if severity in {"error", "warning"} else "dim"


def since_of(one: Finding, now: datetime) -> str:
    """Give when a finding began; empty where that is not known."""
    onset = onset_of(one)
    return local_clock(onset, now) if onset is not None else ""


def short_title(one: Finding) -> str:
    """Give a title without the name of its subject, which stands beside it."""
    title = one.title.removeprefix(one.subject).lstrip(" :")
    before = "" if one.current else "before the last start: "
    return before + (title or one.title)


def name_of(row: Row) -> str:
    """Give a row as a search knows it."""
    one = row.finding
    return f"{one.subject} {one.title} {one.id}"


def heading(progress: Progress | None, rows: Sequence[Row], now: datetime, width: int) -> Line:
    """Give the title: how many findings, how the checks ended, and when, or how far it is."""
    spans = [Span(" Findings", "title")]
    errors = [row.finding for row in rows if row.finding.current and not row.earlier]
    for severity, word in (("error", "error"), ("warning", "warning")):
        number = sum(one.severity == severity for one in errors)
        if number:
            text = f"  {SYMBOLS[severity]} {number} {word}{'' if number == 1 else 's'}"
            spans.append(Span(text, severity))
    if progress is None:
        return tuple(spans)
    if not progress.over:
        of = f" {progress.done} of {progress.of}" if progress.of else ""
        spans.append(Span(f"  examining{of} …", "accent"))
        return tuple(spans)
    if progress.error is not None:
        spans.append(Span(f"  ▲ {progress.error.title}", "warning"))
        return tuple(spans)
    number = len(progress.results)
    few = f"  {number} check{'' if number == 1 else 's'}"
    counts = ", ".join(f"{many} {STATE_WORDS[state]}" for state, many in counted(progress.results))
    when = f"  at {local_clock(progress.begun_at, now)} in {progress.seconds:.1f} s"
    room = width - line_width(spans)
    for text in (f"{few}: {counts}{when}", f"{few}: {counts}", few):
        if len(text) <= room:
            return (*spans, Span(text, "dim"))
    return tuple(spans)
