"""CPU and memory of containers: from two samples, in turn, and holding nothing up."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clock import SystemClock
from console.engine.usage import Sample, UsageSampler, read_sample, usage_between
from console.unknown import Unknown
from tests.engine.test_parse import json_like
from tests.support.engine import endpoint_at
from tests.support.fake_engine import FakeEngine, encoded
from tests.support.waiting import wait_until

GIB = 1 << 30


def stats(second: int, cpu_seconds: float, **memory: Any) -> dict[str, Any]:
    return {
        "read": f"2026-11-22T21:00:{second:02}.000000000Z",
        "cpu_stats": {"cpu_usage": {"total_usage": int(cpu_seconds * 1e9)}},
        "memory_stats": memory or {"usage": 3 * GIB, "limit": 16 * GIB, "stats": {}},
    }


def sample(second: int, cpu_seconds: float, **memory: Any) -> Sample:
    read = read_sample(stats(second, cpu_seconds, **memory))
    assert read is not None
    return read


def test_processor_time_is_told_from_two_samples_in_percent_of_a_core() -> None:
    usage = usage_between(sample(0, 10), sample(5, 20), 1.0, 64 * GIB)
    assert usage.cpu_percent == 200.0
    assert isinstance(usage_between(None, sample(5, 20), 1.0, 64 * GIB).cpu_percent, Unknown)


def test_a_restart_between_two_samples_gives_no_figure() -> None:
    assert isinstance(usage_between(sample(0, 10), sample(5, 1), 1, GIB).cpu_percent, Unknown)
    assert isinstance(usage_between(sample(5, 1), sample(5, 2), 1, GIB).cpu_percent, Unknown)


@pytest.mark.parametrize(
    ("details", "used"),
    [
        ({"inactive_file": GIB}, 2 * GIB),
        ({"total_inactive_file": GIB, "inactive_file": 2 * GIB}, 2 * GIB),
        ({"inactive_file": 9 * GIB}, 3 * GIB),
        ({}, 3 * GIB),
    ],
)
def test_page_cache_is_not_memory_in_use(details: dict[str, int], used: int) -> None:
    told = sample(0, 1, usage=3 * GIB, limit=16 * GIB, stats=details)
    assert told.memory_bytes == used


def test_the_hosts_memory_is_no_limit_of_its_own() -> None:
    now = sample(0, 1, usage=1, limit=16 * GIB)
    assert usage_between(None, now, 1, 64 * GIB).memory_limit_bytes == 16 * GIB
    assert isinstance(usage_between(None, now, 1, 16 * GIB).memory_limit_bytes, Unknown)


def test_a_stopped_container_has_no_usage() -> None:
    zero = {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}
    assert read_sample(zero) is None
    assert read_sample({}) is None


@given(st.dictionaries(st.sampled_from(["read", "cpu_stats", "memory_stats"]), json_like))
def test_no_answer_makes_it_fail(told: dict[str, Any]) -> None:
    read = read_sample(told)
    if read is not None:
        usage_between(read, read, 1.0, GIB)


@pytest.fixture
def sampler(fake_engine: FakeEngine) -> Iterator[UsageSampler]:
    made = UsageSampler(endpoint_at(fake_engine.address), SystemClock(), interval=0.4)
    made.start()
    yield made
    made.stop()
    assert made.join(3)


def serve(engine: FakeEngine, number: int) -> str:
    container_id = engine.add(number, f"c{number}")
    seconds = iter(range(59))

    def answer() -> tuple[int, bytes]:
        second = next(seconds)
        return 200, encoded(stats(second, second * 0.5))

    engine.overrides[f"/containers/{container_id}/stats"] = answer
    return container_id


def test_only_what_is_watched_is_sampled_and_spread_over_the_interval(
    fake_engine: FakeEngine, sampler: UsageSampler
) -> None:
    ids = [serve(fake_engine, number) for number in range(1, 5)]
    sampler.watch(ids[:3])
    wait_until(lambda: all(
        not isinstance(found.cpu_percent, Unknown) for found in sampler.usage().values()
    ) and len(sampler.usage()) == 3)  # fmt: skip
    assert {found.cpu_percent for found in sampler.usage().values()} == {50.0}
    assert fake_engine.count(f"GET /containers/{ids[3]}") == 0
    asked = fake_engine.count("GET /containers/")
    threading.Event().wait(0.8)
    assert fake_engine.count("GET /containers/") - asked <= 8
    assert fake_engine.connections == 1


def test_what_is_not_watched_any_more_is_forgotten(
    fake_engine: FakeEngine, sampler: UsageSampler
) -> None:
    ids = [serve(fake_engine, number) for number in (1, 2)]
    sampler.watch(ids)
    wait_until(lambda: len(sampler.usage()) == 2)
    sampler.watch(ids[1:])
    assert set(sampler.usage()) == {ids[1]}
    sampler.watch([])
    assert sampler.usage() == {}


def test_a_stalling_sample_holds_nothing_up_and_figures_grow_old(
    fake_engine: FakeEngine, sampler: UsageSampler
) -> None:
    stalling = serve(fake_engine, 1)
    sampler.watch([stalling])
    wait_until(sampler.usage)
    fake_engine.slow[f"/containers/{stalling}/stats"] = 60
    asked = fake_engine.count("GET /containers/")
    wait_until(lambda: fake_engine.count("GET /containers/") > asked)
    began = time.monotonic()
    taken = sampler.usage()[stalling].taken_monotonic
    sampler.watch([stalling])
    assert sampler.usage()[stalling].taken_monotonic == taken
    sampler.stop()
    assert time.monotonic() - began < 0.2


def test_a_container_that_ended_loses_its_figures(
    fake_engine: FakeEngine, sampler: UsageSampler
) -> None:
    container_id = serve(fake_engine, 1)
    sampler.watch([container_id])
    wait_until(sampler.usage)
    fake_engine.overrides[f"/containers/{container_id}/stats"] = lambda: (200, encoded({}))
    wait_until(lambda: sampler.usage() == {})


def test_an_engine_that_is_away_is_not_asked_at_full_pace(
    fake_engine: FakeEngine, sampler: UsageSampler
) -> None:
    container_id = serve(fake_engine, 1)
    fake_engine.overrides[f"/containers/{container_id}/stats"] = lambda: (500, b"{}")
    sampler.watch([container_id])
    wait_until(lambda: fake_engine.count(f"GET /containers/{container_id}/stats"))
    threading.Event().wait(1)
    assert fake_engine.count(f"GET /containers/{container_id}/stats") == 1
