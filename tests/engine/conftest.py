"""Fixtures for the engine door: real engines, private ones, and one of nothing but answers."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import engine_address, own_engine, workbench
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
