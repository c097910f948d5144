"""What fetching a model costs: beside `hf download`, which checks nothing, and with `sha256sum`.

The rehearsal hub serves one file of random bytes from a process of its own. Each program runs as
its user would start it, against an empty folder, one after the other in turns.
"""

import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from console.transfer.hashing import sha256_of
from tests.bench.report import OURS, Row
from tests.support.hub import HubProcess, hub_process

NAME = "model.safetensors"
HF = "hf download"
CHECKED = "hf download + sha256sum"
KILLED_AT = (0.25, 0.50, 0.75)

_MIB = 1024 * 1024
_PAUSE_SECONDS = 0.02


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """One way to have the file.

    Attributes:
        commands: one after the other; `{repo}` and `{folder}` stand for what they say.
        resumes: a run after a kill goes on with what is there.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    resumes: bool = False


_FETCH_HF = ("hf", "download", "{repo}", NAME, "--local-dir", "{folder}")
PULLS = (
    Pull(
        name=OURS,
        commands=(
            (
                *(sys.executable, "-m", "console", "models", "pull", f"hf:{{repo}}/{NAME}"),
                *("--folder", "vae", "--to", "{folder}", "--yes", "--wait", "--json"),
            ),
        ),
        resumes=True,
    ),
    Pull(name=HF, commands=(_FETCH_HF,)),
    Pull(name=CHECKED, commands=(_FETCH_HF, ("sha256sum", f"{{folder}}/{NAME}"))),
)


def rows(folder: Path, quick: bool) -> list[Row]:
    """Measure and give the rows of the table."""
    size, runs = (300_000_000, 3) if quick else (2_000_000_000, 7)
    shelf = folder / "shelf"
    shelf.mkdir()
    _random_file(shelf / NAME, size)
    with hub_process("--files", str(shelf)) as hub:
        scene = _Scene(folder / "downloads", hub, size)
        times, memory = _in_turns(scene, runs)
        again = {pull.name: float(_killed(scene, pull)) for pull in PULLS[:2]}
    whole = {name: statistics.median(seconds) for name, seconds in times.items()}
    title = f"{size / 1e9:g} GB from the hub"
    hf = whole[HF]
    return [
        Row(
            title=f"{title}: pulled (ours: and checked)",
            unit="s",
            values=whole,
            must=1.1 * hf,
            should=hf,
        ),
        Row(
            title=f"{title}: peak memory of all its processes",
            unit="MB",
            values={name: max(peaks) / 1e6 for name, peaks in memory.items()},
        ),
        Row(
            title=f"{title}: sent in all, killed at 25, 50 and 75 %",
            unit="MB",
            values={name: sent / 1e6 for name, sent in again.items()},
            must=(size + len(KILLED_AT) * 16 * _MIB) / 1e6,
        ),
        _checksum_rate(shelf / NAME, size, runs),
    ]


class _Scene:
    """A hub with the file, and a fresh home for each run."""

    def __init__(self, folder: Path, hub: HubProcess, size: int) -> None:
        self.folder = folder
        self.hub = hub
        self.size = size
        self.repo = str(hub.told["repo"])
        self.target = folder / "models"

    def clear(self) -> None:
        """Begin with nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.target.mkdir(parents=True)

    def environ(self) -> dict[str, str]:
        """Give what a run finds: the hub, and no home but the scene's."""
        home = str(self.folder)
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "LANG": "C.UTF-8",
            "HOME": home,
            "HF_HOME": f"{home}/hf",
            "XDG_STATE_HOME": f"{home}/state",
            "XDG_CONFIG_HOME": f"{home}/config",
            "XDG_RUNTIME_DIR": f"{home}/run",
            **self.hub.environ,
        }

    def start(self, pull: Pull, number: int = 0) -> subprocess.Popen[bytes]:
        """Start one of a way's commands."""
        filled = [part.format(repo=self.repo, folder=self.target) for part in pull.commands[number]]
        return subprocess.Popen(
            filled,
            env=self.environ(),
            cwd=Path(__file__).parents[2],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _in_turns(scene: _Scene, runs: int) -> tuple[dict[str, list[float]], dict[str, list[int]]]:
    times: dict[str, list[float]] = {pull.name: [] for pull in PULLS}
    memory: dict[str, list[int]] = {pull.name: [] for pull in PULLS}
    for _ in range(runs):
        for pull in PULLS:
            scene.clear()
            with _peak_memory(str(scene.folder)) as peak:
                began = time.perf_counter()
                for number in range(len(pull.commands)):
                    _must_work(scene.start(pull, number), pull)
                times[pull.name].append(time.perf_counter() - began)
            memory[pull.name].append(peak())
    return times, memory


def _killed(scene: _Scene, pull: Pull) -> int:
    """Kill a way of fetching at each of the shares, run it to its end, and give bytes sent."""
    scene.clear()
    before = scene.hub.bytes_served(NAME)
    for share in KILLED_AT:
        # One that goes on has the share when so much was sent in all; the other must start over.
        base = before if pull.resumes else scene.hub.bytes_served(NAME)
        process = scene.start(pull)
        while scene.hub.bytes_served(NAME) - base < share * scene.size and process.poll() is None:
            time.sleep(_PAUSE_SECONDS)
        for pid in _processes(str(scene.folder)):
            os.kill(pid, 9)
        process.wait()
    _must_work(scene.start(pull), pull)
    return scene.hub.bytes_served(NAME) - before


def _must_work(process: subprocess.Popen[bytes], pull: Pull) -> None:
    if process.wait() != 0:
        raise SystemExit(f"{pull.name} ended with {process.returncode}")


def _checksum_rate(file: Path, size: int, runs: int) -> Row:
    """Give MB a second over a file in memory."""

    def timed(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return size / (time.perf_counter() - began) / 1e6

    def outside(*command: str) -> Callable[[], object]:
        return lambda: subprocess.run([*command, str(file)], stdout=subprocess.DEVNULL, check=True)

    ways: Mapping[str, Callable[[], object]] = {
        OURS: lambda: sha256_of(file),
        "openssl dgst": outside("openssl", "dgst", "-sha256"),
        "sha256sum": outside("sha256sum"),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            rates[name].append(timed(way))
    return Row(
        title="sha256 of a file",
        unit="MB/s",
        values={name: statistics.median(rate) for name, rate in rates.items()},
    )


@contextmanager
def _peak_memory(home: str) -> Iterator[Callable[[], int]]:
    """Watch all processes of a home, the detached ones too; give the most they had at once."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            most[0] = max(most[0], sum(_memory(pid) for pid in _processes(home)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        watcher.join()


def _processes(home: str) -> list[int]:
    """Give the processes whose HOME it is."""
    mark, found = f"HOME={home}\0".encode(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                environ = b"\0" + (entry / "environ").read_bytes()
            except OSError:
                continue
            if b"\0" + mark in environ:
                found.append(int(entry.name))
    return found


def _memory(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024


def _random_file(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for start in range(0, size, _MIB):
            file.write(os.urandom(min(_MIB, size - start)))
