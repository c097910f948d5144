"""The report of a comparison in Markdown, with its plots and its contact sheet beside it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from actions.compare.figures import WORDS, cells_of, heads_of
from actions.compare.model import Advice, Candidate, Row
from actions.compare.words import table
from actions.edits.request import EditRequest
from console.errors import ConsoleError
from console.files import write_aside
from console.plots.markdown import escaped, shown
from console.plots.plot import BarPlot
from console.text import clean
from console.units import GIB
from console.unknown import known

_LONGEST_PROMPT = 4000
REPORT, SHEET = "report.md", "sheet.png"


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report says.

    Attributes:
        ident: of the comparison: its plan, and the group of its edits.
        at: when it was asked for.
        request: what all its edits have in common.
        card, service: their names; the card's may be empty.
        rows: of those that were to run and of those that were left out.
        note: what else to know, such as that it was cancelled; may be empty.
    """

    ident: str
    at: datetime
    request: EditRequest
    service: str
    card: str
    candidates: tuple[Candidate, ...]
    rows: tuple[Row, ...]
    reference: str | None
    advice: Advice
    note: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        report, sheet: their paths; empty where they could not be written.
        plots: of the pictures of plots; none where they are charts in the report's text.
        problems: why something is missing.
    """

    report: str = ""
    sheet: str = ""
    plots: tuple[str, ...] = ()
    problems: tuple[ConsoleError, ...] = ()


def write_report(compared: Compared, folder: Path) -> Written:
    """Write report, plots and contact sheet into a folder that is there; never raises.

    A disk that is full costs the report, not the comparison: its edits and their figures are kept.
    """
    problems: list[ConsoleError] = []
    sheet = _sheet(compared, folder / SHEET, problems)
    plots: list[str] = []
    lines = list(_lines(compared, folder, bool(sheet), plots, problems))
    path = folder / REPORT
    try:
        write_aside(path, "\n".join(lines).encode("utf-8", "replace"))
    except OSError as error:
        problems.append(_unwritten(path, error))
        return Written(sheet=sheet, plots=tuple(plots), problems=tuple(problems))
    return Written(report=str(path), sheet=sheet, plots=tuple(plots), problems=tuple(problems))


def _sheet(compared: Compared, path: Path, problems: list[ConsoleError]) -> str:
    from actions.compare.sheet import sheet_of

    try:
        write_aside(path, sheet_of(compared.rows, compared.request, compared.ident))
    except OSError as error:
        problems.append(_unwritten(path, error))
    except ConsoleError as error:
        problems.append(error)
    else:
        return str(path)
    return ""


def _unwritten(path: Path, error: OSError) -> ConsoleError:
    said = error.strerror or str(error)
    return ConsoleError(
        "compare.not-written",
        f"{path.name} could not be written: {said}",
        "The edits are kept; make room and run gpuconsole compare --report ID",
    )


def _lines(
    compared: Compared,
    folder: Path,
    has_sheet: bool,
    plots: list[str],
    problems: list[ConsoleError],
) -> Iterator[str]:
    yield f"# Comparison {escaped(compared.ident)}"
    yield ""
    yield f"**{escaped(compared.advice.sentence, 600)}**"
    if compared.note:
        yield f"\n{escaped(compared.note)}"
    yield ""
    yield from _asked(compared)
    yield "\n## Figures\n"
    yield from _table(compared.rows)
    for plot in plots_of(compared.rows):
        made = shown(plot, folder / f"{_file_name(plot.title)}.png")
        if made.path is not None:
            plots.append(str(made.path))
        if made.problem is not None and made.problem.code not in {one.code for one in problems}:
            problems.append(made.problem)
        yield ""
        yield from made.lines
    if has_sheet:
        yield f"\n## Pictures\n\n![contact sheet]({SHEET})"
    yield from _reasons(compared.rows)
    yield "\n## How it was measured\n"
    for line in table()["how"]["lines"]:
        yield f"- {line}"
    yield from _again(compared)
    yield ""


def _asked(compared: Compared) -> Iterator[str]:
    request = compared.request
    yield f"- when: {compared.at.astimezone():%Y-%m-%d %H:%M %Z}"
    yield f"- card: {escaped(compared.card) or 'not known'}; service: {escaped(compared.service)}"
    yield f"- workflow: {escaped(request.workflow)}"
    for path in request.images:
        yield f"- picture: {escaped(path)}"
    if request.size:
        yield f"- size: {request.size[0]}x{request.size[1]}"
    for name, text in (("prompt", request.prompt), ("negative prompt", request.negative)):
        if text:
            yield f"- {name}:\n"
            # Indented by more than a list's item needs, every line of it is text and no markup.
            yield from (f"      {line}" for line in _cut(text).splitlines() or [""])


def _cut(text: str) -> str:
    words = clean(text)
    return words if len(words) <= _LONGEST_PROMPT else f"{words[:_LONGEST_PROMPT]}…"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    heads = heads_of(rows)
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "|".join("---" if head in WORDS else "---:" for head in heads) + "|"
    for row in rows:
        yield "| " + " | ".join(escaped(cell) for cell in cells_of(row, heads)) + " |"


def plots_of(rows: Sequence[Row]) -> tuple[BarPlot, ...]:
    """Give the plots of a comparison: seconds, seconds a step, VRAM peak, PSNR; none is empty."""
    ran = [row for row in rows if row.path]
    names = tuple(label(row, ran) for row in ran)
    first = tuple(row.first_seconds if known(row.first_seconds) else None for row in ran)
    warm = tuple(row.warm_seconds if known(row.warm_seconds) else None for row in ran)
    step = tuple(row.seconds_per_step if known(row.seconds_per_step) else None for row in ran)
    peak = tuple(row.vram_peak_bytes / GIB if known(row.vram_peak_bytes) else None for row in ran)
    psnr = tuple(row.psnr_db if known(row.psnr_db) else None for row in ran)
    plots = (
        ("Seconds to a result", "seconds", (("first", first), ("warm", warm))),
        ("Seconds per step", "seconds", (("per step", step),)),
        ("VRAM peak of the card", "GiB", (("peak", peak),)),
        ("PSNR against the reference", "dB", (("PSNR", psnr),)),
    )
    return tuple(
        BarPlot(title=title, label=unit, groups=names, bars=bars)
        for title, unit, bars in plots
        if any(value is not None for _, values in bars for value in values)
    )


def label(row: Row, rows: Sequence[Row]) -> str:
    """Name a row among others: its variant, with seed and steps where those tell it apart."""
    own = [one for one in rows if one.variant == row.variant]
    words = [row.name]
    if len({one.seed for one in own}) > 1:
        words.append(f"seed {row.seed}")
    if len({one.steps for one in own if known(one.steps)}) > 1 and known(row.steps):
        words.append(f"{row.steps} steps")
    return ", ".join(words)


def _file_name(title: str) -> str:
    return "-".join(title.lower().split())


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    """Say why rows have no result, and what else is to be known of the others."""
    told = [row for row in rows if row.error is not None or row.notes]
    if told:
        yield "\n## What to know\n"
    for row in told:
        name = escaped(label(row, rows))
        if row.error is not None:
            words = [row.error.title, row.error.hint, row.error.detail]
            yield f"- {name}, {row.state}: {escaped('. '.join(w for w in words if w), 600)}"
        for note in row.notes:
            yield f"- {name}: {escaped(note)}"


def _again(compared: Compared) -> Iterator[str]:
    yield f"\nThe edits are kept: `gpuconsole gallery list --group {compared.ident}` lists them."
