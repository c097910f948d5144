"""Things side by side: columns as wide as they need, narrow screens one thing after the other."""

from __future__ import annotations

from actions.setup.report import Table
from screens.tui.paint import BLANK, Line, Span, left, text_width, wrap

GAPS = (2, 1)
"""Blanks between columns: fewer where it is narrow."""
MOST_CUT = 10
"""So many columns may be cut off the widest one before each row becomes a block."""


def table_lines(table: Table, width: int) -> list[Line]:
    """Draw a table in lines of at most `width`.

    Where it is too wide, what is the same in all rows is said once below it, and the widest column
    is cut a little; where that is not enough, each row becomes a block of its own.
    """
    lines = _fitting(table, width, 0)
    if lines:
        return lines
    shorter, said = _same_once(table)
    lines = _fitting(shorter, width, MOST_CUT)
    if lines:
        return lines + [(Span(part, "dim"),) for part in wrap(said, width) if part]
    return _blocks(table, width)


def _fitting(table: Table, width: int, most: int) -> list[Line]:
    """Draw it as columns; nothing where more than `most` would have to be cut."""
    columns = list(zip(table.head, *table.rows, strict=False))
    widths = [max(text_width(cell) for cell in column) for column in columns]
    over = 0
    for gap in GAPS:
        over = sum(widths) + gap * max(0, len(widths) - 1) - width
        if over <= 0 or gap == GAPS[-1]:
            break
    if over > most:
        return []
    widest = widths.index(max(widths))
    widths[widest] -= max(0, over)
    rows = [_row(row, widths, gap, "text") for row in table.rows]
    return [_row(table.head, widths, gap, "dim"), *rows]


def _same_once(table: Table) -> tuple[Table, str]:
    """Take out the columns that are the same in all rows; gives what they say, too."""
    kept, said = [0], []
    for place in range(1, len(table.head)):
        cells = {row[place] for row in table.rows if place < len(row)}
        if len(cells) == 1 and len(table.rows) > 1:
            said.append(f"{table.head[place]} of all: {cells.pop()}")
        else:
            kept.append(place)
    rows = tuple(tuple(row[place] for place in kept if place < len(row)) for row in table.rows)
    return Table(head=tuple(table.head[place] for place in kept), rows=rows), "; ".join(said)


def _blocks(table: Table, width: int) -> list[Line]:
    lines: list[Line] = []
    for row in table.rows:
        lines += [BLANK] if lines else []
        lines.append((Span(row[0], "strong"),))
        named = zip(table.head[1:], row[1:], strict=False)
        told = [f"{name}: {cell}" for name, cell in named if cell]
        lines += [(Span("  "), Span(part)) for part in wrap("; ".join(told), width - 2)]
    return lines


def _row(cells: tuple[str, ...], widths: list[int], gap: int, role: str) -> Line:
    gaps = " " * gap
    padded = [left(cell, width) + gaps for cell, width in zip(cells, widths, strict=False)]
    padded[-1:] = [cell.removesuffix(gaps) for cell in padded[-1:]]
    first = "strong" if role == "text" else role
    return tuple(Span(cell, first if not place else role) for place, cell in enumerate(padded))
