"""Plots in plain text, for a report where no library draws them, and for a terminal."""

from collections.abc import Sequence

from console.plots.plot import BarPlot, LinePlot, finite
from console.text import clean_line

_FULL, _PARTS = "█", " ▏▎▍▌▋▊▉"
_LONGEST_NAME = 40


def bar_chart(plot: BarPlot, width: int = 76) -> tuple[str, ...]:
    """Give bars as lines of text, none longer than `width` where names leave room for a bar."""
    names = [_short(group) for group in plot.groups]
    kinds = [_short(name, 16) for name, _ in plot.bars]
    values = [[finite(value) for value in row] for _, row in plot.bars]
    largest = max((value for row in values for value in row if value is not None), default=0.0)
    left = max((len(name) for name in names), default=0)
    middle = max((len(kind) for kind in kinds), default=0)
    room = max(8, width - left - middle - 14)
    lines = [f"{clean_line(plot.title, width)} ({clean_line(plot.label, 40)})"]
    for number, name in enumerate(names):
        for kind, row in zip(kinds, values, strict=True):
            shown = name if kind == kinds[0] else ""
            lines.append(
                f"{shown:<{left}}  {kind:<{middle}}  {_bar(row[number], largest, room)}".rstrip()
            )
    return tuple(lines)


def line_chart(plot: LinePlot, width: int = 76, height: int = 10) -> tuple[str, ...]:
    """Give lines as text: one block of rows a series, as each has a scale of its own.

    Every column is the largest of what falls into it, so that no peak is lost; a column without a
    figure stays empty.
    """
    lines = [clean_line(plot.title, width)]
    for series in plot.series:
        label = plot.second_label if series.second else plot.y_label
        points = [(x, y) for x, raw in series.points if (y := finite(raw)) is not None]
        lines.append(f"{_short(series.name)} ({clean_line(label, 40)})")
        lines += _block(points, plot, width, height) if points else ["  no figures"]
    for number, mark in enumerate(plot.marks, 1):
        lines.append(f"  {number}. at {_figure(mark.x)}: {clean_line(mark.text, width - 16)}")
    return tuple(lines)


def _block(
    points: Sequence[tuple[float, float]], plot: LinePlot, width: int, height: int
) -> list[str]:
    values = [y for _, y in points]
    low = min([0.0, *values]) if plot.from_zero else min(values)
    high = max([low, *values])
    first, last = _span(plot)
    edge = max(len(_figure(low)), len(_figure(high)))
    room = max(8, width - edge - 3)
    column = _columns(points, first, last, room)
    rows = []
    for row in range(height, 0, -1):
        scale = _figure(high) if row == height else (_figure(low) if row == 1 else "")
        drawn = "".join(_cell(value, low, high, row, height) for value in column)
        rows.append(f"{scale:>{edge}} ┤{drawn}".rstrip())
    rows.append(f"{'':>{edge}} └{'─' * room}")
    begin, end = _figure(first), f"{_figure(last)} {clean_line(plot.x_label, 30)}"
    rows.append(f"{'':>{edge}}  {begin}{end:>{max(1, room - len(begin))}}")
    return rows


def _span(plot: LinePlot) -> tuple[float, float]:
    """Give the first and the last x of all series, so that blocks stand under each other."""
    every = [x for series in plot.series for x, _ in series.points if finite(x) is not None]
    return min(every, default=0.0), max(every, default=0.0)


def _columns(
    points: Sequence[tuple[float, float]], first: float, last: float, room: int
) -> list[float | None]:
    column: list[float | None] = [None] * room
    wide = (last - first) or 1.0
    for x, y in points:
        place = min(room - 1, max(0, int((x - first) / wide * room)))
        there = column[place]
        column[place] = y if there is None else max(there, y)
    return column


def _cell(value: float | None, low: float, high: float, row: int, height: int) -> str:
    """Give the sign of a column in a row; the lowest row shows that there is a figure at all."""
    if value is None:
        return " "
    share = 1.0 if high == low else (value - low) / (high - low)
    filled = share * height
    if filled >= row - 0.5:
        return _FULL
    return "▄" if row == 1 or filled >= row - 0.75 else " "


def _bar(value: float | None, largest: float, room: int) -> str:
    if value is None:
        return "none"
    eighths = round(max(value, 0.0) / largest * room * 8) if largest > 0 else 0
    whole, part = divmod(eighths, 8)
    return f"{_FULL * whole}{_PARTS[part].strip()} {_figure(value)}".strip()


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _short(text: str, longest: int = _LONGEST_NAME) -> str:
    return clean_line(text, longest)
