"""The sampler's thread reads; whatever the driver does, nobody who asks the sampler waits."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from console.clock import Clock, HeldClock, SystemClock
from console.gpu.once import read_once
from console.gpu.sampler import GpuSampler
from console.unknown import known
from tests.gpu.world import BIG, GIB, LAPTOP, Host, big_card, laptop_card, table
from tests.support.waiting import wait_until

Begin = Callable[..., GpuSampler]
FOREVER = 300.0


@pytest.fixture
def begin(host: Host) -> Iterator[Begin]:
    """Starts samplers, which are stopped at the end."""
    samplers: list[GpuSampler] = []

    def start(clock: Clock | None = None, **options: object) -> GpuSampler:
        options = {"interval": 0.02, **options}
        sampler = GpuSampler(clock or SystemClock(), host.environ, **options)  # type: ignore[arg-type]
        samplers.append(sampler)
        sampler.start()
        return sampler

    yield start
    for sampler in samplers:
        sampler.stop()


def has_read(sampler: GpuSampler) -> bool:
    return sampler.snapshot().taken_at is not None


def test_readings_follow_the_cards_and_are_announced(host: Host, begin: Begin) -> None:
    host.says(table())
    changed = threading.Event()
    sampler = begin(on_change=changed.set)
    assert changed.wait(5)
    assert [gpu.uuid for gpu in sampler.snapshot().gpus] == [LAPTOP, BIG]
    assert not sampler.is_stale()
    host.says(table(big_card(memory_used=GIB), laptop_card()))
    wait_until(lambda: sampler.snapshot().gpus[0].memory_used_bytes == GIB)


def test_before_the_first_reading_nothing_is_claimed(host: Host) -> None:
    sampler = GpuSampler(SystemClock(), host.environ)
    snapshot = sampler.snapshot()
    assert snapshot.gpus == ()
    assert snapshot.taken_at is None
    assert not known(snapshot.driver)
    assert sampler.age() is None
    assert not sampler.is_stale()


def test_age_and_staleness_go_by_the_clock(host: Host, begin: Begin, clock: HeldClock) -> None:
    """The next reading is due after the interval; 3 s later the last one is stale."""
    host.says(table())
    sampler = begin(clock, interval=60.0)
    wait_until(lambda: has_read(sampler))
    assert sampler.age() == 0
    clock.advance(62.9)
    assert sampler.age() == pytest.approx(62.9)
    assert not sampler.is_stale()
    assert sampler.snapshot().problem is None
    clock.advance(0.2)
    assert sampler.is_stale()


def test_a_hanging_driver_is_stale_and_its_last_readings_stay(
    host: Host, begin: Begin, clock: HeldClock
) -> None:
    host.says(table())
    sampler = begin(clock, interval=0.01)
    wait_until(lambda: has_read(sampler))
    host.says(table(laptop_card(), big_card(hangs={"nvmlDeviceGetMemoryInfo": FOREVER})))
    # The clock is held, so once readings cease their age grows by what we advance, no more.
    wait_until(lambda: _advance_until_stale(sampler, clock))
    stale = sampler.snapshot()
    assert [gpu.uuid for gpu in stale.gpus] == [LAPTOP, BIG]
    assert stale.gpus[1].memory_used_bytes == 20 * GIB
    assert stale.problem is not None
    assert stale.problem.code == "gpu.stale"
    assert " s" in stale.problem.title
    age = sampler.age()
    assert age is not None
    assert age > 3
    begun = time.monotonic()
    sampler.stop()
    sampler.snapshot()
    assert time.monotonic() - begun < 0.1


def _advance_until_stale(sampler: GpuSampler, clock: HeldClock) -> bool:
    clock.advance(0.5)
    return sampler.is_stale()


def test_a_driver_that_hangs_in_its_first_call_is_stale_too(
    host: Host, begin: Begin, clock: HeldClock
) -> None:
    host.says(table(hangs={"init": FOREVER}))
    sampler = begin(clock, interval=1.0)
    clock.advance(3.9)
    assert not sampler.is_stale()
    clock.advance(0.2)
    assert sampler.is_stale()
    snapshot = sampler.snapshot()
    assert snapshot.gpus == ()
    assert snapshot.problem is not None
    assert snapshot.problem.title == "the driver has not answered for 4 s"
    begun = time.monotonic()
    sampler.stop()
    assert time.monotonic() - begun < 0.1


def test_a_driver_that_answers_again_is_fresh_again(
    host: Host, begin: Begin, clock: HeldClock
) -> None:
    host.says(table(laptop_card(hangs={"nvmlDeviceGetName": 0.3})))
    sampler = begin(clock, interval=0.01)
    clock.advance(5)
    assert sampler.is_stale()
    wait_until(lambda: has_read(sampler))
    assert not sampler.is_stale()
    assert sampler.snapshot().problem is None


def test_a_hanging_driver_does_not_hold_up_the_end_of_the_program(host: Host) -> None:
    """The interpreter ends though a thread of it is inside the driver."""
    host.says(table(hangs={"nvmlDeviceGetCount": FOREVER}))
    program = (
        "import os, sys\n"
        "from console.clock import SystemClock\n"
        "from console.gpu.sampler import GpuSampler\n"
        "sampler = GpuSampler(SystemClock(), os.environ, interval=0.1)\n"
        "sampler.start()\n"
        "import pynvml\n"
        "while getattr(pynvml, 'nvmlLib', None) is None: pass\n"
        "sampler.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**host.environ, "PYTHONPATH": ":".join(sys.path)},
        timeout=20,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_wrapper_is_not_imported_before_it_is_needed() -> None:
    program = "import sys, console.gpu.sampler; print('pynvml' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


def test_losing_a_card_and_getting_it_back_while_running(host: Host, begin: Begin) -> None:
    host.says(table())
    sampler = begin()
    wait_until(lambda: len(sampler.snapshot().gpus) == 2)
    host.says(table(laptop_card(temperature=33), big_card(faults={"*": "GPU_IS_LOST"})))
    wait_until(lambda: sampler.snapshot().gpus[1].lost is not None)
    wait_until(lambda: sampler.snapshot().gpus[0].temperature_celsius == 33)
    host.says(table())
    wait_until(lambda: sampler.snapshot().gpus[1].lost is None)
    assert sampler.snapshot().gpus[1].memory_used_bytes == 20 * GIB


def test_a_driver_that_is_loaded_later_is_picked_up(host: Host, begin: Begin) -> None:
    sampler = begin()
    wait_until(lambda: has_read(sampler))
    problem = sampler.snapshot().problem
    assert problem is not None
    assert problem.code == "nvml.driver-not-loaded"
    host.says(table())
    wait_until(lambda: len(sampler.snapshot().gpus) == 2, seconds=10)
    assert sampler.snapshot().problem is None


def test_a_fault_of_our_own_is_shown_and_reading_goes_on(
    host: Host, begin: Begin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host.says(table())
    sampler = begin()
    wait_until(lambda: len(sampler.snapshot().gpus) == 2)
    with monkeypatch.context() as patch:
        patch.setattr("console.gpu.reader.GpuReader._pass", lambda *_: 1 / 0)
        wait_until(lambda: sampler.snapshot().problem is not None)
        problem = sampler.snapshot().problem
        assert problem is not None
        assert problem.code == "gpu.reader-failed"
    wait_until(lambda: sampler.snapshot().problem is None)
    assert "ZeroDivisionError" in caplog.text


def test_a_sampler_can_be_started_again(host: Host, begin: Begin) -> None:
    host.says(table())
    sampler = begin()
    wait_until(lambda: has_read(sampler))
    sampler.stop()
    assert not sampler.is_stale()
    taken = sampler.snapshot().taken_monotonic
    sampler.start()
    sampler.start()
    wait_until(lambda: sampler.snapshot().taken_monotonic != taken)


def test_a_reading_that_ends_after_the_stop_is_not_published(host: Host, begin: Begin) -> None:
    host.says(table(hangs={"init": 0.3}))
    announced = threading.Event()
    sampler = begin(on_change=announced.set)
    [thread] = [found for found in threading.enumerate() if found.name == "gpu"][-1:]
    sampler.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert not announced.is_set()
    assert sampler.snapshot().taken_at is None


def test_one_reading_without_a_sampler(host: Host) -> None:
    host.says(table())
    snapshot = read_once(SystemClock(), host.environ)
    assert [gpu.uuid for gpu in snapshot.gpus] == [LAPTOP, BIG]
    assert snapshot.problem is None


def test_one_reading_of_a_hanging_driver_ends_at_its_deadline(host: Host) -> None:
    host.says(table(hangs={"nvmlDeviceGetCount": FOREVER}))
    begun = time.monotonic()
    snapshot = read_once(SystemClock(), host.environ, seconds=0.2)
    assert time.monotonic() - begun < 2
    assert snapshot.gpus == ()
    assert snapshot.problem is not None
    assert snapshot.problem.code == "gpu.stale"
