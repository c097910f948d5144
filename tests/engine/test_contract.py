"""What the console relies on, held against the real engine and the rehearsal's alike."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.clock import SystemClock
from console.engine.client import EngineClient
from console.engine.exit_codes import meaning
from console.engine.faults import EngineConflictError, NoSuchContainerError
from console.engine.frames import Piece
from console.engine.parse import event, inspected
from console.engine.reader import read_once
from console.engine.snapshot import Container, EngineEvent
from console.engine.usage import UsageSampler, read_sample
from console.engine.values import moment
from console.engine.watcher import EngineWatcher
from console.unknown import Unknown
from tests.support.engine import Workbench, endpoint_at
from tests.support.waiting import wait_until

FOREVER = ["sleep", "600"]
OBEDIENT = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]


@pytest.fixture
def client(any_engine: Workbench) -> Iterator[EngineClient]:
    with EngineClient(endpoint_at(any_engine.address)) as made:
        yield made


@pytest.fixture
def watcher(any_engine: Workbench) -> Iterator[EngineWatcher]:
    made = EngineWatcher(endpoint_at(any_engine.address), SystemClock())
    made.start()
    wait_until(lambda: made.snapshot().state == "connected", 10)
    yield made
    made.stop()
    assert made.join(5)


def look(client: EngineClient, container_id: str) -> Container:
    container = inspected(client.inspect(container_id), datetime.now(UTC))
    assert container is not None
    return container


def until(
    client: EngineClient, container_id: str, wanted: Callable[[Container], object]
) -> Container:
    wait_until(lambda: wanted(look(client, container_id)), 15)
    return look(client, container_id)


def seen(watcher: EngineWatcher, container_id: str) -> Container | None:
    return next((c for c in watcher.snapshot().containers if c.id == container_id), None)


def whole(container: Container) -> None:
    """No field of an inspected container is missing."""
    for name in container.__struct_fields__:
        assert not isinstance(getattr(container, name), Unknown), name


def test_versions_agree(client: EngineClient) -> None:
    version = client.version()
    assert version.version
    assert (1, 40) <= tuple(int(part) for part in version.api.split(".")) <= (1, 56)


def test_a_running_container(any_engine: Workbench, client: EngineClient) -> None:
    labels = {
        "com.docker.compose.project": "sd",
        "com.docker.compose.service": "myia",
        "note": "[bold]x[/] \N{SNOWMAN}",
    }
    container_id = any_engine.run(
        "running", FOREVER, labels=labels, environment={"CUDA_VISIBLE_DEVICES": "1", "X": "y"}
    )
    container = look(client, container_id)
    whole(container)
    assert (container.state, container.health, container.error) == ("running", "none", "")
    assert container.name == f"{any_engine.prefix}running"
    assert isinstance(container.pid, int)
    assert container.pid > 0
    assert container.exit_code is None
    assert container.finished_at is None
    assert isinstance(container.started_at, datetime)
    assert abs(datetime.now(UTC) - container.started_at) < timedelta(minutes=5)
    assert container.compose is not None
    assert (container.compose.project, container.compose.service) == ("sd", "myia")
    assert ("note", labels["note"]) in container.labels
    assert not isinstance(container.gpu, Unknown)
    assert container.gpu.environment == (("CUDA_VISIBLE_DEVICES", "1"),)
    assert container.gpu.arguments == tuple(FOREVER)
    entry = next(found for found in client.list() if found["Id"] == container_id)
    assert entry["State"] == "running"
    assert entry["Status"].startswith("Up ")


def test_a_container_that_ended_keeps_its_exit_code(
    any_engine: Workbench, client: EngineClient
) -> None:
    container_id = any_engine.run("exited", ["sh", "-c", "exit 3"])
    container = until(client, container_id, lambda found: found.state == "exited")
    whole(container)
    assert (container.exit_code, container.pid, container.oom_killed) == (3, None, False)
    assert isinstance(container.finished_at, datetime)
    entry = next(found for found in client.list() if found["Id"] == container_id)
    assert entry["Status"].startswith("Exited (3) ")
    assert container.status.startswith("Exited (3) ")


def test_a_container_that_was_never_started(any_engine: Workbench, client: EngineClient) -> None:
    container = look(client, any_engine.create("created", FOREVER))
    whole(container)
    assert container.state == "created"
    assert (container.exit_code, container.started_at, container.pid) == (None, None, None)


def test_a_command_that_does_not_exist(any_engine: Workbench, client: EngineClient) -> None:
    container_id = any_engine.create("no-command", ["nosuch"])
    with pytest.raises(Exception, match="command does not exist"):
        client.start(container_id)
    container = look(client, container_id)
    assert isinstance(container.exit_code, int)
    assert isinstance(container.error, str)
    assert "nosuch" in container.error
    assert "could not start" in (meaning(container.exit_code, error=container.error) or "")


def test_a_crash_loop_counts_its_restarts(
    any_engine: Workbench, client: EngineClient, watcher: EngineWatcher
) -> None:
    container_id = any_engine.run(
        "loop", ["sh", "-c", "exit 2"], host={"restart_policy": {"Name": "always"}}
    )
    container = until(client, container_id, lambda found: found.restart_count in {2, 3, 4, 5})
    assert container.restart_policy == "always"
    assert container.state in {"restarting", "running"}

    def ends() -> list[EngineEvent]:
        told = watcher.snapshot().events
        return [one for one in told if one.container_id == container_id and one.action == "die"]

    wait_until(lambda: len(ends()) >= 3)
    assert {found.exit_code for found in ends()} == {2}
    assert container_id not in watcher.snapshot().asked_to_stop
    wait_until(lambda: (found := seen(watcher, container_id)) and found.exit_code == 2)


def test_health_is_told(any_engine: Workbench, watcher: EngineWatcher) -> None:
    second = 1_000_000_000
    container_id = any_engine.run(
        "healthy",
        FOREVER,
        healthcheck={"test": ["CMD-SHELL", "true"], "interval": second, "timeout": second},
    )
    wait_until(lambda: (found := seen(watcher, container_id)) and found.health == "healthy", 15)
    found = seen(watcher, container_id)
    assert found is not None
    assert found.status.endswith("(healthy)")
    wait_until(lambda: any(
        told.action == "health_status: healthy" and told.container_id == container_id
        for told in watcher.snapshot().events
    ))  # fmt: skip
    assert not any(told.action.startswith("exec_") for told in watcher.snapshot().events)


def test_a_container_is_stopped_started_restarted_and_killed_and_the_watcher_sees_it(
    any_engine: Workbench, client: EngineClient, watcher: EngineWatcher
) -> None:
    container_id = any_engine.run("story", OBEDIENT)
    wait_until(lambda: (found := seen(watcher, container_id)) and found.state == "running")
    assert client.start(container_id) is False
    assert client.stop(container_id, timeout=10) is True
    assert client.stop(container_id, timeout=10) is False
    wait_until(lambda: (found := seen(watcher, container_id)) and found.state == "exited")
    wait_until(lambda: container_id in watcher.snapshot().asked_to_stop)
    assert client.start(container_id) is True
    wait_until(lambda: container_id not in watcher.snapshot().asked_to_stop)
    first = look(client, container_id).started_at
    client.restart(container_id, timeout=10)
    assert look(client, container_id).started_at != first
    client.kill(container_id)
    container = until(client, container_id, lambda found: found.state == "exited")
    assert container.exit_code == 137
    wait_until(lambda: container_id in watcher.snapshot().asked_to_stop)
    assert meaning(137, asked_to_stop=True) == "killed, as asked"
    with pytest.raises(EngineConflictError):
        client.kill(container_id)
    any_engine.remove(container_id)
    wait_until(lambda: seen(watcher, container_id) is None)
    for act in (client.inspect, client.start, client.stop, client.kill):
        with pytest.raises(NoSuchContainerError):
            act(container_id)


def test_a_stop_that_is_ignored_ends_in_137_after_its_grace(
    any_engine: Workbench, client: EngineClient
) -> None:
    container_id = any_engine.run("stubborn", FOREVER)
    began = time.monotonic()
    assert client.stop(container_id, timeout=1) is True
    assert 0.9 < time.monotonic() - began < 10
    assert look(client, container_id).exit_code == 137


def test_events_tell_the_whole_story_in_order(any_engine: Workbench, client: EngineClient) -> None:
    container_id = any_engine.run("told", OBEDIENT)
    client.stop(container_id, timeout=5)
    any_engine.remove(container_id)
    found = []
    with client.events(since=time.time() - 120) as stream:
        for told in stream.events():
            parsed = event(told)
            if parsed is not None and parsed[1].container_id == container_id:
                found.append(parsed[1])
                if parsed[1].action == "destroy":
                    break
    actions = [one.action for one in found]
    assert actions[:3] == ["create", "start", "kill"]
    assert set(actions[3:-1]) == {"die", "stop"}
    assert actions[-1] == "destroy"
    assert found[2].signal == "15"
    assert next(one.exit_code for one in found if one.action == "die") == 0
    assert {one.container_name for one in found} == {f"{any_engine.prefix}told"}


def test_logs_with_tail_and_times(any_engine: Workbench, client: EngineClient) -> None:
    container_id = any_engine.run("talking", ["sh", "-c", "echo one; echo two >&2; echo three"])

    def log(tail: int | None = None, since: str = "") -> list[tuple[int, datetime | None, bytes]]:
        pieces: list[Piece] = []
        with client.log_stream(container_id, tail=tail, since=since) as stream:
            while not stream.ended:
                batch = stream.read()
                pieces += batch.pieces if batch is not None else []
        parts = ((kind, message.partition(b" ")) for kind, message in pieces)
        return [(kind, moment(stamp.decode()), line) for kind, (stamp, _, line) in parts]

    wait_until(lambda: len(log()) == 3)
    # Across stdout and stderr the engine keeps no order, only the times.
    assert sorted((kind, line) for kind, _, line in log()) == [
        (1, b"one\n"),
        (1, b"three\n"),
        (2, b"two\n"),
    ]
    ((_, stamped, _),) = log(tail=1)
    assert stamped is not None
    assert abs(datetime.now(UTC) - stamped) < timedelta(minutes=5)
    assert log(since=str(int(time.time()) + 3600)) == []


def test_a_followed_log_goes_on_until_it_is_cancelled(
    any_engine: Workbench, client: EngineClient
) -> None:
    script = "trap 'exit 0' TERM; while true; do echo again; sleep 1; done"
    container_id = any_engine.run("chatty", ["sh", "-c", script])
    with client.log_stream(container_id, follow=True) as stream:
        heard = b""
        while heard.count(b"again\n") < 2:
            batch = stream.read(10)
            assert batch is not None
            heard += b"".join(message for _, message in batch.pieces)
        stream.cancel()
        while not stream.ended:
            stream.read(10)


def test_usage_from_one_shot_statistics(any_engine: Workbench, client: EngineClient) -> None:
    container_id = any_engine.run("busy", FOREVER)
    began = time.monotonic()
    sample = read_sample(client.stats_once(container_id))
    assert time.monotonic() - began < 1
    assert sample is not None
    assert sample.at is not None
    sampler = UsageSampler(endpoint_at(any_engine.address), SystemClock(), interval=0.3)
    sampler.start()
    sampler.watch([container_id])
    wait_until(lambda: not isinstance(
        sampler.usage()[container_id].cpu_percent if sampler.usage() else Unknown("", ""), Unknown
    ), 10)  # fmt: skip
    percent = sampler.usage()[container_id].cpu_percent
    assert isinstance(percent, float)
    assert 0 <= percent < 1000
    client.stop(container_id, timeout=0)
    wait_until(lambda: sampler.usage() == {})
    sampler.stop()
    assert sampler.join(5)


def test_a_command_inside_and_the_processes(any_engine: Workbench, client: EngineClient) -> None:
    container_id = any_engine.run("inside", FOREVER)
    ran = client.exec_run(container_id, ["echo", "hello"])
    assert (ran.exit_code, ran.output) == (0, b"hello\n")
    assert client.exec_run(container_id, ["false"]).exit_code == 1
    processes = client.top(container_id)
    assert any("sleep" in " ".join(row) for row in processes["Processes"])
    assert any(any_engine.image in (image.get("RepoTags") or []) for image in client.images())


def test_one_look_has_it_all(any_engine: Workbench) -> None:
    container_id = any_engine.run("looked-at", FOREVER)
    snapshot = read_once(endpoint_at(any_engine.address), SystemClock())
    assert (snapshot.state, snapshot.problem) == ("connected", None)
    found = next(c for c in snapshot.containers if c.id == container_id)
    whole(found)
    assert [e.action for e in snapshot.events if e.container_id == container_id] == [
        "start",
        "create",
    ]
