"""The client keeps to its contract: one thread, one connection, every call in its time."""

import os
import threading
import time
from pathlib import Path

import pytest

from console.engine.client import EngineClient
from console.engine.faults import EngineError, EngineTimeoutError, EngineUnreachableError
from console.engine.usage import read_sample
from tests.support.engine import endpoint_at
from tests.support.fake_engine import FakeEngine, encoded
from tests.support.waiting import wait_until


def client_of(engine: FakeEngine, limit: float = 5) -> EngineClient:
    return EngineClient(endpoint_at(engine.address), limit)


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [("1.40", "1.12", "1.40"), ("1.41", "1.12", "1.41"), ("1.56", "1.40", "1.56"),
     ("1.71", "1.44", "1.56")],
)  # fmt: skip
def test_the_newest_common_api_version_is_spoken(
    fake_engine: FakeEngine, newest: str, oldest: str, spoken: str
) -> None:
    fake_engine.version = {"ApiVersion": newest, "MinAPIVersion": oldest, "Version": "x\x1b[1m"}
    with client_of(fake_engine) as client:
        assert client.version().api == spoken
        assert client.version().version == "x"
    assert fake_engine.count("GET /version") == 1


def test_all_calls_share_one_connection(fake_engine: FakeEngine) -> None:
    ids = [fake_engine.add(number, f"c{number}") for number in range(1, 21)]
    with client_of(fake_engine) as client:
        assert len(client.list()) == 20
        for container_id in ids:
            assert client.inspect(container_id)["Id"] == container_id
    assert fake_engine.connections == 1
    wait_until(lambda: fake_engine.open_connections() == 0)


def test_a_client_belongs_to_one_thread(fake_engine: FakeEngine) -> None:
    with client_of(fake_engine) as client:
        client.version()
        caught: list[RuntimeError] = []

        def elsewhere() -> None:
            try:
                client.list()
            except RuntimeError as error:
                caught.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(5)
    assert "belongs to the thread" in str(caught[0])


def test_already_started_or_stopped_is_reported_not_an_error(fake_engine: FakeEngine) -> None:
    container_id = fake_engine.add(1, "myia")
    with client_of(fake_engine) as client:
        for status, changed in ((304, False), (204, True), (304, False)):
            for verb in ("start", "stop"):
                path = f"/containers/{container_id}/{verb}"
                fake_engine.overrides[path] = lambda status=status: (status, b"")  # type: ignore[misc]
            assert client.start(container_id) is changed
            assert client.stop(container_id, 1) is changed


