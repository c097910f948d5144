"""One log line on the screen: when, from where, how bad, and its text, wrapped or cut."""

from datetime import datetime

import msgspec

from actions.logs.line import LogLine, short_source
from console.mask import mask_text
from console.units import format_age
from screens.tui.container.highlight import Highlight, matches
from screens.tui.paint import (
    TIMES,
    UNKNOWN,
    Line,
    Span,
    cut,
    fit,
    left,
    line_width,
    right,
    take,
    text_width,
)

NO_TIME, LOCAL_TIME, AGE = 0, 1, 2
MARKS = {
    "critical": ("✖", "error"),
    "error": ("✖", "error"),
    "warning": ("▲", "warning"),
    "info": ("·", "dim"),
    "debug": (" ", "dim"),
    "": (" ", "text"),
}
ROLES = {"critical": "error", "error": "error", "warning": "warning", "debug": "dim"}
_MOST_ROWS = 400
"""Rows that one line may take: more of a line of a megabyte helps nobody, and saving has it all."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How lines are shown; part of the key under which a drawn line is kept.

    Attributes:
        times: none, local or age.
        dated: lines of several days are in the book: local times have their day.
        offset: columns that are scrolled away at the left, where lines are cut.
        containers: columns for names of containers; 0 where there is one only.
        sources: columns for sources; 0 where there are none to tell apart.
        highlight: what is set apart in the texts; None for nothing.
    """

    width: int
    times: int
    dated: bool
    wrap: bool
    offset: int
    containers: int
    sources: int
    highlight: Highlight | None


def draw(line: LogLine, look: Look, unfolded: bool, now: datetime) -> list[Line]:
    """Give the rows of a line, the lines folded beneath it first where it is unfolded."""
    head = _head(line, look, now)
    margin = line_width(head)
    blank: Line = (Span(" " * margin),)
    rows: list[Line] = []
    if unfolded:
        for text in line.folded:
            rows += _rows(mask_text(text), "dim", blank, blank, look, ())
    role = ROLES.get(line.level, "text")
    rows += _rows(mask_text(line.text), role, head, blank, look, _tail(line, unfolded))
    return rows[:_MOST_ROWS]


def _head(line: LogLine, look: Look, now: datetime) -> Line:
    symbol, role = MARKS[line.level]
    spans = [*_time(line.time, look, now)]
    if look.containers:
        spans.append(Span(left(line.container, look.containers) + " ", "accent"))
    if look.sources:
        spans.append(Span(left(short_source(line.source), look.sources) + " ", "accent"))
    # Streams by their numbers: beside any colour, and in one column.
    spans.append(Span("2" if line.stream == "stderr" else " ", "dim"))
    spans.append(Span("↻ " if line.progress else f"{symbol} ", "accent" if line.progress else role))
    return tuple(spans)


def _time(moment: datetime | None, look: Look, now: datetime) -> list[Span]:
    if look.times == NO_TIME:
        return []
    if look.times == AGE:
        text = UNKNOWN if moment is None else format_age((now - moment).total_seconds())
        return [Span(right(text, 4) + " ", "dim")]
    pattern, width = ("%m-%d %H:%M:%S", 14) if look.dated else ("%H:%M:%S", 8)
    text = UNKNOWN if moment is None else moment.astimezone().strftime(pattern)
    return [Span(left(text, width) + " ", "dim")]


def _tail(line: LogLine, unfolded: bool) -> Line:
    spans = []
    if line.repeats > 1:
        spans.append(Span(f" {TIMES}{line.repeats}", "accent"))
    if line.folded:
        count = len(line.folded)
        mark = "▾" if unfolded else "▸"
        spans.append(Span(f" {mark} {count} line{'' if count == 1 else 's'} above", "dim"))
    return tuple(spans)


def _rows(text: str, role: str, head: Line, blank: Line, look: Look, tail: Line) -> list[Line]:
    room = max(4, look.width - line_width(head))
    if not look.wrap:
        shown = skip(text, look.offset) if look.offset else text
        free = max(0, room - line_width(tail))
        body = _marked(cut(shown, free), role, look.highlight)
        return [fit((*head, *body, *tail), look.width)]
    parts = chopped(text, room)
    if tail and text_width(parts[-1]) + line_width(tail) > room:
        parts.append("")
    rows = []
    for number, part in enumerate(parts):
        start = head if not number else blank
        end = tail if number == len(parts) - 1 else ()
        rows.append(fit((*start, *_marked(part, role, look.highlight), *end), look.width))
    return rows


def _marked(text: str, role: str, highlight: Highlight | None) -> list[Span]:
    """Set the matches of a search apart from the rest of a text."""
    spans: list[Span] = []
    at = 0
    for begin, end in matches(text, highlight) if highlight is not None else ():
        spans += [Span(text[at:begin], role), Span(text[begin:end], "badge")]
        at = end
    return [*spans, Span(text[at:], role)]


def chopped(text: str, width: int) -> list[str]:
    """Break a text into pieces of at most `width` columns, wherever that falls."""
    if text.isascii():
        most = min(len(text), width * _MOST_ROWS)
        return [text[at : at + width] for at in range(0, most, width)] or [""]
    pieces: list[str] = []
    while text and len(pieces) < _MOST_ROWS:
        piece = take(text, width) or text[0]
        pieces.append(piece)
        text = text[len(piece) :]
    return pieces or [""]


def skip(text: str, columns: int) -> str:
    """Give a text without its first columns; half a wide character becomes a blank."""
    if text.isascii():
        return text[columns:]
    gone = take(text, columns)
    rest = text[len(gone) :]
    if rest and text_width(gone) < columns:
        return " " + rest[1:]
    return rest
