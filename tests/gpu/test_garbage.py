"""A driver that gives nonsense is not believed, and what it says besides is."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clock import HeldClock
from console.gpu.processes import believe_processes
from console.gpu.reader import GpuReader
from console.gpu.readings import MEMORY_SLACK, believe_text, memory_fields, within
from console.gpu.snapshot import GpuProcess
from console.unknown import Unknown, known
from tests.gpu.world import BIG, GIB, LAPTOP, Host, big_card, laptop_card, process, table

HUGE = 2**64 - 1


@pytest.mark.parametrize(
    ("facts", "blank"),
    [
        ({"utilization": 101}, ["utilization_percent"]),
        ({"memory_utilization": 4_294_967_295}, ["memory_utilization_percent"]),
        ({"temperature": 511}, ["temperature_celsius"]),
        ({"power_mw": 4_294_967_295}, ["power_watts"]),
        ({"power_limit_mw": 0}, ["power_limit_watts"]),
        ({"clock_graphics": 99_999}, ["clock_graphics_mhz"]),
        ({"clock_memory": 4_294_967_295}, ["clock_memory_mhz"]),
        ({"fan": 400}, ["fan_percent"]),
        ({"throttle": HUGE}, ["throttle_reasons"]),
        ({"pcie_generation": 77}, ["pcie_generation"]),
        ({"pcie_width": 0}, ["pcie_width"]),
        ({"ecc": 7}, ["ecc_mode"]),
        ({"ecc_errors": HUGE}, ["ecc_errors"]),
        ({"pstate": 19}, ["performance_state"]),
        ({"name": "\x1b\x07"}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "RTX \udcff\udcfe"}, ["name"]),
        ({"pci_bus_id": "nowhere"}, ["pci_bus_id"]),
        ({"memory_used": 25 * GIB}, ["memory_used_bytes", "memory_free_bytes"]),
        ({"memory_free": HUGE}, ["memory_used_bytes", "memory_free_bytes"]),
        ({"memory_used": HUGE}, ["memory_used_bytes", "memory_free_bytes"]),
        (
            {"memory_total": HUGE},
            ["memory_total_bytes", "memory_used_bytes", "memory_free_bytes"],
        ),
        ({"processes": (process(4_294_967_295, 5),)}, ["processes"]),
    ],
)
def test_nonsense_blanks_what_it_touches(
    host: Host, reader: GpuReader, facts: dict[str, Any], blank: list[str]
) -> None:
    host.says(table(big_card(**facts)))
    [gpu] = reader.read().gpus
    assert gpu.uuid == BIG
    assert gpu.lost is None
    for field in gpu.__struct_fields__:
        value = getattr(gpu, field)
        assert isinstance(value, Unknown) == (field in blank), field
        if field in blank:
            assert value.code == "nvml.nonsense"


@pytest.mark.parametrize("uuid", ["GPU-\x1b[2J", "", "GPU-\udcff", None, "GPU-a b"])
def test_a_card_without_a_readable_uuid_goes_by_its_index(
    host: Host, reader: GpuReader, uuid: str | None
) -> None:
    host.says(table(laptop_card(), big_card(uuid=uuid)))
    laptop, big = reader.read().gpus
    assert laptop.uuid == LAPTOP
    assert (big.uuid, big.index, big.lost) == ("index-1", 1, None)
    assert big.memory_used_bytes == 20 * GIB


def test_two_cards_that_claim_one_uuid_are_still_two(host: Host, reader: GpuReader) -> None:
    host.says(table(big_card(), big_card(temperature=40)))
    gpus = reader.read().gpus
    assert [gpu.uuid for gpu in gpus] == [BIG, "index-1"]
    assert [gpu.temperature_celsius for gpu in gpus] == [71, 40]


def test_a_process_with_more_memory_than_the_card(host: Host, reader: GpuReader) -> None:
    host.says(table(big_card(processes=(process(7, 2**63), process(8, GIB)))))
    [gpu] = reader.read().gpus
    assert known(gpu.processes)
    wrong, right = gpu.processes
    assert isinstance(wrong.used_bytes, Unknown)
    assert wrong.used_bytes.code == "nvml.nonsense"
    assert right.used_bytes == GIB


LYING = """
from pathlib import Path
from console.simulator.driver import SimulatedLibrary