def test_a_stop_waits_longer_than_its_grace(
    fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.engine.client.STOP_MARGIN", 0.2)
    container_id = fake_engine.add(1, "slow")
    path = f"/containers/{container_id}/stop"
    fake_engine.overrides[path] = lambda: (204, b"")
    with client_of(fake_engine, limit=0.5) as client:
        client.version()
        fake_engine.slow[path] = 0.8
        assert client.stop(container_id, timeout=1) is True
        fake_engine.slow[path] = 5
        with pytest.raises(EngineTimeoutError, match="stop of"):
            client.stop(container_id, timeout=0)


def test_without_a_timeout_the_containers_own_grace_counts(
    fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.engine.client.STOP_MARGIN", 0.1)
    container_id = fake_engine.add(1, "patient")
    fake_engine.details[container_id]["Config"]["StopTimeout"] = 2
    path = f"/containers/{container_id}/restart"
    fake_engine.overrides[path] = lambda: (204, b"")
    fake_engine.slow[path] = 0.5
    monkeypatch.setattr("console.engine.client.START_LIMIT", 0.1)
    with client_of(fake_engine) as client:
        client.restart(container_id)


def test_invalid_utf8_and_lone_surrogates_are_read(fake_engine: FakeEngine) -> None:
    container_id = fake_engine.add(1, "bad\udcff\udcfe")
    fake_engine.details[container_id]["Config"]["Labels"] = {"a": "\udc80"}
    with client_of(fake_engine) as client:
        assert client.list()[0]["Names"] == [
            "/bad\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
        ]
        assert client.inspect(container_id)["Config"]["Labels"]["a"] == "\N{REPLACEMENT CHARACTER}"
        fake_engine.overrides["/containers/json"] = lambda: (200, b'[{"Id": "\\ud800"}]')
        assert client.list()[0]["Id"] == "\ud800"


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"5", b'"x"', b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_list_is_an_error_for_people(
    fake_engine: FakeEngine, body: bytes
) -> None:
    fake_engine.overrides["/containers/json"] = lambda: (200, body)
    with client_of(fake_engine) as client, pytest.raises(EngineError) as caught:
        client.list()
    assert caught.value.code == "engine.odd-answer"


def test_one_shot_statistics_are_asked_for_where_the_engine_has_them(
    fake_engine: FakeEngine,
) -> None:
    asked: list[str] = []
    container_id = fake_engine.add(1, "myia")
    path = f"/containers/{container_id}/stats"
    fake_engine.overrides[path] = lambda: (200, encoded({}))
    for version in ("1.40", "1.41"):
        fake_engine.version = {"ApiVersion": version}
        with client_of(fake_engine) as client:
            assert read_sample(client.stats_once(container_id)) is None
            asked.append(str(client.version().api))
    assert fake_engine.count(f"GET {path}") == 2
    assert asked == ["1.40", "1.41"]


def test_abort_ends_a_call_from_another_thread(fake_engine: FakeEngine) -> None:
    fake_engine.slow["/containers/json"] = 60
    client = client_of(fake_engine, 60)
    caught: list[EngineError] = []

    def ask() -> None:
        with client:
            try:
                client.list()
            except EngineError as error:
                caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: fake_engine.count("GET /containers/json"))
    began = time.monotonic()
    client.abort()
    thread.join(5)
    assert time.monotonic() - began < 2
    assert isinstance(caught[0], EngineUnreachableError)


def test_a_stream_of_events_ends_when_cancelled_and_leaks_nothing(
    fake_engine: FakeEngine,
) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    container_id = fake_engine.add(1, "myia")
    fake_engine.tell("start", container_id, 1_790_000_000_000_000_000)
    with client_of(fake_engine) as client:
        for _ in range(5):
            with client.events(since=1) as stream:
                told = stream.events()
                assert next(told)["Action"] == "start"
                threading.Timer(0.05, stream.cancel).start()
                assert list(told) == []
        fake_engine.tell_raw(b"\xff not json\n\n[1]\n")
        assert len(list(client.events(0, 1).events())) == 1
    wait_until(lambda: fake_engine.open_connections() == 0)
    wait_until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before + 1)


def test_an_event_in_pieces_and_a_line_without_end(fake_engine: FakeEngine) -> None:
    fake_engine.tell_raw(b'{"Action": "st')
    fake_engine.tell_raw(b'art"}\n{"Action": "die"}\n')
    for _ in range(5):
        fake_engine.tell_raw(b"x" * (1 << 20))
    fake_engine.tell_raw(b"\n" + b'{"Action": "stop"}\n')
    with client_of(fake_engine) as client:
        actions = [event["Action"] for event in client.events(0, 1).events()]
    assert actions == ["start", "die", "stop"]


def test_the_engine_hanging_up_in_a_stream_is_told(fake_engine: FakeEngine) -> None:
    with client_of(fake_engine) as client, client.events() as stream:
        wait_until(lambda: fake_engine.listening() == 1)
        fake_engine.hang_up()
        with pytest.raises(EngineUnreachableError) as caught:
            list(stream.events())
    assert caught.value.code == "engine.lost"


def test_the_sdk_is_not_imported_before_the_first_call() -> None:
    import subprocess
    import sys

    code = (
        "import sys, console.engine.watcher, console.engine.reader, console.engine.usage;"
        "sys.exit('docker' in sys.modules or 'requests' in sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environ).returncode == 0
