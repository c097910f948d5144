"""The form: a row for everything an edit is put together from, and the verdict in its last one."""

from __future__ import annotations

from collections.abc import Sequence

from console.text import clean
from screens.tui.lab.fields import SUBMIT, TEXTS, Field
from screens.tui.lab.state import FORM, State
from screens.tui.lab.typing import Typing, around
from screens.tui.paint import (
    UNKNOWN,
    Line,
    Span,
    clickable,
    cut,
    fit,
    left,
    line_width,
    on,
    take,
    text_width,
    wrap,
)

LABEL = 12
REMARK_LEAST = 6
CURSOR = "▏"


def form_lines(
    fields: Sequence[Field], verdict: Line, state: State, changed: Sequence[str], width: int
) -> list[Line]:
    """Give every row of the form in lines of `width`, that under the cursor marked.

    Args:
        fields: the rows.
        verdict: what the last row says: whether it may be sent.
        state: where the cursor is, and what is typed.
        changed: names of what differs from the edit that the form began with.
        width: columns.
    """
    names = [*(field.name for field in fields), SUBMIT]
    here = state.field if state.field in names else names[0]
    lines = [_row(field, state, field.name == here, _differs(field, changed), width)
             for field in fields]  # fmt: skip
    chosen = here == SUBMIT
    mark = Span(" ▸ " if chosen and state.panel == FORM else "   ", "title")
    last = fit((mark, *verdict), width)
    last = on(last, "selected") if chosen and state.panel == FORM else last
    return [*lines, clickable(last, f"field {SUBMIT}")]


def _differs(field: Field, changed: Sequence[str]) -> bool:
    name = "images" if field.name.startswith("image ") else field.name
    return name in changed


def _row(field: Field, state: State, here: bool, differs: bool, width: int) -> Line:
    typing = state.typing
    marked = here and state.panel == FORM
    label_role = "accent" if differs else "dim"
    star = "*" if differs else " "
    head: Line = (
        Span(" ▸ " if marked else "   ", "title"),
        Span(left(f"{field.label}{star}", LABEL), label_role),
    )
    room = max(4, width - line_width(head) - 1)
    if typing is not None and typing.field == field.name:
        line = fit((*head, *typed_line(typing, room)), width)
        return on(line, "selected")
    line = fit((*head, *_value(field, room)), width)
    line = on(line, "selected") if marked else line
    return clickable(line, f"field {field.name}")


def _value(field: Field, room: int) -> Line:
    """Give value and remark; where there is no room for both each is cut to about its half."""
    if field.value:
        value = Span(field.value, "strong")
    else:
        needed = field.role == "warning" and field.stands
        role = "warning" if needed and not field.remark else "dim"
        value = Span(field.stands or UNKNOWN, role)
    remark = field.remark
    wide, more = text_width(value.text), text_width(remark)
    if not remark or room < REMARK_LEAST * 2:
        return (value._replace(text=cut(value.text, room)),)
    if wide + 2 + more > room:
        wide = min(wide, max(room // 2, room - 2 - more))
    text = cut(value.text, wide)
    return (value._replace(text=text), Span("  "), Span(cut(remark, room - wide - 2), field.role))


def typed_line(typing: Typing, room: int) -> Line:
    """Give what is typed in one line around its cursor."""
    seen = around(typing)
    before = clean(seen.before).replace("\n", "⏎").replace("\t", " ")
    after = clean(seen.after).replace("\n", "⏎").replace("\t", " ")
    space = room - 1
    shown = before
    if text_width(before) > space * 2 // 3:
        shown = _tail(before, space * 2 // 3)
    rest = take(after, space - text_width(shown))
    return (Span(shown, "strong"), Span(CURSOR, "title"), Span(rest, "strong"))


def _tail(text: str, width: int) -> str:
    """Give the end of a text in at most `width` columns, with a mark that there is more."""
    kept = text[-width:]
    while text_width(kept) > width - 1:
        kept = kept[1:]
    return "…" + kept


def editor_lines(typing: Typing, label: str, width: int, height: int) -> list[Line]:
    """Give a text field that is edited in `height` lines: a head, and the lines at its cursor."""
    count = len(typing.text)
    how = "↵ or Esc ends  ↑↓ earlier ones  Ctrl-U clears"
    if typing.past >= 0:
        how = f"earlier one {typing.past + 1} of {len(typing.history)}  {how}"
    head = (Span(f"  {label}", "title"), Span(f"  {count} letters  ", "dim"), Span(how, "dim"))
    lines: list[Line] = [fit(head, width)]
    rows, place = _laid_out(typing, max(8, width - 4))
    room = max(1, height - 1)
    top = max(0, min(place - room // 2, len(rows) - room))
    lines += [(Span("  "), *row) for row in rows[top : top + room]]
    if typing.said:
        lines = [*lines[: max(1, height - 1)], (Span(f"  ▲ {typing.said}", "warning"),)]
    return lines


def _laid_out(typing: Typing, width: int) -> tuple[list[Line], int]:
    """Give a text in lines broken between words, and which of them has the cursor.

    A mark that no cleaned text holds stands for the cursor while lines are broken, so that it is
    found again whatever was broken around it.
    """
    seen = around(typing)
    mark = CURSOR
    text = clean(seen.before).replace(mark, "|") + mark + clean(seen.after).replace(mark, "|")
    rows: list[str] = []
    for part in text.split("\n"):
        rows += _broken(part, width)
    place = next((at for at, row in enumerate(rows) if mark in row), 0)
    lines: list[Line] = []
    for at, row in enumerate(rows):
        if at != place:
            lines.append((Span(row, "strong"),))
            continue
        before, _, after = row.partition(mark)
        lines.append((Span(before, "strong"), Span(mark, "title"), Span(after, "strong")))
    if seen.more_before:
        lines.insert(0, (Span("…", "dim"),))
        place += 1
    if seen.more_after:
        lines.append((Span("…", "dim"),))
    return lines, place


def _broken(text: str, width: int) -> list[str]:
    """Break a text between words and keep every blank: what is typed is what is seen."""
    rows: list[str] = []
    while text_width(text) > width:
        head = take(text, width)
        space = head.rfind(" ")
        if space > 0:
            head = head[: space + 1]
        rows.append(head or text[0])
        text = text[len(rows[-1]) :]
    return [*rows, text]


def is_text(name: str) -> bool:
    """Tell whether a row holds a text that is edited in lines of its own."""
    return name in TEXTS


def remark_lines(text: str, width: int, role: str = "dim") -> list[Line]:
    """Give an explanation in lines of `width`, set off from the left."""
    return [(Span("   "), Span(part, role)) for part in wrap(text, width - 4)]
