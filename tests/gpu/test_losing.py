"""A card falls off the bus, a driver is unloaded or updated: it is shown, and picked up again."""

import pytest

from console.clock import HeldClock
from console.gpu.reader import GpuReader
from console.gpu.snapshot import Gpu
from console.unknown import Unknown, known
from tests.gpu.world import BIG, GIB, LAPTOP, Host, big_card, laptop_card, table

LOST = {"*": "GPU_IS_LOST"}


def code(value: object) -> str:
    assert isinstance(value, Unknown)
    return value.code


def assert_row_without_readings(gpu: Gpu, reason: str) -> None:
    """A row that says who the card is and nothing of what it does."""
    assert gpu.name == "NVIDIA GeForce RTX 3090"
    assert gpu.memory_total_bytes == 24 * GIB
    assert code(gpu.lost) == reason
    for value in (gpu.memory_used_bytes, gpu.temperature_celsius, gpu.processes):
        assert code(value) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("GPU_IS_LOST", "nvml.gpu-lost"),
        ("RESET_REQUIRED", "nvml.reset-required"),
        ("UNKNOWN", "nvml.unknown-error"),
        ("OPERATING_SYSTEM", "nvml.os-blocked"),
    ],
)
def test_a_card_lost_while_running_keeps_its_row_and_comes_back(
    host: Host, reader: GpuReader, clock: HeldClock, error: str, reason: str
) -> None:
    host.says(table())
    before = reader.read().gpus
    host.says(table(laptop_card(), big_card(faults={"*": error})))
    clock.advance(1)
    snapshot = reader.read()
    assert snapshot.problem is None
    laptop, big = snapshot.gpus
    assert laptop == before[0]
    assert big.uuid == BIG
    assert_row_without_readings(big, reason)
    host.says(table())
    clock.advance(1)
    assert reader.read().gpus == before


def test_a_card_that_stays_lost_survives_new_initialisations(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    host.says(table())
    before = reader.read().gpus
    host.says(table(laptop_card(), big_card(faults=LOST)))
    for _ in range(60):
        clock.advance(5)
        laptop, big = reader.read().gpus
        assert laptop.lost is None
        assert (big.uuid, big.index) == (BIG, 1)
        assert_row_without_readings(big, "nvml.gpu-lost")
    host.says(table())
    clock.advance(1)
    assert reader.read().gpus == before


def test_a_card_lost_from_the_start_has_a_row_and_gets_its_name_later(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    host.says(table(laptop_card(), big_card(faults=LOST)))
    laptop, big = reader.read().gpus
    assert (laptop.uuid, laptop.cuda_ordinal) == (LAPTOP, 0)
    assert (big.uuid, big.index) == ("index-1", 1)
    assert code(big.lost) == "nvml.gpu-lost"
    assert code(big.name) == "nvml.gpu-lost"
    host.says(table())
    clock.advance(1)
    snapshot = reader.read()
    assert [gpu.uuid for gpu in snapshot.gpus] == [LAPTOP, BIG]
    assert [gpu.cuda_ordinal for gpu in snapshot.gpus] == [1, 0]
    assert [gpu.lost for gpu in snapshot.gpus] == [None, None]


def test_a_card_that_the_driver_no_longer_lists_keeps_its_row(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    host.says(table())
    reader.read()
    host.says(table(laptop_card()))
    clock.advance(1)
    laptop, big = reader.read().gpus
    assert (laptop.uuid, laptop.lost, laptop.cuda_ordinal) == (LAPTOP, None, 0)
    assert big.uuid == BIG
    assert_row_without_readings(big, "nvml.gpu-lost")
    host.says(table())
    clock.advance(1)
    assert all(gpu.lost is None for gpu in reader.read().gpus)


@pytest.mark.parametrize(
    "error", ["UNINITIALIZED", "DRIVER_NOT_LOADED", "LIB_RM_VERSION_MISMATCH", "UNKNOWN"]
)
def test_a_driver_that_goes_and_returns_is_picked_up(
    host: Host, reader: GpuReader, clock: HeldClock, error: str
) -> None:
    host.says(table())
    before = reader.read()
    host.says(table(faults={"*": error, "init": error}))
    clock.advance(1)
    gone = reader.read()
    assert gone.problem is not None
    assert gone.driver == gone.problem
    assert_row_without_readings(gone.gpus[1], gone.problem.code)
    for _ in range(10):
        clock.advance(1)
        assert reader.read().problem == gone.problem
    host.says(table())
    clock.advance(5)
    again = reader.read()
    assert again.problem is None
    assert again.gpus == before.gpus
    assert again.driver == before.driver


def test_a_driver_that_was_reloaded_between_two_readings_is_not_even_noticed(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    """Every handle is void, the driver says `UNINITIALIZED`: it is initialised in the same pass."""
    host.says(table())
    before = reader.read()
    host.says(table(faults={"init": "DRIVER_NOT_LOADED"}))
    other = GpuReader(clock, host.environ)
    assert other.read().problem is not None  # ends the connection for everyone in the process
    host.says(table(driver_version="591.10"))
    clock.advance(1)
    after = reader.read()
    assert after.problem is None
    assert after.gpus == before.gpus
    assert known(after.driver)
    assert after.driver.version == "591.10"


def test_a_driver_that_stays_away_is_asked_with_patience(
    host: Host, reader: GpuReader, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []
    read_cards = reader._read_cards

    def counted(now: float) -> None:
        tries.append(now)
        read_cards(now)

    monkeypatch.setattr(reader, "_read_cards", counted)
    for _ in range(30):
        reader.read()
        clock.advance(1)
    assert 6 <= len(tries) <= 10
