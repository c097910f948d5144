"""Fixtures: engines, a session on each, followers that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.logs.follower import LogFollower
from actions.session import Session, open_session
from tests.engine.conftest import fake_engine, socket_path
from tests.support.engine import Workbench, engine_address, own_engine, workbench

__all__ = ["engine_address", "fake_engine", "own_engine", "socket_path", "workbench"]

Follow = Callable[..., LogFollower]


@pytest.fixture
def session(workbench: Workbench, tmp_path: Path) -> Session:
    """Give a session on the real engine."""
    return session_at(workbench.address, tmp_path)


@pytest.fixture
def follow(session: Session) -> Iterator[Follow]:
    """Give what starts a follower on the real engine; all are stopped."""
    started: list[LogFollower] = []

    def begin(*containers: str, **how: Any) -> LogFollower:
        follower = LogFollower(how.pop("session", session), containers, **how)
        follower.start()
        started.append(follower)
        return follower

    yield begin
    for follower in started:
        follower.stop()
    assert all(follower.join(5) for follower in started)


def session_at(address: str, home: Path) -> Session:
    """Give a session on an engine, with nothing else of this host."""
    return open_session({"DOCKER_HOST": address, "HOME": str(home)})
