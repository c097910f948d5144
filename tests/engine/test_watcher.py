"""The watcher tells the truth about an engine that is well, slow, broken, or away for a while."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.clock import HeldClock, SystemClock
from console.engine.snapshot import Container, EngineSnapshot
from console.engine.watcher import EngineWatcher
from console.unknown import Unknown
from tests.support.engine import endpoint_at
from tests.support.fake_engine import RUNNING, FakeEngine
from tests.support.waiting import wait_until

T0 = 1_790_000_000_000_000_000
SECOND = 1_000_000_000
Watch = Callable[..., EngineWatcher]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Give a maker of watchers; they are stopped in the end, and their threads have to end."""
    made: list[EngineWatcher] = []

    def make(engine: FakeEngine | str, **settings: Any) -> EngineWatcher:
        address = engine if isinstance(engine, str) else engine.address
        watcher = EngineWatcher(endpoint_at(address), SystemClock(), **settings)
        made.append(watcher)
        watcher.start()
        return watcher

    yield make
    for watcher in made:
        watcher.stop()
        assert watcher.join(5)


def one(watcher: EngineWatcher, name: str = "myia") -> Container:
    return next(found for found in watcher.snapshot().containers if found.name == name)


def complete(watcher: EngineWatcher) -> bool:
    containers = watcher.snapshot().containers
    return bool(containers) and all(not isinstance(c.gpu, Unknown) for c in containers)


