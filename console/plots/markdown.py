"""A plot in a Markdown report: a picture beside it where one can be drawn, else a chart in text."""

from pathlib import Path
from urllib.parse import quote

import msgspec

from console.errors import ConsoleError
from console.plots.faults import PlotFault, PlotsMissing
from console.plots.plot import BarPlot, LinePlot
from console.plots.text import bar_chart, line_chart
from console.text import clean_line


class Shown(msgspec.Struct, frozen=True):
    """How a plot went into a report.

    Attributes:
        lines: of Markdown.
        path: the picture; None where it is a chart in text.
        problem: why it is text; None where it is a picture.
    """

    lines: tuple[str, ...]
    path: Path | None = None
    problem: ConsoleError | None = None


def shown(plot: LinePlot | BarPlot, path: Path) -> Shown:
    """Draw a plot to `path`, which lies beside the report, and give the lines that show it.

    Never raises for a plot that cannot be drawn: its chart is in text then.
    """
    from console.plots.draw import bar_plot, line_plot

    try:
        if isinstance(plot, LinePlot):
            line_plot(plot, path)
        else:
            bar_plot(plot, path)
    except (PlotsMissing, PlotFault) as problem:
        chart = line_chart(plot) if isinstance(plot, LinePlot) else bar_chart(plot)
        return Shown(("```text", *chart, "```"), problem=problem)
    return Shown((f"![{escaped(plot.title)}]({quote(path.name)})",), path=path)


def escaped(text: str, limit: int = 300) -> str:
    """Give untrusted text for a line or a table's cell of Markdown: shown as it is, never markup.

    Line breaks become blanks, so that nothing can end a cell or begin a block.
    """
    line = clean_line(text, limit)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~" and _steers(c, line) else c for c in line)


def _steers(character: str, line: str) -> bool:
    """Tell whether a sign could be markup there: those of lists and headings only at the start."""
    return character not in "+-.#()!" or line[:1] == character
