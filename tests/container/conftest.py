"""The console with an open container, whose answers and log a test holds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.snapshot import HostSnapshot
from screens.tui.application import Console
from tests.container.stand_ins import Answers, details, story
from tests.support import hosts
from tests.support.snapshots import ident
from tests.tui.conftest import make_session, script, utc
from tests.tui.stand_ins import Script, StillLive

__all__ = ["script", "utc"]

MakeConsole = Callable[..., Console]


@pytest.fixture
def answers() -> Iterator[Answers]:
    given = Answers()
    given.prepared = story()
    yield given
    given.hold.set()


@pytest.fixture
def make_app(tmp_path: Path, script: Script, answers: Answers) -> MakeConsole:
    """Give a maker of consoles on a studio whose second Forge crash-loops."""

    def make(snapshot: HostSnapshot | None = None, read_only: bool = False) -> Console:
        session = make_session(tmp_path, "", read_only, {})
        host = snapshot or hosts.crash_loop()
        known = {one.id: one for one in host.engine.containers}
        if answers.made is None:
            fallback = known[ident("myia-turbo")]
            answers.made = lambda wanted: details(known.get(wanted, fallback))
        return Console(session, StillLive(host), lambda: script, answers)

    return make
