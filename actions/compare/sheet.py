"""The contact sheet of a comparison: what was sent, and what each variant made of it."""

from collections.abc import Sequence
from pathlib import Path

from actions.compare.figures import psnr_text
from actions.compare.model import DONE, REFUSED, Row
from actions.edits.request import EditRequest
from console.pictures.sheet import Cell, contact_sheet
from console.units import format_bytes, format_duration
from console.unknown import known

_MOST_COLUMNS = 4


def sheet_of(rows: Sequence[Row], request: EditRequest, title: str) -> bytes:
    """Give the contact sheet as PNG: the pictures that were sent, then one of each case that ran.

    Raises:
        PictureError: it could not be drawn.
    """
    sent = [Cell(path=Path(path), lines=(f"sent: {Path(path).name}",)) for path in request.images]
    made = [
        Cell(path=Path(row.path) if row.path else None, lines=lines_of(row))
        for row in rows
        if row.state != REFUSED
    ]
    cells = [*sent, *made]
    columns = min(_MOST_COLUMNS, max(1, len(cells)))
    return contact_sheet(cells, columns, f"Comparison {title}")


def lines_of(row: Row) -> tuple[str, ...]:
    """Give what stands below a picture; below one that is not there, why."""
    steps = f", {row.steps} steps" if known(row.steps) else ""
    lines = [row.name, f"seed {row.seed}{steps}"]
    if row.state != DONE:
        return (*lines, row.error.title if row.error is not None else row.state)
    times = [
        f"{format_duration(value)} {word}"
        for value, word in ((row.first_seconds, "first"), (row.warm_seconds, "warm"))
        if known(value)
    ]
    if times:
        lines.append(", ".join(times))
    figures = [psnr_text(row)]
    if known(row.vram_peak_bytes):
        figures.insert(0, format_bytes(row.vram_peak_bytes))
    return (*lines, ", ".join(figures))
