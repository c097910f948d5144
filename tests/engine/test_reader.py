"""One look at the engine, for `status`: whole where it can be, honest where it cannot."""

import time
from datetime import UTC, datetime

from console.clock import HeldClock
from console.engine.reader import read_once
from console.engine.snapshot import EngineSnapshot
from console.unknown import Unknown
from tests.support.engine import endpoint_at
from tests.support.fake_engine import FakeEngine

T0 = 1_790_000_000_000_000_000


def look(engine: FakeEngine, limit: float = 5) -> EngineSnapshot:
    clock = HeldClock(datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    return read_once(endpoint_at(engine.address), clock, limit)


def test_everything_comes_over_one_connection(fake_engine: FakeEngine) -> None:
    for number in range(1, 51):
        fake_engine.add(number, f"c{number:02}")
    looping = fake_engine.add(51, "looping")
    fake_engine.details[looping]["RestartCount"] = 6
    fake_engine.tell("die", looping, T0, exitCode="2")
    snapshot = look(fake_engine)
    assert (snapshot.state, snapshot.problem) == ("connected", None)
    assert (snapshot.version, snapshot.api_version) == ("20.10.24", "1.41")
    assert len(snapshot.containers) == 51
    assert all(not isinstance(found.gpu, Unknown) for found in snapshot.containers)
    assert snapshot.containers[-1].exit_code == 2
    assert [event.action for event in snapshot.events] == ["die"]
    # The stream of events keeps a connection of its own.
    assert fake_engine.connections <= 2


def test_an_absent_engine_is_a_snapshot_too() -> None:
    clock = HeldClock(datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    snapshot = read_once(endpoint_at("unix:///nowhere/docker.sock"), clock)
    assert snapshot.state == "lost"
    assert snapshot.problem is not None
    assert snapshot.problem.code == "engine.absent"
    assert isinstance(snapshot.version, Unknown)
    assert snapshot.heard_monotonic is None


def test_an_inspect_that_hangs_leaves_the_list_and_a_reason(fake_engine: FakeEngine) -> None:
    good, hanging = fake_engine.add(1, "a-good"), fake_engine.add(2, "b-hanging")
    fake_engine.slow[f"/containers/{hanging}/json"] = 60
    began = time.monotonic()
    snapshot = look(fake_engine, 0.5)
    assert time.monotonic() - began < 3
    assert snapshot.state == "connected"
    assert snapshot.problem is not None
    assert snapshot.problem.code == "engine.timeout"
    states = {found.id: found for found in snapshot.containers}
    assert states[good].pid == 4242
    assert states[hanging].state == "running"
    assert states[hanging].pid == snapshot.problem


def test_a_container_that_vanishes_or_fails_costs_only_itself(fake_engine: FakeEngine) -> None:
    fake_engine.add(1, "myia")
    ghost, broken = fake_engine.add(2, "ghost"), fake_engine.add(3, "broken")
    del fake_engine.details[ghost]
    fake_engine.overrides[f"/containers/{broken}/json"] = lambda: (500, b'{"message": "no"}')
    snapshot = look(fake_engine)
    assert [found.name for found in snapshot.containers] == ["broken", "myia"]
    assert isinstance(snapshot.containers[0].pid, Unknown)
    assert snapshot.containers[0].pid.code == "engine.refused"
    assert snapshot.problem is None


def test_a_look_takes_no_longer_than_its_limit_when_every_answer_is_slow(
    fake_engine: FakeEngine,
) -> None:
    for number in range(1, 20):
        fake_engine.add(number, f"c{number}")
    fake_engine.delay = 0.1
    began = time.monotonic()
    snapshot = look(fake_engine, 1)
    assert time.monotonic() - began < 2.5
    assert len(snapshot.containers) == 19
    assert snapshot.problem is not None
