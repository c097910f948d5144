"""Consoles on hosts that are to be set up, with the keys and eyes of who does it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from actions.operations import Operations
from actions.session import Session, open_session
from actions.setup.report import StepReport
from actions.status import read_status
from screens.tui.application import Console
from screens.tui.setup.flow import setup_flow
from screens.tui.setup.walk import Walk
from tests.support.edits import EditHost, edit_host
from tests.tui.conftest import quick_waits, utc
from tests.tui.seeing import seen, until
from tests.tui.stand_ins import StillLive

__all__ = ["quick_waits", "utc"]

PATIENCE = 60.0
"""Seconds that anything may take on a machine that has much else to do."""


def make_console(session: Session) -> Console:
    """Make a console on a host as it is now."""
    return Console(session, StillLive(read_status(session)), lambda: Operations(session, "tui"))


def walk_of(app: Console) -> Walk:
    """Give the thread of an application's setup."""
    return setup_flow(app).walk


def report_of(app: Console) -> StepReport:
    """Give how the step that is shown stands."""
    report = walk_of(app).report
    assert report is not None, seen(app)
    return report


async def settled(pilot: Pilot[int]) -> StepReport:
    """Wait until the step that is shown was looked at and nothing is under way."""
    app = pilot.app
    assert isinstance(app, Console)
    walk = walk_of(app)
    await until(pilot, lambda: walk.idle and (walk.report or walk.problem), PATIENCE)
    await pilot.pause()
    return report_of(app)


class Unset:
    """A host with containers and models, whose operator has a config without any of it.

    Attributes:
        host: the rehearsal.
        config: their config.
    """

    def __init__(self, host: EditHost, home: Path) -> None:
        self.host = host
        self.config = home / "mine.toml"
        self.config.write_text(f'[paths]\noutputs = "{host.outputs}"\n')

    def session(self, **settings: object) -> Session:
        """Open a session with their config."""
        return open_session(self.host.environ, str(self.config), **settings)  # type: ignore[arg-type]

    def console(self, **settings: object) -> Console:
        """Make a console on it."""
        return make_console(self.session(**settings))


@pytest.fixture
def unset(tmp_path: Path) -> Iterator[Unset]:
    """Give such a host, of this test alone."""
    with edit_host(tmp_path / "home") as host:
        yield Unset(host, tmp_path)