class Lying(SimulatedLibrary):
    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle, count, rows):
        first = rows is None
        count._obj.value = {first} if first else {second}
        return 7 if first else 0

def library(environ):
    return Lying(Path(environ["GPUCONSOLE_DRIVER_TABLE"]))
"""


@pytest.mark.parametrize(("first", "second"), [(500_000_000, 1), (2, 500_000_000)])
def test_a_count_of_processes_beyond_belief_takes_no_memory(
    tmp_path: Path, clock: HeldClock, first: int, second: int
) -> None:
    path = tmp_path / "lying.py"
    path.write_text(LYING.format(first=first, second=second))
    host = Host(tmp_path, path)
    host.says(table(big_card()))
    reader = GpuReader(clock, host.environ)
    [gpu] = reader.read().gpus
    assert isinstance(gpu.processes, Unknown)
    assert gpu.processes.code == "nvml.nonsense"
    assert gpu.memory_used_bytes == 20 * GIB
    reader.close()


def test_versions_are_cleaned(host: Host, reader: GpuReader) -> None:
    host.says(table(driver_version="580\x1b[31m.97", nvml_version="\udcff", cuda_version=2**31 - 1))
    driver = reader.read().driver
    assert known(driver)
    assert driver.version == "580.97"
    for value in (driver.nvml_version, driver.cuda_version):
        assert isinstance(value, Unknown)
        assert value.code == "nvml.nonsense"


COUNTS = st.integers(0, 2**64 - 1) | st.integers(0, 2**40)


@given(COUNTS, COUNTS, COUNTS)
def test_memory_figures_that_are_given_agree(total: int, used: int, free: int) -> None:
    shown_total, shown_used, shown_free = memory_fields(total, used, free)
    assert shown_total in (total, memory_fields(0, 0, 0)[0])
    if known(shown_used):
        assert (shown_total, shown_used, shown_free) == (total, used, free)
        assert 0 <= used <= total
        assert 0 <= free <= total
        assert used + free <= total * MEMORY_SLACK
    else:
        assert not known(shown_free)


@given(st.integers(1, 2**45), st.data())
def test_memory_figures_that_agree_are_given(total: int, data: st.DataObject) -> None:
    used = data.draw(st.integers(0, total))
    free = data.draw(st.integers(0, total - used))
    assert memory_fields(total, used, free) == (total, used, free)


@given(st.integers())
def test_a_percentage_is_a_percentage(value: int) -> None:
    shown = within(value, 0, 100)
    assert known(shown) == (value in range(101))


@given(st.text() | st.binary())
def test_a_drivers_text_is_one_clean_line_or_nonsense(text: str | bytes) -> None:
    shown = believe_text(text)
    if known(shown):
        assert shown
        assert not {unicodedata.category(sign) for sign in shown} & {"Cc", "Cs", "Zl", "Zp"}
        assert len(shown) <= 128


@given(st.lists(st.integers(0, 2**64 - 1)), st.integers(1, 2**45))
def test_no_process_is_shown_with_more_than_the_card(used: list[int], total: int) -> None:
    rows = tuple(
        GpuProcess(pid=at, name="x", used_bytes=bytes_, kind="compute", container_id=None)
        for at, bytes_ in enumerate(used)
    )
    shown = believe_processes(rows, total)
    assert known(shown)
    assert [row.pid for row in shown] == list(range(len(used)))
    for row, told in zip(shown, used, strict=True):
        assert row.used_bytes == told if told <= total else not known(row.used_bytes)
