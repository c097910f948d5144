"""A real engine, containers that go away again, and sessions with places of their own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.operations import Operations
from actions.session import Session, open_session
from tests.support.engine import Workbench, engine_address, workbench

__all__ = ["engine_address", "workbench"]

# A shell that ends at once when it is asked to, as a well-behaved service does.
POLITE = ("sh", "-c", "trap 'exit 0' TERM; sleep 10000 & wait")
# PID 1 without a handler: the kernel drops its SIGTERM, so a stop takes the whole grace.
DEAF = ("sleep", "10000")


class Containers:
    """Makes containers on the real engine; they go when the test is over."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.client = bench.api

    def make(
        self,
        command: tuple[str, ...] = POLITE,
        *,
        name: str = "plans-a",
        running: bool = True,
        **settings: Any,
    ) -> str:
        """Create a container, started unless told otherwise; gives its name."""
        make = self._bench.run if running else self._bench.create
        make(name, command, **settings)
        return self._bench.prefix + name

    def state(self, name: str) -> str:
        """Give a container's state as the engine says it."""
        return str(self.client.inspect_container(name)["State"]["Status"])

    def ident(self, name: str) -> str:
        """Give a container's full id."""
        return str(self.client.inspect_container(name)["Id"])


@pytest.fixture
def containers(workbench: Workbench) -> Containers:
    """Give a maker of containers."""
    return Containers(workbench)


@pytest.fixture
def environ(tmp_path: Path, engine_address: str) -> dict[str, str]:
    """Give the environment of a user of this test alone."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "DOCKER_HOST": engine_address,
        "SSH_CONNECTION": "10.0.0.5 50000 10.0.0.1 22",
    }


@pytest.fixture
def new_session(environ: dict[str, str]) -> Iterator[Callable[..., Session]]:
    """Give a maker of sessions, each like a console of its own of the same user."""
    made: list[Session] = []

    def make(read_only: bool = False, **changed: str) -> Session:
        session = open_session({**environ, **changed}, read_only=read_only)
        made.append(session)
        return session

    yield make
    for session in made:
        session.store.close()


@pytest.fixture
def operations(new_session: Callable[..., Session]) -> Operations:
    """Give the operations of one console."""
    return Operations(new_session(), via="tui")
