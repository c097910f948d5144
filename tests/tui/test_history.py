"""Histories advance by whole columns and never show an unknown moment as zero."""

from itertools import pairwise

import msgspec
import pytest

from console.gpu.snapshot import GpuSnapshot
from screens.tui.history import LEAST_STEP_SECONDS, History
from tests.support.snapshots import NOT_SUPPORTED, gpu, gpu_snapshot

CARD = gpu(0, total=16, used=4, utilization_percent=50)


def reading(at: float, used: float | None = 4, card: int = 0) -> GpuSnapshot:
    made = gpu(card, total=16, used=used or 0, utilization_percent=50)
    if used is None:
        made = msgspec.structs.replace(made, memory_used_bytes=NOT_SUPPORTED)
    return gpu_snapshot(made, taken_monotonic=at)


def fed(*readings: GpuSnapshot) -> History:
    history = History()
    for item in readings:
        history.feed(item)
    return history


def test_before_the_first_reading_there_is_nothing() -> None:
    assert fed(gpu_snapshot(taken_monotonic=None)).columns(CARD.uuid, "memory", 20) == ()


def test_the_first_reading_shows_at_once() -> None:
    assert fed(reading(1_000)).columns(CARD.uuid, "memory", 20) == (0.25,)


def test_a_column_is_the_mean_of_its_time_and_then_never_changes() -> None:
    history = fed(*(reading(1_005 + second, used=second % 15) for second in range(40)))
    before = history.columns(CARD.uuid, "memory", 20)
    history.feed(reading(1_045, used=16))
    assert history.columns(CARD.uuid, "memory", 20)[: len(before)] == before
    assert before[0] == pytest.approx(sum(range(15)) / 15 / 16)


def test_a_new_column_comes_every_few_seconds_only() -> None:
    history = History()
    seen: list[tuple[float | None, ...]] = []
    for second in range(120):
        history.feed(reading(1_000 + second, used=second % 16))
        seen.append(history.columns(CARD.uuid, "memory", 30))
    changes = sum(1 for one, other in pairwise(seen) if one != other)
    assert changes <= 120 / LEAST_STEP_SECONDS + 12


def test_a_gap_is_unknown_not_zero() -> None:
    history = fed(reading(1_000), reading(1_050), reading(1_070, used=None), reading(1_085))
    columns = history.columns(CARD.uuid, "memory", 20)
    assert 0 not in columns
    assert None in columns


def test_the_same_reading_counts_once_and_a_lost_card_is_forgotten() -> None:
    history = fed(reading(1_000), reading(1_000, used=16))
    assert history.columns(CARD.uuid, "memory", 20) == (0.25,)
    history.feed(reading(1_001, card=1))
    assert history.columns(CARD.uuid, "memory", 20) == ()


@pytest.mark.parametrize("width", [10, 22, 42, 100])
def test_a_history_shows_at_least_five_minutes(width: int) -> None:
    assert History.minutes(width) >= 5
