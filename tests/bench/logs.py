"""What logs cost: opening 100 000 lines, searching them, following 2 000 lines a second.

Beside `docker logs`, `grep` and `less`, as far as they are installed. Opening is the way from the
engine into a book that can be shown and searched; `less` shows the end of what docker writes to it.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from actions.logs.book import LogBook
from actions.logs.follower import LogFollower
from actions.session import open_session
from tests.bench.report import OURS, Row
from tests.support.engine import Workbench
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

LINES = 100_000
_WORDS = "INFO:comfy.sampler:step of a log with about a hundred characters, as programs write them"
_WRITES = f"busybox seq 1 {LINES} | busybox sed 's/^/{_WORDS} number /'"
_NEEDLE = "number 99999"
# Twenty-five lines and a pause that takes about 12 ms with its process.
_TALKS = f"while true; do busybox seq 1 25 | busybox sed 's/^/{_WORDS} number /'; usleep 9000; done"


def rows(environ: Mapping[str, str], address: str, quick: bool) -> list[Row]:
    """Measure on the engine at `address`; medians of a few runs, seconds of following."""
    runs, seconds = (3, 4.0) if quick else (7, 10.0)
    with Workbench(address) as bench, tempfile.TemporaryDirectory() as name:
        container = bench.run("log-many", ["sh", "-c", _WRITES])
        bench.api.wait(container)
        file = Path(name) / "log"
        file.write_bytes(bench.api.logs(container))
        measured = [
            _opening(environ, container, runs),
            _searching(environ, container, file, runs),
        ]
        talker = bench.run("log-talker", ["sh", "-c", _TALKS])
        return [*measured, _following(environ, talker, seconds)]


def _opening(environ: Mapping[str, str], container: str, runs: int) -> Row:
    values = {OURS: _median(lambda: _opened(environ, container), runs)}
    if docker := shutil.which("docker"):
        values["docker logs"] = _median(lambda: _wall([docker, "logs", container], environ), runs)
        if shutil.which("less"):
            command = ["sh", "-c", f"docker logs {container} | less +G"]
            values["less"] = _median(lambda: _shown(command, environ), runs)
    return Row(title="open 100 000 lines", unit="ms", values=values, must=1000, should=700)


def _searching(environ: Mapping[str, str], container: str, file: Path, runs: int) -> Row:
    book = _read(environ, container)
    values = {OURS: _median(lambda: _timed(lambda: book.search(_NEEDLE)), runs)}
    if grep := shutil.which("grep"):
        values["grep"] = _median(lambda: _wall([grep, "-ic", _NEEDLE, str(file)], environ), runs)
    if less := shutil.which("less"):
        command = [less, "-i", "-p", _NEEDLE, str(file)]
        values["less"] = _median(lambda: _shown(command, environ), runs)
    return Row(title="search 100 000 lines", unit="ms", values=values, must=200, should=50)


def _following(environ: Mapping[str, str], container: str, seconds: float) -> Row:
    ours = [sys.executable, "-m", "console", "logs", "--follow", "--tail", "1", container]
    values = {OURS: _processor(ours, environ, seconds)}
    if docker := shutil.which("docker"):
        command = [docker, "logs", "--follow", "--tail", "1", container]
        values["docker logs"] = _processor(command, environ, seconds)
    return Row(
        title="follow 2 000 lines/s, CPU of one core", unit="%", values=values, must=15, should=8
    )


def _read(environ: Mapping[str, str], container: str) -> LogBook:
    """Read a container's whole log into a book."""
    follower = LogFollower(open_session(environ), [container], follow=False)
    follower.start()
    wait_until(lambda: follower.state == "ended" and len(follower.book) >= LINES, 60)
    follower.stop()
    return follower.book


def _opened(environ: Mapping[str, str], container: str) -> float:
    return _timed(lambda: _read(environ, container))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def _wall(command: Sequence[str], environ: Mapping[str, str]) -> float:
    return _timed(
        lambda: subprocess.run(
            list(command), env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    )


def _shown(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Give the milliseconds until a pager shows the last lines' number."""
    with Terminal(command, {**environ, "LESSHISTFILE": "-"}) as terminal:
        return 1000 * terminal.wait_for(b"9999[0-9]")


def _processor(command: Sequence[str], environ: Mapping[str, str], seconds: float) -> float:
    """Give the percent of one core that a command takes while it follows."""
    process = subprocess.Popen(
        list(command), env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(2)
        before, began = _used(process.pid), time.perf_counter()
        time.sleep(seconds)
        return 100 * (_used(process.pid) - before) / (time.perf_counter() - began)
    finally:
        process.kill()
        process.wait()


def _used(pid: int) -> float:
    """Give the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _median(measure: Callable[[], float], runs: int) -> float:
    return statistics.median(measure() for _ in range(runs))
