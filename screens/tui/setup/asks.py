"""The questions of a step as rows that the cursor moves on, and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from actions.setup.report import Ask, Option
from screens.tui.lab.typing import Typing, around
from screens.tui.paint import BLANK, Line, Span, clickable, cut, fit, on, text_width, wrap

RECOMMENDED = "  recommended"
NOTHING = "empty: as is best"
_INDENT = 4


class Row(NamedTuple):
    """One thing that may be chosen: an option, a yes or no (`flag`), or a text to type."""

    ask: Ask
    option: Option | None = None

    @property
    def kind(self) -> str:
        """Give `option`, `flag` or `text`."""
        if self.option is not None:
            return "option"
        return "flag" if self.ask.kind == "flag" else "text"

    @property
    def chosen(self) -> bool:
        """Tell whether it is what is answered now."""
        if self.option is not None:
            return self.option.value == self.ask.value
        if self.ask.kind == "flag":
            return bool(self.ask.value)
        return bool(self.ask.value) and not any(
            one.value == self.ask.value for one in self.ask.options
        )


def rows_of(asks: Sequence[Ask]) -> tuple[Row, ...]:
    """Give the rows of some questions, in their order."""
    return tuple(row for ask in asks for row in _rows(ask))


def _rows(ask: Ask) -> Iterator[Row]:
    if ask.kind == "flag":
        yield Row(ask)
        return
    yield from (Row(ask, option) for option in ask.options)
    if ask.kind == "text":
        yield Row(ask)


def next_ask(rows: Sequence[Row], at: int, step: int) -> int:
    """Give the row where the next question begins, or the one before; -1 is the button.

    It goes around: the button stands between the last question and the first.
    """
    firsts = [
        place for place, row in enumerate(rows) if not place or rows[place - 1].ask != row.ask
    ]
    ring = [-1, *firsts]
    here = max((place for place, first in enumerate(ring) if first <= at), default=0)
    there = ring[(here + step) % len(ring)]
    return answered_row(rows, there)


def answered_row(rows: Sequence[Row], first: int) -> int:
    """Give the row of what is answered now, of the question that begins at `first`.

    The cursor comes there, so that who presses Enter again changes nothing.
    """
    if not 0 <= first < len(rows):
        return first
    same = [place for place, row in enumerate(rows) if row.ask == rows[first].ask]
    return next((place for place in same if rows[place].chosen), first)


def ask_lines(
    asks: Sequence[Ask], cursor: int, typing: Typing | None, width: int, *, folded: bool = False
) -> tuple[list[Line], dict[int, int]]:
    """Draw questions; gives the lines, and at which of them each row begins.

    Where they are `folded`, each says in a line how it is answered, but the one under the cursor.
    """
    lines: list[Line] = []
    places: dict[int, int] = {}
    number = 0
    for ask in asks:
        numbered = list(enumerate(_rows(ask), number))
        number += len(numbered)
        here = any(place == cursor for place, _ in numbered)
        if folded and not here:
            places |= dict.fromkeys((place for place, _ in numbered), len(lines))
            lines += _folded(ask, numbered, width)
            continue
        if lines:
            lines.append(BLANK)
        if ask.kind != "flag":
            lines += [(Span(part, "strong"),) for part in wrap(ask.title, width)]
        for place, row in numbered:
            places[place] = len(lines)
            lines += _row(row, place, place == cursor, typing, width)
        lines += [
            (Span(" " * _INDENT), Span(part, "dim"))
            for part in wrap(ask.about, width - _INDENT, "/")
            if part
        ]
        if folded:
            lines.append(BLANK)
    return lines[:-1] if lines[-1:] == [BLANK] else lines, places


def _folded(ask: Ask, numbered: Sequence[tuple[int, Row]], width: int) -> list[Line]:
    """Give a question and how it is answered: in one line where both fit."""
    if ask.kind == "flag":
        mark = "[x] " if ask.value else "[ ] "
        lines: list[Line] = [(Span("  "), Span(mark, "accent"), Span(cut(ask.title, width - 6)))]
    else:
        lines = _answered(ask, width)
    return [clickable(line, f"ask {numbered[0][0]}") for line in lines if numbered]


def _answered(ask: Ask, width: int) -> list[Line]:
    chosen = next((one for one in ask.options if one.value == ask.value), None)
    said = (chosen.title if chosen is not None else "") or str(ask.value) or NOTHING
    advised = next((one for one in ask.options if one.recommended), None)
    more = ""
    if advised is not None:
        more = RECOMMENDED if advised == chosen else f"{RECOMMENDED}: {advised.title}"
    title, answer = Span(f"  {ask.title}  "), Span(said, "accent")
    if text_width(title.text + said) <= width:
        room = text_width(title.text + said + more) <= width
        return [(title, answer, Span(more if room else "", "ok"))]
    lines: list[Line] = [(Span("  "), Span(part)) for part in wrap(ask.title, width - 2)]
    return lines + [
        (Span(" " * _INDENT), Span(part, "accent")) for part in wrap(said, width - _INDENT, "/")
    ]


def _row(row: Row, number: int, here: bool, typing: Typing | None, width: int) -> list[Line]:
    made = {"option": _option, "flag": _flag, "text": _text}[row.kind](
        row, typing if here else None, width - 2
    )
    return [
        clickable(
            on(fit(line, width), "selected") if here else line,
            f"row {number}",
        )
        for line in (
            (Span("▸ " if here and not place else "  ", "title"), *line)
            for place, line in enumerate(made)
        )
    ]


def _option(row: Row, _typing: Typing | None, width: int) -> list[Line]:
    option = row.option
    if option is None:
        return []
    mark = "(•) " if row.chosen else "( ) "
    more = RECOMMENDED if option.recommended else ""
    parts = wrap(option.title or option.value or NOTHING, width - _INDENT, "/")
    role = "strong" if row.chosen else "text"
    lines: list[Line] = [
        (Span(mark if not place else " " * _INDENT, "accent"), Span(part, role))
        for place, part in enumerate(parts)
    ]
    if more and text_width(parts[-1]) + _INDENT + len(more) <= width:
        lines[-1] = (*lines[-1], Span(more, "ok"))
    elif more:
        lines.append((Span(" " * _INDENT), Span(more.strip(), "ok")))
    lines += [
        (Span(" " * _INDENT), Span(part, "dim"))
        for part in wrap(option.detail, width - _INDENT, "/")
        if part
    ]
    return lines


def _flag(row: Row, _typing: Typing | None, width: int) -> list[Line]:
    mark = "[x] " if row.chosen else "[ ] "
    role = "strong" if row.chosen else "text"
    return [
        (Span(mark if not place else " " * _INDENT, "accent"), Span(part, role))
        for place, part in enumerate(wrap(row.ask.title, width - _INDENT))
    ]


def _text(row: Row, typing: Typing | None, width: int) -> list[Line]:
    others = bool(row.ask.options)
    mark = ("(•) " if row.chosen else "( ) ") if others else "  > "
    room = width - _INDENT
    if typing is not None:
        return _typed(typing, mark, room)
    value = str(row.ask.value) if row.chosen or not others else ""
    words = value or ("another: ↵ to type it" if others else NOTHING)
    role = ("strong" if row.chosen else "text") if value else "dim"
    return [
        (Span(mark if not place else " " * _INDENT, "accent"), Span(part, role))
        for place, part in enumerate(wrap(words, room, "/"))
    ]


def _typed(typing: Typing, mark: str, room: int) -> list[Line]:
    near = around(typing)
    before, after = near.before, near.after
    if text_width(before) > room // 2 and text_width(before + after) >= room:
        before = "…" + before[-(room // 2) :]
    left = room - text_width(before) - 1
    lines: list[Line] = [
        (Span(mark, "accent"), Span(before, "strong"), Span("▏", "title"),
         Span(cut(after, max(1, left)), "strong"))
    ]  # fmt: skip
    return lines + [
        (Span(" " * _INDENT), Span(part, "warning")) for part in wrap(typing.said, room) if part
    ]
