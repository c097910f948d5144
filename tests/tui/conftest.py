"""The console on a host that stands still, at a held moment, in UTC."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.session import Session, open_session
from actions.snapshot import HostSnapshot
from console.clock import HeldClock
from screens.tui.application import Console
from screens.tui.models.source import ModelSource
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui.stand_ins import Script, StillLive

MakeApp = Callable[..., Console]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """People see local time; in these tests local is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True, scope="session")
def quick_waits() -> Iterator[None]:
    """Look every 3 ms instead of every 20 whether a console is idle after a key was pressed.

    What a test waits for beyond that, such as a thread, it waits for by `until`.
    """
    from textual import _wait

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_wait, "SLEEP_GRANULARITY", 0.003)
        patch.setattr(_wait, "SLEEP_IDLE", 0.0005)
        yield


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def make_app(tmp_path: Path, script: Script) -> MakeApp:
    """Give a maker of consoles: a host, and settings as lines of the config."""

    def make(
        snapshot: HostSnapshot | None = None,
        config: str = "",
        read_only: bool = False,
        environ: dict[str, str] | None = None,
        models: ModelSource | None = None,
    ) -> Console:
        session = make_session(tmp_path, config, read_only, environ or {})
        live = StillLive(snapshot or hosts.healthy())
        return Console(session, live, lambda: script, models=models)

    return make


def make_session(folder: Path, config: str, read_only: bool, environ: dict[str, str]) -> Session:
    places = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    places["DOCKER_HOST"] = f"unix://{folder}/no-engine.sock"
    if config:
        path = folder / "config.toml"
        path.write_text(config, encoding="utf-8")
        return open_session({**places, **environ}, str(path), read_only, HeldClock(NOW))
    return open_session({**places, **environ}, None, read_only, HeldClock(NOW))
