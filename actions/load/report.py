"""The report of a run: Markdown, with plots and the figures behind them as CSV beside it."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from actions.load.arithmetic import Spread
from actions.load.kinds import kinds, notes
from actions.load.model import Incident, LoadRequest, Outcome, Result, Sample
from actions.load.plots import plots_of
from console.errors import ConsoleError
from console.files import write_aside
from console.plots.markdown import escaped, shown
from console.units import format_bytes, format_duration
from console.unknown import NOT_KNOWN

REPORT = "report.md"
_MOST_FAILURES = 100
_LONGEST_PROMPT = 2000
_FIGURES = ("mean", "p50", "p95", "max")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: `report` is empty where it could not be, for one of the `problems`."""

    report: str = ""
    plots: tuple[str, ...] = ()
    problems: tuple[ConsoleError, ...] = ()


def write_report(
    made: Outcome,
    request: LoadRequest,
    results: Sequence[Result],
    samples: Sequence[Sample],
    incidents: Sequence[Incident],
    folder: Path,
) -> Written:
    """Write all of it into a folder that is there; never raises.

    A disk that is full costs the report, not the run: its figures are in the journal.
    """
    problems: list[ConsoleError] = []
    plots: list[str] = []
    pictures: list[str] = []
    for name, plot in plots_of(made, results, samples, incidents):
        drawn = shown(plot, folder / f"{name}.png")
        pictures += ["", *drawn.lines]
        if drawn.path is not None:
            plots.append(str(drawn.path))
        if drawn.problem is not None and drawn.problem.code not in {one.code for one in problems}:
            problems.append(drawn.problem)
    files = {
        "requests.csv": _requests(results),
        "samples.csv": _samples(samples),
        REPORT: "\n".join([*_lines(made, request, pictures), ""]),
    }
    for name, text in files.items():
        try:
            write_aside(folder / name, text.encode("utf-8", "replace"))
        except OSError as error:
            problems.append(unwritten(folder / name, error))
    report = folder / REPORT
    written = not any(one.code == "load.not-written" for one in problems)
    return Written(
        report=str(report) if written else "", plots=tuple(plots), problems=tuple(problems)
    )


def unwritten(path: Path, error: OSError) -> ConsoleError:
    """Say that a part of the report could not be written."""
    said = error.strerror or str(error)
    return ConsoleError(
        "load.not-written",
        f"{path.name} could not be written: {said}",
        f"Look at {path.parent}: its free space and permissions; the figures are in the journal",
    )


def _lines(made: Outcome, request: LoadRequest, pictures: Sequence[str]) -> Iterator[str]:
    yield f"# Load run {escaped(made.id)}"
    yield f"\n**{escaped(made.sentence, 800)}**\n"
    yield from _asked(made, request)
    yield "\n## Figures\n"
    yield from _figures(made)
    yield from _services(made)
    yield from _incidents(made)
    yield from _failures(made)
    yield from _cards(made)
    yield "\n## Over time"
    yield from pictures
    yield "\n## How it was measured\n"
    for line in notes():
        yield f"- {line}"


def _asked(made: Outcome, request: LoadRequest) -> Iterator[str]:
    yield f"- {made.requests} requests, {made.at_once} at a time, seeds from {request.seed} on"
    for edit in request.edits:
        more = f", {escaped(edit.variant)}" if edit.variant else ""
        yield f"- {escaped(edit.service)}: {escaped(edit.workflow)}{more}"
        for path in edit.images:
            yield f"  - picture {escaped(Path(path).name)}"
        if edit.prompt:
            yield f"  - prompt: {escaped(edit.prompt, _LONGEST_PROMPT)}"


def _figures(made: Outcome) -> Iterator[str]:
    rate, rest = made.throughput_per_minute, made.throughput_without_gaps
    yield from _table(
        ("", ""),
        [
            ("succeeded", f"{made.succeeded} of {made.requests}"),
            ("failed", str(len(made.failed))),
            ("cancelled", str(made.cancelled)),
            ("sent more than once", str(made.retried)),
            ("out of memory", str(made.out_of_memory)),
            ("took", format_duration(made.seconds)),
            ("results a minute", _number(rate)),
            *([("results a minute, without the gaps", _number(rest))] if rest else []),
            ("longest time without a result", format_duration(made.longest_gap_seconds)),
        ],
    )
    yield ""
    spreads = (
        ("waited in the queue", made.wait_seconds),
        ("ran", made.run_seconds),
        ("from the request to the picture", made.total_seconds),
    )
    yield from _table(
        ("seconds, of those that succeeded", *_FIGURES),
        [(name, *_spread(one)) for name, one in spreads],
    )


