"""Drawing plots with matplotlib, without its global state, to PNG or SVG files."""

import contextlib
import io
import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.files import write_aside
from console.plots.faults import PlotFault, missing
from console.plots.plot import BarPlot, LinePlot, Series, finite
from console.text import clean_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_LOCK = threading.Lock()
"""One drawing at a time: fonts and settings of the library belong to the whole process."""

_WIDTH_INCHES, _HEIGHT_INCHES, _DPI = 8.0, 3.6, 110
_BAR_INCHES, _MOST_BAR_INCHES = 0.28, 30.0
_LONGEST_NAME = 48
# Okabe and Ito's colours, which people with any colour vision tell apart; with a dash pattern each.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":")
_INK, _GRID = "#222222", "#D8D8D8"


def line_plot(plot: LinePlot, path: Path) -> Path:
    """Draw lines into a file, PNG or SVG by its suffix; 0600, written aside and renamed.

    Raises:
        PlotsMissing: there is no matplotlib.
        PlotFault: it cannot be drawn, or the file cannot be written.
    """
    return _drawn(path, lambda figure: _lines(figure, plot), _HEIGHT_INCHES)


def bar_plot(plot: BarPlot, path: Path) -> Path:
    """Draw lying bars into a file, as `line_plot` does; it is as high as its bars need.

    Raises:
        PlotsMissing: there is no matplotlib.
        PlotFault: it cannot be drawn, or the file cannot be written.
    """
    rows = len(plot.groups) * max(1, len(plot.bars))
    height = min(1.4 + rows * _BAR_INCHES, _MOST_BAR_INCHES)
    return _drawn(path, lambda figure: _bars(figure, plot), height)


def _drawn(path: Path, draw: "Callable[[Figure], None]", height: float) -> Path:
    with _LOCK, _quiet():
        try:
            from matplotlib import rc_context
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except Exception as error:  # a library that is half there raises what it likes
            raise missing(clean_line(f"{type(error).__name__}: {error}", 200)) from error
        figure = Figure(figsize=(_WIDTH_INCHES, height), dpi=_DPI, layout="constrained")
        figure.set_facecolor("white")
        FigureCanvasAgg(figure)
        kind = "svg" if path.suffix.lower() == ".svg" else "png"
        made = io.BytesIO()
        try:
            draw(figure)
            # Without a date, and with a salt for its names, the same figures give the same file.
            with rc_context({"svg.hashsalt": "gpuconsole"}):
                undated = {"Date": None} if kind == "svg" else None
                figure.savefig(made, format=kind, metadata=undated)
        except (ValueError, RuntimeError, MemoryError, OverflowError) as error:
            raise _fault(path, error) from error
    try:
        write_aside(path, made.getvalue())
    except OSError as error:
        raise _fault(path, error) from error
    return path


def _fault(path: Path, error: BaseException) -> PlotFault:
    said = clean_line(str(error), 200) or type(error).__name__
    name = clean_line(path.name, 100)
    return PlotFault("plots.failed", f"{name} could not be drawn", "", said)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's remarks (font caches, glyphs that it has not) out of the terminal."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _lines(figure: "Figure", plot: LinePlot) -> None:
    axes = figure.add_subplot()
    _dress(axes, plot.title, plot.x_label, plot.y_label)
    second: Axes | None = None
    handles: list[Any] = []
    for number, series in enumerate(plot.series):
        on = axes
        if series.second:
            if second is None:
                second = axes.twinx()
                _label(second.set_ylabel("-"), plot.second_label)
                _light(second)
            on = second
        handles.append(_line(on, series, number))
    for mark in plot.marks:
        if finite(mark.x) is None:
            continue
        axes.axvline(mark.x, color="#B00020", linewidth=0.9, linestyle=(0, (2, 2)))
        said = axes.annotate(
            "-", (mark.x, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -3),
            textcoords="offset points", rotation=90, va="top", ha="left", fontsize=7,
            color="#B00020", annotation_clip=True,
        )  # fmt: skip
        _label(said, mark.text)
    if plot.from_zero:
        for one in (axes, second):
            if one is not None and one.get_ylim()[0] > 0:
                one.set_ylim(bottom=0)
    _legend(figure, handles, [series.name for series in plot.series])


def _line(axes: "Axes", series: Series, number: int) -> Any:
    points = list(series.points)
    values = [finite(y) for _, y in points]
    alone = sum(value is not None for value in values) < 2
    (handle,) = axes.plot(
        [x for x, _ in points],
        [float("nan") if value is None else value for value in values],
        color=_COLOURS[number % len(_COLOURS)],
        linestyle=_DASHES[number // len(_COLOURS) % len(_DASHES)],
        linewidth=1.6,
        marker="o" if alone or len(points) <= 12 else None,
        markersize=3.5,
    )
    return handle


def _bars(figure: "Figure", plot: BarPlot) -> None:
    axes = figure.add_subplot()
    _dress(axes, plot.title, plot.label, "")
    count = max(1, len(plot.bars))
    thick = 0.8 / count
    handles: list[Any] = []
    for number, (_, values) in enumerate(plot.bars):
        drawn = [finite(value) for value in values]
        places = [group + (number - (count - 1) / 2) * thick for group in range(len(drawn))]
        colour = _COLOURS[number % len(_COLOURS)]
        handles.append(axes.barh(places, [v or 0.0 for v in drawn], thick * 0.92, color=colour))
        for place, value in zip(places, drawn, strict=True):
            said = axes.annotate(
                "-", (value or 0.0, place), xytext=(3, 0), textcoords="offset points",
                va="center", ha="left", fontsize=7, color=_INK,
            )  # fmt: skip
            _label(said, "none" if value is None else f"{value:.4g}")
    names = [clean_line(name, _LONGEST_NAME) for name in plot.groups]
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    _legend(figure, handles, [name for name, _ in plot.bars])


def _dress(axes: "Axes", title: str, x_label: str, y_label: str) -> None:
    _label(axes.set_title("-", fontsize=10, loc="left", color=_INK), title)
    _label(axes.set_xlabel("-"), x_label)
    _label(axes.set_ylabel("-"), y_label)
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    _light(axes)


def _light(axes: "Axes") -> None:
    axes.tick_params(labelsize=8, colors=_INK)
    for side in axes.spines.values():
        side.set_color(_GRID)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(8)
        label.set_color(_INK)


def _legend(figure: "Figure", handles: Sequence[Any], names: Sequence[str]) -> None:
    if len(handles) < 2 and not any(names):
        return
    # Names are put in afterwards: the library would leave out one that begins with `_`.
    legend = figure.legend(
        handles, ["-"] * len(handles), fontsize=8, loc="outside lower center", ncols=3,
        frameon=False,
    )  # fmt: skip
    for text, name in zip(legend.get_texts(), names, strict=True):
        _label(text, name)


def _label(text: "Text", words: str) -> None:
    """Write words that may hold anything: a `$` in them is a dollar, no formula."""
    text.set_parse_math(False)
    text.set_text(clean_line(words, _LONGEST_NAME * 2))
