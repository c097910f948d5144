"""A GPU host on a real engine of its own, one for each test.

The engine is nobody else's: another test's containers would be discovered as services, and count.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.layouts.bench import Bench, bench_on
from tests.support.engine import PrivateEngine, Workbench, needed, own_engine

__all__ = ["own_engine"]


@pytest.fixture(scope="session")
def private_address() -> Iterator[str]:
    """Give the address of an engine that only these tests use, with the image that they need."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if shutil.which("dockerd", path=path) is None:
        needed("services in real containers need a dockerd of the test's own")
    engine = PrivateEngine(Path("/tmp") / f"gpuconsole-{uuid.uuid4().hex[:8]}")
    try:
        engine.start()
        with Workbench(engine.address):
            yield engine.address
    finally:
        engine.remove()


@pytest.fixture
def new_bench(tmp_path: Path, private_address: str) -> Iterator[Callable[..., Bench]]:
    """Give a maker of hosts, one a test."""
    with ExitStack() as stack:
        yield lambda compose="v5", wsl=False: stack.enter_context(
            bench_on(tmp_path, private_address, compose, wsl=wsl)
        )


@pytest.fixture
def bench(new_bench: Callable[..., Bench]) -> Bench:
    """Give a host of native Linux with the newest compose."""
    return new_bench()
