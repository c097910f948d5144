"""Things side by side: columns as wide as they need, narrow screens one thing after the other."""

from __future__ import annotations

from actions.setup.report import Table
from screens.tui.paint import BLANK, Line, Span, left, text_width, wrap

GAPS = (2, 1)
"""Blanks between columns: fewer where it is narrow."""


def table_lines(table: Table, width: int) -> list[Line]:
    """Draw a table; where it is too wide, each row becomes a block of its own."""
    columns = list(zip(table.head, *table.rows, strict=False))
    widths = [max(text_width(cell) for cell in column) for column in columns]
    for gap in GAPS:
        if sum(widths) + gap * max(0, len(widths) - 1) <= width:
            rows = [_row(row, widths, gap, "text") for row in table.rows]
            return [_row(table.head, widths, gap, "dim"), *rows]
    lines: list[Line] = []
    for row in table.rows:
        lines += [BLANK] if lines else []
        lines.append((Span(row[0], "strong"),))
        named = zip(table.head[1:], row[1:], strict=False)
        told = [f"{name}: {cell}" for name, cell in named if cell]
        lines += [(Span("  "), Span(part)) for part in wrap("; ".join(told), width - 2)]
    return lines


def _row(cells: tuple[str, ...], widths: list[int], gap: int, role: str) -> Line:
    padded = [left(cell, width) for cell, width in zip(cells, widths, strict=False)]
    first = "strong" if role == "text" else role
    return tuple(
        Span(cell + " " * gap, first if not place else role) for place, cell in enumerate(padded)
    )
