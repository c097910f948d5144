"""`make bench`: one table of what the console costs, beside its peers, against its budgets.

Every program sees the same two cards (the C twin of the driver, its figures moving once a second)
and the same real engine, in a pty of 120x40, one after the other, first screens interleaved. Three
of the containers are services whose servers answer.
Run with `--quick` for a shorter look, with `--downloads` for downloads only (which need no engine
and no root); `--markdown FILE` writes the table for the docs.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import downloads, logs
from tests.bench.measure import Figures, Program, first_screens, steady, wall_times
from tests.bench.programs import bare_app, console, peers
from tests.bench.report import Row, render
from tests.bench.scene import Mover, containers, environment, services
from tests.native.build import compiler
from tests.support.engine import PrivateEngine

COUNTS = (4, 50)


def main() -> int:
    """Measure everything and print the table; exit 1 where a budget that must hold does not."""
    options = _options()
    if compiler() is None and not options.downloads:
        raise SystemExit("make bench builds the C twin of the driver: install gcc")
    with tempfile.TemporaryDirectory(prefix="gpuconsole-bench.", dir="/tmp") as name:
        folder = Path(name)
        rows: list[Row] = []
        if not options.downloads:
            with _engine(folder) as address, services(folder):
                rows += _measure(folder, address, options.quick)
        rows += downloads.rows(folder, options.quick)
    text = render(rows)
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")
    return 1 if any(row.verdict == "over" for row in rows) else 0


@contextmanager
def _engine(folder: Path) -> Iterator[str]:
    """Give the address of the engine that GPUCONSOLE_TEST_ENGINE names, else of one of our own."""
    if address := os.environ.get("GPUCONSOLE_TEST_ENGINE"):
        yield address
        return
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if os.geteuid() != 0 or shutil.which("dockerd", path=path) is None:
        raise SystemExit(
            "make bench starts an engine of its own, which takes root and dockerd; "
            "or name one that nobody else uses: GPUCONSOLE_TEST_ENGINE=unix:///var/run/docker.sock"
        )
    engine = PrivateEngine(folder / "engine")
    engine.start()
    try:
        yield engine.address
    finally:
        engine.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, shorter looks")
    parser.add_argument("--downloads", action="store_true", help="only what downloads cost")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    return parser.parse_args()


def _measure(folder: Path, address: str, quick: bool) -> list[Row]:
    environ = environment(folder, address)
    runs, seconds = (3, 10.0) if quick else (9, 30.0)
    rows: list[Row] = []
    stopping = threading.Event()
    mover = Mover(Path(environ["GPUCONSOLE_DRIVER_TABLE"]))
    threading.Thread(target=_keep_moving, args=(mover, stopping), daemon=True).start()
    for count in COUNTS:
        with containers(address, count) as settled:
            ours, others = console(environ), [bare_app(environ), *peers(environ)]
            programs = [ours, *others] if count == COUNTS[0] else [ours]
            shown = first_screens(programs, runs)
            time.sleep(max(0.0, settled - time.monotonic()))
            figures = {program.name: steady(program, seconds) for program in programs}
            rows += _rows(count, programs, shown, figures)
            command = [sys.executable, "-m", "console", "status", "--json"]
            times = wall_times(command, environ, runs)
            rows.append(
                Row(
                    title=f"status --json, {count} containers",
                    unit="ms",
                    values={ours.name: 1000 * statistics.median(times)},
                    must=300 if count == COUNTS[0] else None,
                    should=200 if count == COUNTS[0] else None,
                )
            )
    rows += logs.rows(environ, address, quick)
    stopping.set()
    return rows


def _keep_moving(mover: Mover, stopping: threading.Event) -> None:
    while not stopping.wait(1.0):
        mover.step()


def _rows(
    count: int,
    programs: list[Program],
    shown: dict[str, tuple[float, float | None]],
    figures: dict[str, Figures],
) -> list[Row]:
    names = [program.name for program in programs]
    bare = shown.get("bare Textual", (None, None))[0]
    few = count == COUNTS[0]

    def row(title: str, unit: str, values: dict[str, float | None], **budget: float | None) -> Row:
        told = {name: value for name, value in values.items() if value is not None}
        return Row(title=f"{title}, {count} containers", unit=unit, values=told, **budget)

    screens: dict[str, float | None] = {name: 1000 * shown[name][0] for name in names}
    must = 1.3 * 1000 * bare if bare else None
    should = 1.1 * 1000 * bare if bare else None
    later = {name: 1000 * at for name in names if (at := shown[name][1]) is not None}
    return [
        row("first screen with live VRAM", "ms", screens, must=must, should=should),
        row("containers on it, after that", "ms", {**later}, must=400, should=200),
        row(
            "CPU, steady, of one core",
            "%",
            {name: figures[name].processor_percent for name in names},
            must=1.0 if few else 1.3,
            should=0.6 if few else None,
        ),
        row(
            "bytes to the terminal, steady",
            "B/s",
            {name: figures[name].bytes_per_second for name in names},
            must=1500,
            should=600,
        ),
        row(
            "memory (PSS)",
            "MB",
            {name: figures[name].memory_bytes / 1e6 for name in names},
            must=60,
            should=45,
        ),
        row(
            "key press to changed screen, p50",
            "ms",
            {name: _ms(figures[name].key_p50) for name in names},
        ),
        row(
            "key press to changed screen, p95",
            "ms",
            {name: _ms(figures[name].key_p95) for name in names},
            must=50,
            should=30,
        ),
    ]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    raise SystemExit(main())
