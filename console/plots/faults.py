"""What keeps a plot from being drawn."""

from console.errors import ConsoleError


class PlotsMissing(ConsoleError):  # noqa: N818 -- nothing is wrong: it is an optional library
    """There is no matplotlib here: reports have charts in text instead."""


class PlotFault(ConsoleError):  # noqa: N818 -- as the other doors name theirs
    """A plot could not be drawn or written; the report goes on with text."""


def missing(why: str) -> PlotsMissing:
    """Say that plots need a library that is not installed, or does not load."""
    return PlotsMissing(
        "plots.missing",
        "plots are drawn by matplotlib, which is not installed: charts are in text",
        "Install gpuconsole[reports], such as: uv tool install 'gpuconsole[reports]'",
        why,
    )
