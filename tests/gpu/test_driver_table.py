"""A scene writes the driver table; whatever it wrote, the drivers read back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.simulator.driver_table import (
    CardTable,
    DriverTable,
    TableError,
    TableProcess,
    parse_table,
    render_table,
    write_table,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
COUNTS = st.integers(0, 2**64 - 1)
FUNCTIONS = st.from_regex(r"\Anvml[A-Za-z_0-9]{1,20}\Z|\A\*\Z|\Ainit\Z")
ERRORS = st.from_regex(r"\A[A-Z][A-Z_]{0,20}\Z")
LISTS = {
    "faults": st.dictionaries(FUNCTIONS, ERRORS, max_size=3),
    "hangs": st.dictionaries(FUNCTIONS, st.floats(0, 1e6), max_size=3),
}
PROCESSES = st.lists(
    st.builds(
        TableProcess,
        st.integers(0, 2**32 - 1),
        st.sampled_from(["compute", "graphics"]),
        st.none() | COUNTS,
    ),
    max_size=4,
).map(tuple)
CARDS = st.builds(
    CardTable,
    uuid=st.none() | TEXTS,
    name=st.none() | TEXTS,
    pci_bus_id=st.none() | TEXTS,
    memory_total=st.none() | COUNTS,
    memory_used=st.none() | COUNTS,
    throttle=st.none() | COUNTS,
    fan=st.none() | st.integers(0, 100),
    processes=PROCESSES,
    **LISTS,
)
TABLES = st.builds(
    DriverTable,
    driver_version=st.none() | TEXTS,
    cuda_version=st.none() | st.integers(0, 20000),
    flavour=st.sampled_from(["wsl", "native"]),
    cards=st.lists(CARDS, max_size=4).map(tuple),
    **LISTS,
)


@given(TABLES)
def test_what_was_written_is_what_is_read(table: DriverTable) -> None:
    text = render_table(table)
    assert parse_table(text) == table
    assert text.isascii()


def test_the_lines_people_write_by_hand() -> None:
    table = parse_table(
        """
        # two cards
        driver_version 580.97
        flavour wsl
        fault init DRIVER_NOT_LOADED
        gpu 0 name NVIDIA GeForce RTX 3090
        gpu 0 throttle 0x4
        gpu 0 fan -
        gpu 0 process 1234 compute -
        gpu 0 fault * GPU_IS_LOST
        gpu 0 hang nvmlDeviceGetMemoryInfo 30
        """
    )
    assert table.driver_version == "580.97"
    assert table.faults == {"init": "DRIVER_NOT_LOADED"}
    [card] = table.cards
    assert card.name == "NVIDIA GeForce RTX 3090"
    assert (card.throttle, card.fan, card.uuid) == (4, None, None)
    assert card.processes == (TableProcess(1234, "compute", None),)
    assert card.faults == {"*": "GPU_IS_LOST"}
    assert card.hangs == {"nvmlDeviceGetMemoryInfo": 30.0}


@pytest.mark.parametrize(
    "line",
    ["nonsense 1", "gpu 0 nonsense 1", "gpu 0 fan fast", "gpu 1 fan 40", "flavour mac", "gpu"],
)
def test_a_line_that_makes_no_sense_is_named(line: str) -> None:
    with pytest.raises(TableError):
        parse_table(line)


def test_a_table_is_put_in_place_whole(tmp_path: Path) -> None:
    path = tmp_path / "driver.table"
    write_table(path, DriverTable(driver_version="1"))
    before = path.stat().st_ino
    write_table(path, DriverTable(driver_version="2"))
    assert parse_table(path.read_text()).driver_version == "2"
    assert path.stat().st_ino != before
    assert [item.name for item in tmp_path.iterdir()] == ["driver.table"]
