"""A GPU host on a real engine, one for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.layouts.bench import Bench, bench_on
from tests.support.engine import engine_address, own_engine, workbench

__all__ = ["engine_address", "own_engine", "workbench"]


@pytest.fixture
def new_bench(
    tmp_path: Path, workbench: object, engine_address: str
) -> Iterator[Callable[..., Bench]]:
    """Give a maker of hosts; the workbench has seen to the image."""
    assert workbench is not None
    with ExitStack() as stack:
        yield lambda compose="v5", wsl=False: stack.enter_context(
            bench_on(tmp_path, engine_address, compose, wsl=wsl)
        )


@pytest.fixture
def bench(new_bench: Callable[..., Bench]) -> Bench:
    """Give a host of native Linux with the newest compose."""
    return new_bench()