def _services(made: Outcome) -> Iterator[str]:
    if len(made.services) < 2:
        return
    yield "\n## Services\n"
    yield from _table(
        ("service", "requests", "succeeded", "failed", "a minute", "waited p50", "ran p50", "VRAM"),
        [
            (
                one.service,
                str(one.requests),
                str(one.succeeded),
                str(one.failed),
                _number(one.throughput_per_minute),
                _number(one.wait_seconds.p50),
                _number(one.run_seconds.p50),
                _bytes(one.vram_peak_bytes),
            )
            for one in made.services
        ],
    )


def _incidents(made: Outcome) -> Iterator[str]:
    if not made.incidents:
        return
    yield "\n## What went wrong on the host\n"
    yield from _table(
        ("what", "at", "for", "no result for", "requests lost", "sent again"),
        [
            (
                one.title,
                f"{one.begun_seconds:.0f} s",
                "to the end" if one.ended_seconds is None else format_duration(one.seconds),
                format_duration(one.gap_seconds),
                ", ".join(map(str, one.lost)) or "none",
                ", ".join(map(str, one.retried)) or "none",
            )
            for one in made.incidents
        ],
    )


def _failures(made: Outcome) -> Iterator[str]:
    if not made.failed:
        return
    named = kinds()
    yield "\n## Failures\n"
    counts = [(named[kind].title, str(n)) for kind, n in made.failures_by_kind.items()]
    yield from _table(("kind", "how many"), counts)
    yield ""
    for one in made.failed[:_MOST_FAILURES]:
        where = f" on {escaped(one.service)}" if one.service else ""
        hint = f" — {escaped(one.hint)}" if one.hint else ""
        yield f"- request {one.number}{where}: {escaped(one.title)}{hint}"
        if one.detail:
            yield f"  - its own words: {escaped(one.detail)}"
    if len(made.failed) > _MOST_FAILURES:
        yield f"- and {len(made.failed) - _MOST_FAILURES} more, in requests.csv"


def _cards(made: Outcome) -> Iterator[str]:
    if not made.cards:
        return
    yield "\n## Cards\n"
    yield from _table(
        ("card", "services", "VRAM before", "VRAM peak", "of", "°C mean", "°C peak", "W peak"),
        [
            (
                one.name,
                ", ".join(one.services) or "none of these",
                _bytes(one.vram_before_bytes),
                _bytes(one.vram_peak_bytes),
                _bytes(one.vram_total_bytes),
                _number(one.temperature_mean_celsius),
                _number(one.temperature_peak_celsius),
                _number(one.power_peak_watts),
            )
            for one in made.cards
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(escaped(cell) for cell in head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"


def _spread(one: Spread) -> tuple[str, ...]:
    return tuple(_number(getattr(one, name)) for name in _FIGURES)


def _number(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{value:.2f}"


def _bytes(value: int | None) -> str:
    return NOT_KNOWN if value is None else format_bytes(value)


def _requests(results: Sequence[Result]) -> str:
    fields = [name for name in Result.__struct_fields__ if name != "outputs"]
    return _csv(fields, [[_cell(getattr(one, name)) for name in fields] for one in results])


def _samples(samples: Sequence[Sample]) -> str:
    figures = ("used_bytes", "total_bytes", "temperature_celsius", "power_watts", "lost")
    rows = [
        [_cell(one.at), uuid, card.name, *(_cell(getattr(card, name)) for name in figures)]
        for one in samples
        for uuid, card in one.cards.items()
    ]
    return _csv(["at", "gpu_uuid", "name", *figures], rows)


def _csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _cell(value: object) -> str:
    """Give a figure for CSV; words of a service must not be a formula to whoever opens it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in {"=", "+", "-", "@"} else text
