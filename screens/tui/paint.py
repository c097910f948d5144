"""Lines of text with roles instead of colours: what panels give and panes put on the screen."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size

from console.text import ELLIPSIS
from console.unknown import NOT_KNOWN

UNKNOWN = NOT_KNOWN
"""Its reason is in the details."""
TIMES = "\N{MULTIPLICATION SIGN}"


class Span(NamedTuple):
    """A run of text in one role.

    Attributes:
        role: a name of the theme's table, such as `error`; `|selected` and `|dialog` put it on
            that background.
        action: what a click on it does, as `verb argument`; empty for nothing.
    """

    text: str
    role: str = "text"
    action: str = ""


Line = tuple[Span, ...]
BLANK: Line = ()


def text_width(text: str) -> int:
    """Give the columns that a text takes; wide characters take two."""
    return len(text) if text.isascii() else cell_len(text)


def line_width(line: Iterable[Span]) -> int:
    """Give the columns that a line takes."""
    return sum(text_width(span.text) for span in line)


def cut(text: str, width: int) -> str:
    """Shorten a text to at most `width` columns, the last of them an ellipsis if it was longer."""
    if text_width(text) <= width:
        return text
    if width <= 0:
        return ""
    return take(text, width - 1) + ELLIPSIS


def take(text: str, width: int) -> str:
    """Give the longest start of a text that fits into `width` columns."""
    if text.isascii():
        return text[: max(0, width)]
    used = 0
    for place, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width:
            return text[:place]
    return text


def left(text: str, width: int) -> str:
    """Cut or pad a text to exactly `width` columns, its start at the left."""
    text = cut(text, width)
    return text + " " * (width - text_width(text))


def right(text: str, width: int) -> str:
    """Cut or pad a text to exactly `width` columns, its end at the right."""
    text = cut(text, width)
    return " " * (width - text_width(text)) + text


def middle(text: str, width: int) -> str:
    """Cut or pad a text to exactly `width` columns, centred."""
    text = cut(text, width)
    before = (width - text_width(text)) // 2
    return left(" " * before + text, width)


def fit(line: Sequence[Span], width: int, role: str = "text") -> Line:
    """Cut or pad a line to exactly `width` columns; what does not fit ends in an ellipsis."""
    missing = width - line_width(line)
    if missing == 0:
        return tuple(line)
    if missing > 0:
        return (*line, Span(" " * missing, role))
    kept: list[Span] = []
    free = width
    for span in line:
        taken = text_width(span.text)
        if taken >= free:
            kept.append(span._replace(text=left(_marked(span.text, free), free)))
            break
        kept.append(span)
        free -= taken
    return tuple(kept)


def _marked(text: str, width: int) -> str:
    """Cut a text that is followed by more, so that it ends in an ellipsis in any case."""
    if width <= 0:
        return ""
    return take(text, width - 1) + ELLIPSIS


def on(line: Iterable[Span], background: str) -> Line:
    """Put every span of a line on another background: `selected` or `dialog`."""
    return tuple(span._replace(role=f"{span.role.partition('|')[0]}|{background}") for span in line)


def clickable(line: Iterable[Span], action: str) -> Line:
    """Give every span of a line that has no action of its own this one."""
    return tuple(span if span.action else span._replace(action=action) for span in line)


def merge(line: Iterable[Span]) -> Line:
    """Join neighbours of one role and action: each span costs an escape sequence on the wire."""
    joined: list[Span] = []
    for span in line:
        if not span.text:
            continue
        last = joined[-1] if joined else None
        if last is not None and last.role == span.role and last.action == span.action:
            joined[-1] = last._replace(text=last.text + span.text)
        else:
            joined.append(span)
    return tuple(joined)


def plain_text(line: Iterable[Span]) -> str:
    """Give a line's text without its roles."""
    return "".join(span.text for span in line)


def wrap(text: str, width: int, after: str = "") -> list[str]:
    """Break a text into lines of at most `width` columns, between words where there are any.

    A word that is too long is broken behind one of the letters of `after`, where it has any.
    """
    lines: list[str] = []
    current = ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if text_width(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        current = word
        while text_width(current) > width > 0:
            head = take(current, width) or current[0]
            head = head[: max((head.rfind(one) for one in after), default=-1) + 1] or head
            lines.append(head)
            current = current[len(head) :]
    if current:
        lines.append(current)
    return lines or [""]


def side_by_side(columns: Sequence[tuple[Sequence[Line], int]], gap: int = 2) -> list[Line]:
    """Put columns of lines next to each other, each fitted to its width."""
    height = max((len(lines) for lines, _ in columns), default=0)
    rows: list[Line] = []
    for y in range(height):
        row: list[Span] = []
        for place, (lines, width) in enumerate(columns):
            if place:
                row.append(Span(" " * gap))
            row.extend(fit(lines[y] if y < len(lines) else BLANK, width))
        rows.append(tuple(row))
    return rows
