"""Things side by side: columns as wide as they need, narrow screens one thing after the other."""

from __future__ import annotations

from actions.setup.report import Table
from screens.tui.paint import BLANK, Line, Span, left, text_width, wrap

GAP = 2


def table_lines(table: Table, width: int) -> list[Line]:
    """Draw a table; where it is too wide, each row becomes a block of its own."""
    columns = list(zip(table.head, *table.rows, strict=False))
    widths = [max(text_width(cell) for cell in column) for column in columns]
    if sum(widths) + GAP * max(0, len(widths) - 1) <= width:
        rows = [_row(table.head, widths, "dim")]
        return rows + [_row(row, widths, "text") for row in table.rows]
    lines: list[Line] = []
    for row in table.rows:
        lines += [BLANK] if lines else []
        lines.append((Span(row[0], "strong"),))
        told = [
            f"{name}: {cell}" for name, cell in zip(table.head[1:], row[1:], strict=False) if cell
        ]
        lines += [(Span("  "), Span(part)) for part in wrap("; ".join(told), width - 2)]
    return lines


def _row(cells: tuple[str, ...], widths: list[int], role: str) -> Line:
    padded = [left(cell, width) for cell, width in zip(cells, widths, strict=False)]
    first = "strong" if role == "text" else role
    return tuple(
        Span(cell + " " * GAP, first if not place else role) for place, cell in enumerate(padded)
    )
