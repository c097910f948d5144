"""Hosts in every state for the first steps of setup: with nothing on them, and with half of it."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.session import Session, open_session
from actions.setup.answers import answers_of
from actions.setup.course import Course
from actions.setup.report import StepReport
from console.simulator.scene import Scene
from tests.support.edits import EditHost, edit_host


class Place:
    """A rehearsal whose operator has no config.

    Attributes:
        host: the rehearsal.
        config: where the config will be.
        home: the operator's.
    """

    def __init__(self, host: EditHost, config: Path, home: Path) -> None:
        self.host = host
        self.config = config
        self.home = home

    def session(self) -> Session:
        """Open a session as the command line does."""
        return open_session(self.host.environ, str(self.config))

    def course(self, *, applies: bool = True, **answers: Any) -> Course:
        """Give a walk with answers, section by section."""
        return Course(self.session(), answers_of(answers), applies=applies)

    def look(self, step: str, **answers: Any) -> StepReport:
        """Give how a step stands; nothing is changed by it."""
        return self.course(applies=False, **answers).look(step)

    def do(self, step: str, **answers: Any) -> StepReport:
        """Do what a step proposes until it proposes nothing more."""
        course = self.course(**answers)
        found = course.look(step)
        for _ in range(4):
            if found.state != "needed" or not found.able:
                break
            found = course.do(step)
        return found


@contextlib.contextmanager
def place(
    folder: Path, scenario: str, change: Callable[[Scene], Scene] | None = None
) -> Iterator[Place]:
    """Have a rehearsal without a config for as long as the block lasts."""
    home = folder / "home"
    with edit_host(home, scenario=scenario, change=change) as host:
        config = host.places.config_home / "mine" / "config.toml"
        host.environ["HOME"] = str(home)
        yield Place(host, config, home)


@contextlib.contextmanager
def mounted_read_only(folder: Path) -> Iterator[None]:
    """Have a folder mounted read-only, which holds for root too; skips where that cannot be."""
    for words in (["--bind", str(folder), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
        done = subprocess.run(["mount", *words], capture_output=True, check=False)
        if done.returncode:
            subprocess.run(["umount", str(folder)], capture_output=True, check=False)
            pytest.skip("nothing may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)
