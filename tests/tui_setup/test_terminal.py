"""Setup in a real tmux of 80x24: the line drops while files come, and it goes on from there."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
import pytest

from actions.operations import Operations
from actions.session import open_session
from actions.setup.answers import Answers
from actions.setup.course import Course
from console.simulator.scene import Scene
from console.store.edits import EditRecords
from tests.support.fresh import FreshHost, fresh_host
from tests.support.program import ROOT
from tests.support.waiting import wait_until

# Thirteen steps in two programs: an overloaded machine may take its time over each.
pytestmark = [pytest.mark.terminal, pytest.mark.timeout(600)]

PATIENCE = 90.0
STEP = re.compile(r"Guided setup\s+(\d+) of (\d+)")
BUTTON = re.compile(r"▸\[ (.+?) \]")


class Tmux:
    """A tmux server of this test alone, with one terminal of 80x24 at a time."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "tmux"

    def run(self, *arguments: str) -> str:
        """Run a tmux command."""
        command = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout

    def open(self, environ: Mapping[str, str], *arguments: str) -> None:
        """Open a terminal in which the program runs."""
        variables = [f"{key}={value}" for key, value in environ.items()]
        program = [sys.executable, "-m", "console", *arguments]
        line = ["env", "-i", *variables, f"PYTHONPATH={ROOT}", "TERM=tmux-256color", *program]
        self.run("new-session", "-d", "-s", "one", "-x", "80", "-y", "24", shlex.join(line))

    def text(self) -> str:
        """Give what stands on the terminal."""
        return self.run("capture-pane", "-p", "-t", "one")

    def press(self, *keys: str) -> None:
        """Press keys, by their names."""
        self.run("send-keys", "-t", "one", *keys)

    def see(self, *words: str) -> str:
        """Wait until any of some words stand on the terminal; gives all that does then."""

        return self.until(lambda text: any(word in text for word in words))

    def until(self, good: Callable[[str], object]) -> str:
        """Wait until what stands on the terminal is as wanted; gives all of it."""

        def look() -> str:
            text = self.text()
            return text if good(text) else ""

        try:
            return wait_until(look, PATIENCE)
        except AssertionError:
            raise AssertionError(f"it never came:\n{self.text()}") from None

    def drop(self) -> None:
        """Take the terminal away, as a line that drops does."""
        self.run("kill-session", "-t", "one")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux here")
    made = Tmux(tmp_path)
    yield made
    made.run("kill-server")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[FreshHost]:
    def slow(scene: Scene) -> Scene:
        return msgspec.structs.replace(scene, hub=msgspec.structs.replace(scene.hub, rate="20 MB"))

    with fresh_host(tmp_path / "home", change=slow) as host:
        yield host


def number(text: str) -> int:
    """Give the number of the step that is shown."""
    found = STEP.search(text)
    return int(found[1]) if found else 0


def button(text: str) -> str:
    """Give what stands on the button; while something is looked at or done there is none."""
    found = BUTTON.search(text)
    return found[1] if found else ""


def place(text: str) -> tuple[int, str]:
    """Give which step is shown, and the button that is offered."""
    return number(text), button(text)


def another(before: tuple[int, str], text: str) -> bool:
    """Tell whether a button is offered that is not the one that was pressed last."""
    return bool(button(text)) and place(text) != before


def walk(tmux: Tmux, until: str) -> str:
    """Press Enter until a title is shown with a button; gives the screen then."""
    before = (0, "")
    for _ in range(80):
        text = tmux.until(partial(another, before))
        if until in text.splitlines()[0]:
            return text
        assert button(text) != "Check again", text
        before = place(text)
        tmux.press("Enter")
    raise AssertionError(f"{until} was not reached:\n{tmux.text()}")


def test_a_line_that_drops_while_files_come_costs_nothing(bare: FreshHost, tmux: Tmux) -> None:
    # As if it had been answered before: 8188 may be another test's.
    course = Course(open_session(bare.environ), Answers(), applies=True)
    course.answer("comfyui.port", str(bare.port))
    tmux.open(bare.environ)
    tmux.see("Set this host up now")
    tmux.press("Enter")
    text = walk(tmux, "Model files")
    at = number(text)
    tmux.press("Enter")
    tmux.see("left", "%")
    tmux.drop()
    operations = Operations(open_session(bare.environ), "test")
    assert [one.plan.verb for one in operations.running()] in (["pull"], [])

    tmux.open(bare.environ, "setup")
    text = tmux.see("Model files")
    assert number(text) == at
    tmux.see("are here")
    text = walk(tmux, "Keep it running")
    assert number(text) == int(STEP.search(text)[2])  # type: ignore[index]
    tmux.press("b")
    tmux.see("outside")
    tmux.press("Enter")
    tmux.see("Keep it running")
    tmux.see("▸[ Finish", "▸[ Show what it writes")
    session = open_session(bare.environ)
    (edit,) = EditRecords(session.store).find()
    assert edit.state == "done"
    assert len([one for one in Operations(session, "test").jobs(everything=True)
                if one.verb == "pull"]) == 1  # fmt: skip
    tmux.press("Enter")
    tmux.see("This host is set up")
    tmux.press("Escape", "Escape")
    tmux.see("setup goes on here")
