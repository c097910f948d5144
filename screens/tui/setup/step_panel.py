"""One step: why it is there, what it found, proposes, asks and would write, and how it goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from actions.setup.report import StepReport
from console.text import clean_line
from screens.tui.paint import BLANK, Line, Span, text_width, wrap
from screens.tui.panels.precheck import diff_lines
from screens.tui.setup.asks import ask_lines
from screens.tui.setup.fits_panel import layout_lines
from screens.tui.setup.going_panel import going_lines
from screens.tui.setup.state import State
from screens.tui.setup.table_panel import table_lines
from screens.tui.setup.walk import Walk
from screens.tui.setup.words import DOING, STATES, capital

_NAMED = re.compile(r"\s+\([^()]*\)\Z|\t.*\Z")
"""What a diff says of a file behind its name."""
STUCK = frozenset({"blocked", "failed"})
"""What is to be done about it comes first then."""
SLOW_SECONDS = 2.0
"""A look that takes longer says for how long already."""


class Drawn(NamedTuple):
    """A step's lines, and at which of them each row of its questions begins."""

    lines: list[Line]
    places: dict[int, int]


def step_lines(walk: Walk, state: State, now: float, width: int) -> Drawn:
    """Give all there is to say of the step that is shown; `now` is in monotonic seconds."""
    report = walk.report
    lines: list[Line] = []
    if walk.problem is not None:
        lines += [*_problem(walk, width), BLANK]
    if report is not None:
        lines += _head(report, width)
    lines += _doing(walk, now, width)
    if report is None:
        return Drawn(lines, {})
    stuck = report.state in STUCK
    yours = _commands(report.commands, width)
    lines += _section("What you can do: y copies it", yours if stuck else ())
    lines += _section("Written", _listed(report.wrote, width, "ok"))
    lines += _section("Found", _listed(report.found, width))
    if report.table is not None and report.table.rows:
        lines += _section("Side by side", table_lines(report.table, width))
    lines += _section("On the cards", layout_lines(report.layouts, width))
    lines += _section("Proposed, and why", _listed(report.proposes, width))
    asked, places = ask_lines(report.asks, state.row, state.typing, width)
    before = _section("Yours to decide" if asked else "", asked)
    offset = len(lines) + len(before) - len(asked)
    lines += before
    lines += _section("Runs", _commands(report.steps, width))
    lines += _section("Writes", diff_lines(report.diff, width)[1:])
    lines += _section("Only you can do this: y copies it", () if stuck else yours)
    return Drawn(lines, {row: place + offset for row, place in places.items()})


def full_lines(report: StepReport, width: int) -> list[Line]:
    """Give what a step would write, and nothing else."""
    return diff_lines(report.diff, width)[1:] or [(Span("It writes nothing.", "dim"),)]


def _problem(walk: Walk, width: int) -> list[Line]:
    error = walk.problem
    if error is None:
        return []
    what = "Nothing is changed from here" if walk.steps else "Setup cannot begin"
    text = f"▲ {what}: {error.title}"
    lines: list[Line] = [(Span(part, "warning"),) for part in wrap(text, width)]
    return lines + [(Span(part),) for part in wrap(error.hint, width) if part]


def _head(report: StepReport, width: int) -> list[Line]:
    state = STATES[report.state]
    lines: list[Line] = [(Span(part, "dim"),) for part in wrap(capital(report.why), width)]
    said = wrap(clean_line(report.detail, 1000), width - 2)
    lines += [
        (Span(f"{state.symbol} " if not place else "  ", state.role), Span(part, "strong"))
        for place, part in enumerate(said)
    ]
    if report.state == "needed" and report.diff:
        text = f"writes {', '.join(_files(report.diff))}: d shows every line"
        lines += [(Span("  "), Span(part, "accent")) for part in wrap(text, width - 2)]
    return lines


def _files(diff: str) -> list[str]:
    """Name the files of a diff: whoever does not scroll is to know them too."""
    names = [_NAMED.sub("", line[4:]) for line in diff.splitlines() if line.startswith("+++ ")]
    return list(dict.fromkeys(names)) or ["a file"]


def _doing(walk: Walk, now: float, width: int) -> list[Line]:
    running, doing = walk.running, walk.doing
    if running is not None:
        return [BLANK, *going_lines(running, now, width)]
    if doing is None:
        return []
    seconds = int(now - doing.since)
    late = f"  {seconds} s" if seconds >= SLOW_SECONDS else ""
    return [(Span(f"◐ {DOING.get(doing.word, '…')}{late}", "accent"),)]


def _section(title: str, lines: Sequence[Line]) -> list[Line]:
    return [BLANK, (Span(title, "title"),), *lines] if lines else []


def _listed(texts: Sequence[str], width: int, role: str = "text") -> list[Line]:
    return [
        (Span("· " if not place else "  ", "dim"), Span(part, role))
        for text in texts
        for place, part in enumerate(wrap(text, width - 2))
    ]


def _commands(texts: Sequence[str], width: int) -> list[Line]:
    """Give commands line by line; one that is longer goes on below, further in."""
    return [
        (Span("  " if not place else "    "), Span(part, "accent"))
        for text in texts
        for whole in text.splitlines() or [""]
        for place, part in enumerate(_kept(whole, width - 4))
    ]


def _kept(text: str, width: int) -> list[str]:
    """Give a line as it is where it fits, blanks and all; else broken between words."""
    return [text] if text_width(text) <= width else wrap(text, width)
