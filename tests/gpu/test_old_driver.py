"""A driver from before the functions that today's wrapper asks for first."""

from pathlib import Path

import pytest

from console.gpu.reader import GpuReader
from console.unknown import known
from tests.gpu.world import GIB, Host, big_card, table

# The simulated driver without what came later, and with what lists processes as R390 does.
OLD = """
from console.simulator.driver import library as today

LATER = {
    "nvmlInitWithFlags", "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses_v3",
}

class Old:
    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        if name in LATER:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def nvmlDeviceGetComputeRunningProcesses(self, handle, count, rows):
        if rows is None:
            count._obj.value = 2
            return 7
        assert [name for name, _ in rows[0]._fields_] == ["pid", "usedGpuMemory"]
        rows[0].pid, rows[0].usedGpuMemory = 41, 3 << 30
        rows[1].pid, rows[1].usedGpuMemory = 42, 5 << 30
        count._obj.value = 2
        return 0

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle, count, rows):
        count._obj.value = 0
        return 0

def library(environ):
    return Old(today(environ))
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "old.py"
    path.write_text(OLD)
    return path


def test_a_card_behind_an_old_driver_is_read_with_its_processes(
    host: Host, reader: GpuReader
) -> None:
    host.says(table(big_card()))
    snapshot = reader.read()
    assert snapshot.problem is None
    [card] = snapshot.gpus
    assert card.memory_total_bytes == 24 * GIB
    assert known(card.memory_used_bytes)
    assert known(card.processes)
    assert [(one.pid, one.used_bytes) for one in card.processes] == [(41, 3 * GIB), (42, 5 * GIB)]