def test_a_list_is_published_before_any_inspect_is_answered(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    fake_engine.slow[f"/containers/{container_id}/json"] = 60
    watcher = watch(fake_engine)
    wait_until(lambda: watcher.snapshot().state == "connected")
    snapshot = watcher.snapshot()
    assert snapshot.containers[0].state == "running"
    assert isinstance(snapshot.containers[0].gpu, Unknown)
    assert (snapshot.version, snapshot.api_version) == ("20.10.24", "1.41")
    assert snapshot.endpoint_source == "DOCKER_HOST"


def test_three_hundred_containers_cost_one_inspect_each_and_polls_cost_one_list(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    for number in range(1, 301):
        fake_engine.add(number, f"c{number:03}", Status="running" if number % 2 else "exited")
    published: list[EngineSnapshot] = []
    watcher: EngineWatcher = watch(
        fake_engine,
        poll_seconds=0.1,
        on_change=lambda: published.append(watcher.snapshot()),
    )
    wait_until(lambda: complete(watcher), 20)
    polled = fake_engine.count("GET /containers/json")
    wait_until(lambda: fake_engine.count("GET /containers/json") >= polled + 5)
    assert fake_engine.count("GET /containers/") - fake_engine.count("GET /containers/json") == 300
    assert fake_engine.count("GET /events") == 1
    assert len(published) < 30
    first_running = next(s for s in published if any(c.gpu for c in s.containers))
    inspected = [c.state for c in first_running.containers if not isinstance(c.gpu, Unknown)]
    assert inspected.count("running") >= inspected.count("exited")


def test_an_event_changes_one_container_with_one_inspect(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    fake_engine.add(2, "other")
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    before, other = fake_engine.count("GET /containers/"), one(watcher, "other").revision
    fake_engine.details[container_id]["State"] = {
        **RUNNING, "Status": "exited", "ExitCode": 137, "Pid": 0,
        "FinishedAt": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    fake_engine.tell("kill", container_id, T0, signal="15")
    fake_engine.tell("die", container_id, T0 + SECOND, exitCode="137")
    wait_until(lambda: one(watcher).state == "exited")
    assert one(watcher).exit_code == 137
    assert one(watcher).status.startswith("Exited (137)")
    assert one(watcher, "other").revision == other
    wait_until(lambda: watcher.snapshot().events)
    snapshot = watcher.snapshot()
    assert [event.action for event in snapshot.events] == ["die", "kill"]
    assert snapshot.asked_to_stop == {container_id}
    assert fake_engine.count("GET /containers/") == before + 1


def test_health_checks_and_unknown_events_wake_nobody(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    before = fake_engine.count("GET /containers/")
    for number in range(20):
        fake_engine.tell("exec_create: /bin/sh -c true", container_id, T0 + number)
        fake_engine.tell("exec_die", container_id, T0 + number)
    fake_engine.tell("health_status: unhealthy", container_id, T0 + SECOND)
    wait_until(lambda: watcher.snapshot().events)
    assert [event.action for event in watcher.snapshot().events] == ["health_status: unhealthy"]
    wait_until(lambda: fake_engine.count("GET /containers/") == before + 1)


def test_flapping_ten_times_a_second_is_bounded_and_its_last_state_is_seen(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    changes: list[float] = []
    watcher = watch(fake_engine, on_change=lambda: changes.append(time.monotonic()))
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    before, published = fake_engine.count("GET /containers/"), len(changes)
    began = time.monotonic()
    pause = threading.Event()
    for number in range(20):
        fake_engine.details[container_id]["RestartCount"] = number + 1
        fake_engine.tell("die", container_id, T0 + number * SECOND // 10, exitCode="2")
        fake_engine.tell("start", container_id, T0 + number * SECOND // 10 + 1)
        pause.wait(0.1)
    took = time.monotonic() - began
    wait_until(lambda: one(watcher).restart_count == 20)
    assert fake_engine.count("GET /containers/") - before <= took * 2 + 3
    assert len(changes) - published <= took * 5 + 6
    wait_until(lambda: len(watcher.snapshot().events) == 40)


def test_containers_that_come_and_go_are_picked_up_and_dropped(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    first = fake_engine.add(1, "myia")
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    second = fake_engine.add(2, "made")
    fake_engine.tell("create", second, T0)
    wait_until(lambda: len(watcher.snapshot().containers) == 2 and complete(watcher))
    assert one(watcher, "made").pid == 4242
    del fake_engine.entries[first], fake_engine.details[first]
    fake_engine.tell("destroy", first, T0 + 1)
    wait_until(lambda: [found.name for found in watcher.snapshot().containers] == ["made"])


def test_a_container_that_vanishes_mid_list_is_dropped_silently(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    fake_engine.add(1, "myia")
    ghost = fake_engine.add(2, "ghost")
    del fake_engine.details[ghost]
    watcher = watch(fake_engine)
    wait_until(lambda: [found.name for found in watcher.snapshot().containers] == ["myia"])
    assert watcher.snapshot().state == "connected"
    assert watcher.snapshot().problem is None


def test_what_the_events_did_not_tell_the_safety_list_repairs(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    watcher = watch(fake_engine, poll_seconds=0.1)
    wait_until(lambda: complete(watcher))
    revision = one(watcher).revision
    fake_engine.details[container_id]["State"] = {**RUNNING, "Status": "exited", "ExitCode": 3}
    fake_engine.entries[container_id].update(State="exited", Status="Exited (3) 1 second ago")
    wait_until(lambda: one(watcher).exit_code == 3)
    assert one(watcher).revision > revision


def test_the_past_hour_of_events_is_asked_for_and_costs_no_inspects_of_the_dead(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    for number in range(300):
        gone = f"{number + 1000:064x}"
        fake_engine.tell("start", gone, T0 + number)
        fake_engine.tell("destroy", gone, T0 + number)
    fake_engine.tell("die", container_id, T0 + SECOND, exitCode="2")
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher) and len(watcher.snapshot().events) == 200)
    wait_until(lambda: watcher.snapshot().events[0].exit_code == 2)
    # The stream may arrive in several pieces: a few of the dead may have been looked for.
    assert fake_engine.count("GET /containers/") < 40


def test_the_engine_hanging_up_keeps_the_picture_and_the_watcher_comes_back(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    container_id = fake_engine.add(1, "myia")
    states: list[tuple[str, str]] = []

    def note() -> None:
        problem = watcher.snapshot().problem
        states.append((watcher.snapshot().state, "" if problem is None else problem.code))

    watcher: EngineWatcher = watch(fake_engine, on_change=note)
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    fake_engine.delay = 0.2
    fake_engine.hang_up()
    wait_until(lambda: watcher.snapshot().state == "lost")
    assert one(watcher).state == "running"
    assert watcher.snapshot().problem is not None
    fake_engine.details[container_id]["State"] = {**RUNNING, "Status": "exited", "ExitCode": 1}
    fake_engine.entries[container_id].update(State="exited", Status="Exited (1) 1 second ago")
    wait_until(lambda: watcher.snapshot().state == "connected" and one(watcher).exit_code == 1)
    assert watcher.snapshot().problem is None
    assert ("lost", "engine.lost") in states


def test_an_engine_that_is_not_there_yet_is_found_when_it_comes(
    socket_path: Path, watch: Watch
) -> None:
    watcher = watch(f"unix://{socket_path}")
    problem = wait_until(lambda: watcher.snapshot().state == "lost" and watcher.snapshot())
    assert isinstance(problem, EngineSnapshot)
    assert problem.problem is not None
    assert problem.problem.code == "engine.absent"
    assert problem.heard_monotonic is None
    with FakeEngine(socket_path) as engine:
        engine.add(1, "myia")
        wait_until(lambda: watcher.snapshot().state == "connected")
        watcher.stop()


def test_a_slow_engine_is_said_to_be_slow_and_answers_late(
    fake_engine: FakeEngine, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.engine.watcher._SLOW_SECONDS", 0.2)
    fake_engine.add(1, "myia")
    fake_engine.delay = 0.5
    before = threading.active_count()
    watcher = watch(fake_engine)
    wait_until(lambda: watcher.snapshot().problem is not None)
    problem = watcher.snapshot().problem
    assert problem is not None
    assert (watcher.snapshot().state, problem.code) == ("connecting", "engine.slow")
    # The watcher, its timer, and the engine's own side of one connection.
    assert threading.active_count() - before <= 4
    wait_until(lambda: watcher.snapshot().state == "connected")
    assert watcher.snapshot().problem is None


def test_an_engine_slower_than_the_limit_times_out_and_then_gets_more_time(
    fake_engine: FakeEngine, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.engine.watcher.LIMIT", 0.3)
    fake_engine.add(1, "myia")
    fake_engine.delay = 0.5
    watcher = watch(fake_engine)
    wait_until(lambda: watcher.snapshot().state == "lost")
    problem = watcher.snapshot().problem
    assert problem is not None
    assert problem.code == "engine.timeout"
    wait_until(lambda: watcher.snapshot().state == "connected", 8)
    wait_until(lambda: complete(watcher), 8)


def test_a_hanging_inspect_holds_nothing_else_up(fake_engine: FakeEngine, watch: Watch) -> None:
    hanging = fake_engine.add(1, "hanging")
    other = fake_engine.add(2, "other", Status="exited")
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    fake_engine.slow[f"/containers/{hanging}/json"] = 60
    fake_engine.tell("start", hanging, T0)
    wait_until(lambda: fake_engine.requests[-1].endswith(f"{hanging}/json"))
    fake_engine.entries[other].update(State="running", Status="Up 1 second")
    pause = threading.Event()
    pause.wait(1.2)
    fake_engine.tell("start", other, T0 + 1)
    wait_until(lambda: one(watcher, "other").state == "running", 5)


@pytest.mark.parametrize("hanging", [False, True])
def test_stop_returns_at_once_in_the_middle_of_a_call_and_leaves_no_socket(
    fake_engine: FakeEngine, hanging: bool
) -> None:
    fake_engine.add(1, "myia")
    before = len(list(Path("/proc/self/fd").iterdir()))
    watcher = EngineWatcher(endpoint_at(fake_engine.address), SystemClock())
    if hanging:
        fake_engine.slow["/version"] = 60
    watcher.start()
    if hanging:
        wait_until(lambda: fake_engine.count("GET /version"))
    else:
        wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)
    began = time.monotonic()
    watcher.stop()
    assert time.monotonic() - began < 0.1
    assert watcher.join(3)
    fake_engine.close()
    wait_until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)


def test_stop_right_after_start_ends_too(fake_engine: FakeEngine) -> None:
    for _ in range(20):
        watcher = EngineWatcher(endpoint_at(fake_engine.address), SystemClock())
        watcher.start()
        watcher.stop()
        assert watcher.join(5)
    assert watcher.snapshot().state != "lost"


def test_a_held_clock_does_not_hold_the_watcher(fake_engine: FakeEngine) -> None:
    fake_engine.add(1, "myia")
    clock = HeldClock(datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    watcher = EngineWatcher(endpoint_at(fake_engine.address), clock, poll_seconds=0.05)
    watcher.start()
    wait_until(lambda: complete(watcher))
    assert watcher.snapshot().heard_monotonic == clock.monotonic()
    assert watcher.snapshot().taken_at == clock.now()
    clock.advance(30)
    wait_until(lambda: watcher.snapshot().heard_monotonic == clock.monotonic())
    watcher.stop()
    assert watcher.join(3)


def test_names_with_escape_sequences_and_invalid_utf8_arrive_clean(
    fake_engine: FakeEngine, watch: Watch
) -> None:
    nasty = "[red]a\x1b[2J\x1b]0;x\x07b\udcff"
    container_id = fake_engine.add(1, nasty)
    fake_engine.details[container_id]["Config"].update(
        Labels={nasty: nasty}, Env=[f"FORGE_ARGS={nasty}"], Image=nasty
    )
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher))
    container = watcher.snapshot().containers[0]
    assert container.name == "[red]ab\N{REPLACEMENT CHARACTER}"
    assert "\\x1b" not in repr(container)
    assert "\\udc" not in repr(container)


def test_a_fault_of_ours_never_leaves_a_picture_that_looks_alive(
    fake_engine: FakeEngine, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_engine.add(1, "myia")
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    watcher = watch(fake_engine)
    wait_until(lambda: complete(watcher) and fake_engine.listening() == 1)

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("console.engine.watcher.parse_event", breaks)
    fake_engine.tell("start", f"{1:064x}", T0)
    wait_until(lambda: watcher.snapshot().state == "lost")
    problem = watcher.snapshot().problem
    assert problem is not None
    assert problem.code == "engine.internal"
