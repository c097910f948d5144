"""One step: why it is there, what it found, proposes, asks and would write, and how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from actions.setup.report import StepReport
from console.text import clean_line
from screens.tui.paint import BLANK, Line, Span, text_width, wrap
from screens.tui.panels.precheck import diff_lines
from screens.tui.setup.asks import ask_lines
from screens.tui.setup.fits_panel import layout_lines
from screens.tui.setup.going_panel import going_lines
from screens.tui.setup.places import at_home, by_folder, files_of, short
from screens.tui.setup.state import State
from screens.tui.setup.table_panel import table_lines
from screens.tui.setup.walk import Walk
from screens.tui.setup.words import DOING, STATES, capital, ready

STUCK = frozenset({"blocked", "failed"})
"""What is to be done about it comes first then."""
ASKED = "Yours to decide"
SLOW_SECONDS = 2.0
"""A look that takes longer says for how long already."""


class Drawn(NamedTuple):
    """A step's lines, and at which of them each row of its questions begins."""

    lines: list[Line]
    places: dict[int, int]


def step_lines(
    walk: Walk, state: State, now: float, width: int, height: int, home: Path | None
) -> Drawn:
    """Give all there is to say of the step that is shown.

    Where that is more than `height` lines, what is to be decided comes first, a line a question.

    Args:
        walk: has the step.
        state: where the cursor is.
        now: monotonic seconds.
        width: of the lines, at most.
        height: the room there is.
        home: it is written `~`.
    """
    report = walk.report
    lines: list[Line] = []
    if walk.problem is not None:
        lines += [*_problem(walk, width), BLANK]
    if report is not None:
        report = at_home(report, home)
        lines += _head(report, width, home)
    lines += _doing(walk, now, width)
    if report is None:
        return Drawn(lines, {})
    if report.state in STUCK:
        lines += _section("What you can do: y copies it", _commands(report.commands, width))
    lines += _section("Written", _listed(by_folder(report.wrote), width, "ok"))
    facts, after = _facts(report, width), _after(report, width)
    asked, places = ask_lines(report.asks, state.row, state.typing, width)
    if len(lines) + len(facts) + len(after) + len(_section(ASKED, asked)) <= height:
        return _put(lines + facts, _section(ASKED, asked), places, after)
    asked, places = ask_lines(report.asks, state.row, state.typing, width, folded=True)
    facts = _facts(report, width, long=True)
    return _put(lines, _section(f"{ASKED}: Tab opens it", asked), places, facts + after)


def _put(above: list[Line], asked: list[Line], places: dict[int, int], below: list[Line]) -> Drawn:
    """Put the questions, which have a blank line and a title before them, between the rest."""
    offset = len(above) + 2
    lines = [*above, *asked, *below]
    return Drawn(lines, {row: place + offset for row, place in places.items()})


def _facts(report: StepReport, width: int, *, long: bool = False) -> list[Line]:
    """Give what is there and proposed; on a long page what is to be compared comes first."""
    found = _section("Found", _listed(report.found, width))
    compared: list[Line] = []
    if report.table is not None and report.table.rows:
        compared += _section("Side by side", table_lines(report.table, width))
    compared += _section("On the cards", layout_lines(report.layouts, width))
    lines = [*compared, *found] if long else [*found, *compared]
    return lines + _section("Proposed, and why", _listed(report.proposes, width))


def _after(report: StepReport, width: int) -> list[Line]:
    runs = "Runs" if report.runs else "After that, asked for by itself"
    lines = _section(runs, _commands(tuple(dict.fromkeys(report.steps)), width))
    lines += _section("Writes", diff_lines(report.diff, width)[1:])
    yours = () if report.state in STUCK else _commands(report.commands, width)
    return lines + _section("Only you can do this: y copies it", yours)


def full_lines(report: StepReport, width: int, home: Path | None) -> list[Line]:
    """Give what a step would write, and nothing else."""
    diff = diff_lines(report.diff, width)
    if not diff:
        return [(Span("It writes nothing.", "dim"),)]
    said = "Nothing is written yet. ↵ writes this, Esc goes back." if ready(report) else ""
    head: list[Line] = [(Span(part, "strong"),) for part in wrap(said, width) if part]
    return [*head, *(_writes(report.diff, width, home) if said else ()), *diff]


def _problem(walk: Walk, width: int) -> list[Line]:
    error = walk.problem
    if error is None:
        return []
    what = "Nothing is changed from here" if walk.steps else "Setup cannot begin"
    text = f"▲ {what}: {error.title}"
    lines: list[Line] = [(Span(part, "warning"),) for part in wrap(text, width)]
    return lines + [(Span(part),) for part in wrap(error.hint, width) if part]


def _head(report: StepReport, width: int, home: Path | None) -> list[Line]:
    state = STATES[report.state]
    lines: list[Line] = [(Span(part, "dim"),) for part in wrap(capital(report.why), width)]
    said = wrap(clean_line(report.detail, 1000), width - 2, "/")
    lines += [
        (Span(f"{state.symbol} " if not place else "  ", state.role), Span(part, "strong"))
        for place, part in enumerate(said)
    ]
    if ready(report) and report.diff:
        lines += [(Span("  "), *line) for line in _writes(report.diff, width - 2, home)]
    return lines


def _writes(diff: str, width: int, home: Path | None) -> list[Line]:
    """Name the files of a diff: whoever does not scroll is to know them too."""
    new, changed = (by_folder([short(one, home) for one in names]) for names in files_of(diff))
    texts = [f"writes {'; '.join(new)}"] if new else []
    texts += [f"changes {'; '.join(changed)} (a copy is kept beside it)"] if changed else []
    return [(Span(part, "accent"),) for text in texts for part in wrap(text, width, "/")]


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
    """Put a title over lines; nothing where there are none."""
    return [BLANK, (Span(title, "title"),), *lines] if lines else []


def _listed(texts: Sequence[str], width: int, role: str = "text") -> list[Line]:
    return [
        (Span("· " if not place else "  ", "dim"), Span(part, role))
        for text in texts
        for place, part in enumerate(wrap(text, width - 2, "/"))
    ]


def _commands(texts: Sequence[str], width: int) -> list[Line]:
    """Give commands line by line; one that is longer goes on below, further in."""
    return [
        (Span("  " if not place else "    "), Span(part, "accent"))
        for text in texts
        for whole in text.splitlines() or [""]
        for place, part in enumerate(_kept(whole, width))
    ]


def _kept(text: str, width: int) -> list[str]:
    """Give a line as it is where it fits, blanks and all; else broken between words."""
    return [text] if text_width(text) <= width - 2 else wrap(text, width - 4, "/")
