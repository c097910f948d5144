"""Sessions with places of their own and a held clock, and pictures of a host as time goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.session import Session
from console.clock import HeldClock
from console.config.load import load
from console.paths import find_places
from tests.support.edits import EditHost, edit_host
from tests.support.snapshots import NOW

MakeSession = Callable[..., Session]


@pytest.fixture
def clock() -> HeldClock:
    """Give a clock that stands at the time of the hand-made pictures."""
    return HeldClock(NOW)


@pytest.fixture
def make_session(tmp_path: Path, clock: HeldClock) -> MakeSession:
    """Give what makes sessions of one user; each as a process of its own would."""

    def make(config: str = "", home: Path | None = None) -> Session:
        home = home or tmp_path / "home"
        home.mkdir(exist_ok=True)
        environ = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock",
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
            "GPUCONSOLE_ROOT": str(tmp_path / "root"),
        }
        places = find_places(environ)
        if config:
            places.config_file.parent.mkdir(parents=True, exist_ok=True)
            places.config_file.write_text(config)
        return Session(
            config=load(places.config_file),
            places=places,
            clock=clock,
            environ=environ,
            read_only=False,
        )

    return make


@pytest.fixture
def host(tmp_path: Path) -> Iterator[EditHost]:
    """Give a rehearsal of the studio whose services are soon there."""
    with edit_host(tmp_path / "operator", scenario="studio") as one:
        yield one
