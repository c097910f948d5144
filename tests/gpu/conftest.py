"""The GPU door is tested against both simulated drivers: the Python object and the C library."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import console.simulator.driver
from console.clock import HeldClock
from console.gpu.reader import GpuReader
from tests.gpu.world import Host
from tests.native.build import build, compiler


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C twin of the simulated driver, built once."""
    if compiler() is None:
        pytest.skip("no C compiler: the C twin of the simulated driver cannot be built")
    return build(tmp_path_factory.mktemp("twin"))


@pytest.fixture(params=["python", "c"])
def library(request: pytest.FixtureRequest) -> Path:
    """Either simulated driver, as GPUCONSOLE_NVML_LIBRARY names it."""
    if request.param == "c":
        found: Path = request.getfixturevalue("twin")
        return found
    return Path(console.simulator.driver.__file__)


@pytest.fixture
def host(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose driver is not loaded until it `says` something."""
    found = Host(tmp_path, library)
    # The C library reads the process's own environment.
    monkeypatch.setenv("GPUCONSOLE_DRIVER_TABLE", str(found.table_path))
    return found


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(datetime(2026, 11, 22, 21, 0, tzinfo=UTC))


@pytest.fixture
def reader(host: Host, clock: HeldClock) -> Iterator[GpuReader]:
    found = GpuReader(clock, host.environ)
    yield found
    found.close()
