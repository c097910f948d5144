"""Fixtures: held rehearsals, and the SDK's client on them."""

from collections.abc import Iterator

import pytest
from docker.api.client import APIClient

from console.simulator.held import HeldRehearsal, held_rehearsal
from tests.rehearsal.support import FLAVOURS, workbench_scene


@pytest.fixture
def studio() -> Iterator[HeldRehearsal]:
    """Give the default scene, held still."""
    with held_rehearsal("studio") as host:
        yield host


@pytest.fixture
def sdk(studio: HeldRehearsal) -> Iterator[APIClient]:
    """Give the SDK's low-level client on the default scene."""
    client = APIClient(studio.address, version="auto", timeout=10)
    yield client
    client.close()


@pytest.fixture(params=FLAVOURS)
def bench(request: pytest.FixtureRequest) -> Iterator[HeldRehearsal]:
    """Give an engine without containers, in each flavour."""
    with held_rehearsal(workbench_scene(request.param)) as host:
        yield host
