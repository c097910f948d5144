"""One step of setup at a time, on a rehearsal that has a config of its own."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from actions.session import Session, open_session
from actions.setup.answers import answers_of
from actions.setup.course import Course
from actions.setup.report import Ask, StepReport
from console.simulator.scene import Scene
from tests.support.edits import COMFY, EditHost, edit_host


class Walk:
    """The rehearsal, and whoever sets it up.

    Attributes:
        host: the rehearsal.
        url: its public address; empty where it has none.
        config: the config, which the person may write.
    """

    def __init__(self, host: EditHost) -> None:
        self.host = host
        session = host.session()
        self.config = session.places.config_file
        self.url = session.settings.services[COMFY].public_url

    def session(self) -> Session:
        """Open a session as the command line does."""
        return open_session(self.host.environ)

    def course(self, **answers: dict[str, Any]) -> Course:
        """Give a walk with answers, section by section."""
        return Course(self.session(), answers_of(answers), applies=True)

    def look(self, step: str, **answers: dict[str, Any]) -> StepReport:
        """Give how a step stands, with these answers."""
        return self.course(**answers).look(step)

    def do(self, step: str, **answers: dict[str, Any]) -> StepReport:
        """Do what a step proposes, once."""
        course = self.course(**answers)
        course.look(step)
        return course.do(step)

    def forget_address(self) -> None:
        """Take the public addresses out of the config, as before anybody named one."""
        text = self.config.read_text()
        self.config.write_text(re.sub(r"^public_url = .*\n", "", text, flags=re.MULTILINE))


def asked(report: StepReport, key: str) -> Ask:
    """Give the question of a step about one answer."""
    (found,) = [one for one in report.asks if one.key == key]
    return found


@contextlib.contextmanager
def walk(
    home: Path, scenario: str, change: Callable[[Scene], Scene] | None = None
) -> Iterator[Walk]:
    """Have a rehearsal for as long as the block lasts."""
    with edit_host(home, scenario=scenario, change=change) as host:
        yield Walk(host)
