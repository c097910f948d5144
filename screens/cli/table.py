"""Columns of plain text that line up, for people and for `grep`."""

import unicodedata
from collections.abc import Sequence

from console.text import ELLIPSIS


def columns(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Line up rows of cells, two blanks apart; columns in `right` are set flush right."""
    if not rows:
        return []
    count = max(len(row) for row in rows)
    full = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(text_width(row[column]) for row in full) for column in range(count)]
    lines = []
    for row in full:
        cells = [_padded(cell, widths[column], column in right) for column, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines


def text_width(text: str) -> int:
    """Give how many terminal cells a text takes: wide characters two, combining ones none.

    The full screen measures as Rich does, which draws it; importing that would cost `status` more
    than all else it does.
    """
    if text.isascii():
        return len(text)
    cells = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        cells += 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
    return cells


def cut(text: str, width: int) -> str:
    """Cut a text to at most `width` terminal cells, the last being `…` where something is cut."""
    if text_width(text) <= width:
        return text
    while text_width(text) >= width:
        text = text[:-1]
    return text + ELLIPSIS


def _padded(cell: str, width: int, right: bool) -> str:
    gap = " " * (width - text_width(cell))
    return gap + cell if right else cell + gap
