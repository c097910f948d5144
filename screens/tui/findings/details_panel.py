"""All about one finding: evidence, cause, what to do step by step, what changed before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from actions.doctor.onset import moment_of
from actions.runbook.finding import Evidence, Finding
from console.errors import ConsoleError
from screens.tui.findings.changes_panel import change_lines
from screens.tui.findings.flow import Row
from screens.tui.findings.list_panel import mark_of, since_of
from screens.tui.findings.state import State
from screens.tui.paint import BLANK, TIMES, Line, Span, clickable, fit, left, line_width, wrap
from screens.tui.words import local_clock

if TYPE_CHECKING:
    from actions.doctor.change import Changes

LABEL = 12
MOST_BENEATH = 12


def details(
    row: Row,
    beneath: Sequence[Finding],
    changes: Changes | None,
    trouble: ConsoleError | None,
    state: State,
    now: datetime,
    width: int,
) -> list[Line]:
    """Give all about a finding in lines of `width`.

    Args:
        row: the finding.
        beneath: what follows from it.
        changes: what changed around its beginning; None while that is gathered.
        trouble: why it could not be gathered.
        state: which step is chosen, and whether all that changed is shown.
        now: wall time.
        width: columns.
    """
    one = row.finding
    onset = changes.onset if changes is not None else None
    lines = [*_title(row, onset, now, width)]
    lines += _rows("Evidence", (_quoted(each, one, now) for each in one.evidence), width, "text")
    if one.cause:
        lines += _rows("Cause", [one.cause], width, "strong")
    lines += _fix(one, state, width)
    lines += _rows("Then", _numbered(one.next), width, "text")
    lines += change_lines(changes, trouble, one, state.whole, now, width, LABEL)
    lines += _rows("Leads to", _short(beneath), width, "dim")
    lines += _rows("See", one.links, width, "dim")
    return lines


def _title(row: Row, onset: datetime | None, now: datetime, width: int) -> Iterator[Line]:
    one = row.finding
    symbol, role = mark_of(one)
    since = since_of(one, now) or (local_clock(onset, now) if onset is not None else "")
    tail = f"since {since} " if since else ""
    parts = wrap(one.title, max(10, width - 4 - len(tail)))
    for place, part in enumerate(parts):
        head = (
            Span(f" {symbol if not place else ' '} ", role),
            Span(part, role if role != "dim" else "strong"),
        )
        if place == 0 and tail:
            gap = max(1, width - line_width(head) - len(tail))
            yield (*head, Span(" " * gap), Span(tail, "dim"))
        else:
            yield head
    words = [f"{one.severity} {one.id}", one.subject]
    words += [f"{TIMES}{one.count}"] if one.count > 1 else []
    words += [] if one.current else ["before the last start"]
    words += [f"follows from {one.consequence_of}"] if one.consequence_of else []
    words += ["of the examination before; not looked at again yet"] if row.earlier else []
    for part in wrap(", ".join(words), max(10, width - 4)):
        yield (Span("   "), Span(part, "dim"))
    yield BLANK


def _quoted(one: Evidence, finding: Finding, now: datetime) -> str:
    """Give a line with its time, as it is here where it was written with a zone, and its source."""
    when = f"{_clock(one.at, now)} " if one.at else ""
    where = f"{one.source}: " if one.source and one.source != finding.subject else ""
    return f"{when}{where}{one.text.removeprefix(one.at).lstrip()}"


def _clock(written: str, now: datetime) -> str:
    moment = moment_of(written)
    if moment is None:
        return written
    here = moment.astimezone()
    same_day = here.date() == now.astimezone().date()
    return f"{here:%H:%M:%S}" if same_day else f"{here:%d %b %H:%M:%S}"


def _numbered(steps: Sequence[str]) -> Iterator[str]:
    several = len(steps) > 1
    for number, step in enumerate(steps, 1):
        yield f"{number}  {step}" if several else step


def _short(beneath: Sequence[Finding]) -> Iterator[str]:
    for one in beneath[:MOST_BENEATH]:
        yield f"↳ {one.title}"
    if len(beneath) > MOST_BENEATH:
        yield f"and {len(beneath) - MOST_BENEATH} more"


def _rows(label: str, texts: Sequence[str] | Iterator[str], width: int, role: str) -> list[Line]:
    """Give texts under a label, each from a line of its own."""
    lines: list[Line] = []
    for text in texts:
        for part in wrap(text, max(10, width - LABEL - 1)):
            head = left(f" {label}" if not lines else "", LABEL)
            lines.append((Span(head, "dim"), Span(part, role)))
    return lines


def _fix(one: Finding, state: State, width: int) -> list[Line]:
    lines: list[Line] = []
    for number, step in enumerate(one.fix, 1):
        chosen = number == state.step
        parts = wrap(step, max(10, width - LABEL - 5))
        for place, part in enumerate(parts):
            head = left(" Fix" if number == 1 and not place else "", LABEL)
            mark = "▸" if chosen and not place else " "
            shown = str(number) if not place and number <= 9 else " "
            line = (
                Span(head, "dim"),
                Span(mark, "title"),
                Span(f"{shown}  ", "key"),
                Span(part, "accent" if chosen else "text"),
            )
            lines.append(clickable(line, f"step {number}"))
    return [*lines, *_plan(one, width)]


def _plan(one: Finding, width: int) -> list[Line]:
    """Give the plan that would do it, and the key that shows it."""
    mend = one.mend
    if mend is None:
        return []
    title = mend.title or f"{mend.verb} {mend.target}"
    lines: list[Line] = []
    for place, part in enumerate(wrap(title, max(10, width - LABEL - 5))):
        head = left(" Plan" if not place else "", LABEL)
        line = (
            Span(head, "dim"),
            Span("↵   " if not place else "    ", "key"),
            Span(part, "accent"),
        )
        lines.append(clickable(line, "key enter"))
    if mend.command:
        parts = wrap(f"$ {mend.command}", max(10, width - LABEL - 5))
        lines += [(Span(" " * (LABEL + 4)), Span(part, "dim")) for part in parts]
    return [fit(line, width) if line_width(line) > width else line for line in lines]
