"""What is to be plotted: series over an axis, or bars; plain data, no library."""

import math
from collections.abc import Sequence

import msgspec


class Series(msgspec.Struct, frozen=True):
    """One line of a plot.

    Attributes:
        name: as the legend has it.
        points: pairs of x and y, in the order of x; a y of None (or one that is not finite) is a
            gap in the line, never a zero.
        second: drawn against the second axis, on the right.
    """

    name: str
    points: Sequence[tuple[float, float | None]]
    second: bool = False


class Mark(msgspec.Struct, frozen=True):
    """Something that happened at an x: a thin line from top to bottom, with its text."""

    x: float
    text: str


class LinePlot(msgspec.Struct, frozen=True, kw_only=True):
    """Lines over one axis, such as VRAM over time.

    Attributes:
        title: above it.
        x_label, y_label: with their units, such as `seconds` and `GiB`.
        second_label: of the axis on the right; used where a series is `second`.
        series: what is drawn.
        marks: moments worth seeing.
        from_zero: the axes of y begin at 0, so that heights can be compared.
    """

    title: str
    x_label: str
    y_label: str
    second_label: str = ""
    series: Sequence[Series] = ()
    marks: Sequence[Mark] = ()
    from_zero: bool = True


class BarPlot(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of bars that lie, such as seconds to the first and to a warm result by variant.

    Attributes:
        title: above it.
        label: of the axis, with its unit.
        groups: a name for each, from top to bottom.
        bars: for each name of the legend, one value a group; None draws none, and says so.
    """

    title: str
    label: str
    groups: Sequence[str] = ()
    bars: Sequence[tuple[str, Sequence[float | None]]] = ()


def finite(value: float | None) -> float | None:
    """Give a figure that can be drawn; None for one that is missing or not finite."""
    return value if value is not None and math.isfinite(value) else None
