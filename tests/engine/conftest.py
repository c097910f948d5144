"""Fixtures for the engine door: real engines, private ones, and one of nothing but answers."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.clock import SystemClock
from tests.support.engine import Workbench, engine_address, find_engine, own_engine, workbench
from tests.support.fake_engine import FakeEngine

__all__ = ["engine_address", "own_engine", "workbench"]


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """Give a path short enough for a socket, in a folder that goes with the test."""
    folder = Path("/tmp") / f"gpuconsole-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    yield folder / "docker.sock"
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()


@pytest.fixture
def fake_engine(socket_path: Path) -> Iterator[FakeEngine]:
    """Give an engine of nothing but answers."""
    with FakeEngine(socket_path) as engine:
        yield engine


@pytest.fixture(
    params=[pytest.param("real", marks=pytest.mark.engine), "rehearsal-20.10", "rehearsal-29"]
)
def any_engine(request: pytest.FixtureRequest, socket_path: Path) -> Iterator[Workbench]:
    """Give a workbench on each kind of engine: what holds for one has to hold for all."""
    kind: str = request.param
    if kind == "real":
        with Workbench(find_engine()) as bench:
            yield bench
        return
    from console.simulator.held import engine_on
    from tests.rehearsal.support import workbench_scene

    scene = workbench_scene(kind.removeprefix("rehearsal-"))
    with (
        engine_on(scene, socket_path, SystemClock()),
        Workbench(f"unix://{socket_path}") as bench,
    ):
        yield bench
