"""The C twin offers what the Python driver offers, and what other programs look for besides."""

import ctypes
import shutil
from pathlib import Path

import pynvml
import pytest

from console.simulator.driver import INITS
from console.simulator.driver_answers import CARD_ANSWERS, DRIVER_ANSWERS
from console.simulator.driver_table import write_table
from tests.gpu.world import BIG, LAPTOP, table


def test_every_function_of_the_python_driver_is_there(twin: Path) -> None:
    library = ctypes.CDLL(str(twin))
    wanted = {*INITS, "nvmlShutdown", "nvmlErrorString", *CARD_ANSWERS, *DRIVER_ANSWERS}
    assert {name for name in wanted if not hasattr(library, name)} == set()


def test_what_other_monitors_ask_for(
    twin: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Handles by UUID and bus id, the index of a handle, and a plain no for what it lacks."""
    path = tmp_path / "driver.table"
    write_table(path, table())
    monkeypatch.setenv("GPUCONSOLE_DRIVER_TABLE", str(path))
    # A copy of its own, which no reader of another test has initialised.
    own = str(shutil.copy(twin, tmp_path / "own.so"))
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(own))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    pynvml.nvmlInit()
    by_uuid = pynvml.nvmlDeviceGetHandleByUUID(BIG)
    by_bus = pynvml.nvmlDeviceGetHandleByPciBusId("00000000:01:00.0")
    assert pynvml.nvmlDeviceGetIndex(by_uuid) == 1
    assert pynvml.nvmlDeviceGetUUID(by_bus) == LAPTOP
    with pytest.raises(pynvml.NVMLError, match="Not Supported"):
        pynvml.nvmlDeviceGetPersistenceMode(by_uuid)
    pynvml.nvmlShutdown()
    with pytest.raises(pynvml.NVMLError, match="Uninitialized"):
        pynvml.nvmlDeviceGetIndex(by_uuid)
