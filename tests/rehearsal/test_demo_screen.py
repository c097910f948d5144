"""`gpuconsole demo` on a terminal: the screen opens on the rehearsal, and both go together."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
CONSOLE = [sys.executable, "-m", "console", "demo"]

pytestmark = pytest.mark.terminal


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Path]:
    """Give a runtime directory short enough for sockets."""
    folder = Path("/tmp") / f"gcs-{os.getpid()}-{tmp_path.name[-24:]}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def on_terminal(runtime: Path, *args: str) -> Terminal:
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(runtime),
        "LANG": "C.UTF-8",
    }
    return Terminal([*CONSOLE, *args], environ, 80, 24)


def processes_of(folder: Path) -> list[str]:
    """Name the processes that were started for a rehearsal in `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
        except OSError:
            continue
        if str(folder).encode() in line:
            found.append(entry.name)
    return found


@pytest.mark.parametrize("how", ["q", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_the_screen_shows_the_scene_and_nothing_stays(runtime: Path, how: str) -> None:
    with on_terminal(runtime) as terminal:
        terminal.wait_for(rb"3090")
        terminal.wait_for(rb"comfyui-qwen")
        assert len(processes_of(runtime)) == 1
        if how == "q":
            terminal.press(b"q", 0.1)
        else:
            os.kill(terminal.pid, signal.Signals[how])
        terminal.wait_for_end()
    wait_until(lambda: list(runtime.iterdir()) == [])
    wait_until(lambda: processes_of(runtime) == [])


def test_the_screen_says_that_it_is_a_rehearsal(runtime: Path) -> None:
    with on_terminal(runtime, "--scenario", "crash-loop") as terminal:
        terminal.wait_for(rb"REHEARSAL")
        terminal.wait_for(rb"crash-loop")


def test_ctrl_c_reaches_the_command_once_and_its_answer_counts(runtime: Path) -> None:
    script = 'trap "echo got; exit 3" INT; echo up; sleep 60 & wait'
    with on_terminal(runtime, "--", "sh", "-c", script) as terminal:
        terminal.wait_for(rb"up")
        terminal.press(b"\x03", 0.1)
        assert terminal.wait_for_end() == 3
        assert bytes(terminal.output).count(b"got") == 1
    wait_until(lambda: list(runtime.iterdir()) == [])
