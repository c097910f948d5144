"""What an engine streams: events that replay and follow, logs in frames, counters that agree."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from docker.api.client import APIClient
from docker.errors import APIError

from console.simulator.held import HeldRehearsal, held_rehearsal
from tests.rehearsal.support import SHELL_IMAGE, ask, docker
from tests.support.waiting import wait_until

LOOP = "trap 'exit 0' TERM; while true; do echo out; echo err >&2; sleep 1; done"


@pytest.fixture
def api(bench: HeldRehearsal) -> Iterator[APIClient]:
    client = APIClient(bench.address, version="1.41", timeout=10)
    yield client
    client.close()


def run(api: APIClient, name: str, command: list[str], **settings: Any) -> str:
    host = api.create_host_config(network_mode="none")
    made = api.create_container(SHELL_IMAGE, command, name=name, host_config=host, **settings)
    api.start(made["Id"])
    return str(made["Id"])


class Collector:
    """Reads a stream in a thread of its own."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.found: list[Any] = []
        self.ended = threading.Event()
        self._errors: queue.Queue[BaseException] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            self.found.extend(iter(()))
            for item in self._stream:
                self.found.append(item)
        except Exception as error:  # noqa: BLE001 -- a broken stream is what some tests wait for
            self._errors.put(error)
        finally:
            self.ended.set()


def test_events_are_replayed_and_then_followed(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "first", ["sleep", "1000"])
    began = int(bench.clock.now().timestamp()) - 5
    stream = api.events(since=began, decode=True, filters={"type": "container"})
    collector = Collector(stream)
    wait_until(lambda: len(collector.found) == 2)
    api.stop("first", timeout=0)
    wait_until(lambda: len(collector.found) == 6)
    stream.close()
    actions = [event["Action"] for event in collector.found]
    assert actions == ["create", "start", "kill", "kill", "die", "stop"]
    die = collector.found[4]["Actor"]["Attributes"]
    assert die["exitCode"] == "137"
    assert die["name"] == "first"
    assert collector.found[4]["time"] == collector.found[4]["timeNano"] // 10**9


def test_only_new_flavours_tell_how_long_it_ran_and_only_old_ones_the_status() -> None:
    for scenario, new in (("studio", True), ("old-engine", False)):
        with held_rehearsal(scenario) as host:
            api = APIClient(host.address, version="auto")
            api.kill("caddy")
            host.advance(2)
            until = int(host.clock.now().timestamp())
            events = list(api.events(since=until - 30, until=until, decode=True))
            die = next(event for event in events if event["Action"] == "die")
            assert ("execDuration" in die["Actor"]["Attributes"]) is new
            assert ("status" in die) is not new
            api.close()


def test_events_are_narrowed_by_filters(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "one", ["sleep", "1000"], labels={"role": "a"})
    run(api, "two", ["sleep", "1000"])
    api.kill("one")
    bench.advance(2)
    until = int(bench.clock.now().timestamp())

    def told(**filters: Any) -> list[str]:
        found = api.events(since=until - 60, until=until, decode=True, filters=filters)
        return [f"{e['Actor']['Attributes']['name']} {e['Action']}" for e in found]

    assert told(container="two", type="container") == ["two create", "two start"]
    assert told(event="die") == ["one die"]
    assert told(label="role=a", event=["start", "kill"]) == ["one start", "one kill"]
    assert told(type="network")[0].endswith(" connect")


def test_logs_come_in_frames_by_stream_with_times(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "talker", ["sh", "-c", LOOP])
    bench.advance(3.9)
    assert api.logs("talker", stderr=False) == b"out\n" * 4
    assert api.logs("talker", stdout=False) == b"err\n" * 4
    assert api.logs("talker", tail=2) == b"out\nerr\n"
    line = api.logs("talker", tail=1, timestamps=True)
    assert line.startswith(b"2026-11-22T22:41:1")
    assert line.endswith(b"Z err\n")
    since = bench.clock.now().timestamp() - 1.5
    assert api.logs("talker", since=since) == b"out\nerr\n"
    with pytest.raises(APIError, match="you must choose at least one stream"):
        api.logs("talker", stdout=False, stderr=False)


def test_followed_logs_end_with_the_container(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "talker", ["sh", "-c", LOOP])
    collector = Collector(api.logs("talker", stream=True, follow=True))
    bench.advance(2.9)
    wait_until(lambda: b"".join(collector.found).count(b"out") == 3)
    assert not collector.ended.is_set()
    api.stop("talker")
    assert collector.ended.wait(5)


def test_a_terminal_makes_logs_raw(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "tty", ["sh", "-c", "echo hello; sleep 1000"], tty=True)
    bench.advance(1001)
    _, body, _ = ask(bench.address, "/containers/tty/logs?stdout=1&stderr=1")
    assert body == b"hello\r\n"


def test_logs_survive_a_restart_and_a_long_life_is_cheap(studio: HeldRehearsal) -> None:
    api = APIClient(studio.address, version="auto")
    whole = api.logs("comfyui-qwen").splitlines()
    assert b"To see the GUI go to: http://0.0.0.0:8188" in whole
    assert whole.count(b"got prompt") > 10
    api.restart("comfyui-qwen")
    studio.advance(10)
    assert api.logs("comfyui-qwen").count(b"To see the GUI") == 2
    assert docker(studio.environ, "logs", "--tail", "3", "myia").returncode == 0
    api.close()


def test_counters_give_the_processor_share_the_scene_says(studio: HeldRehearsal) -> None:
    api = APIClient(studio.address, version="auto")
    for name, share, memory in (("myia", None, 6.1), ("caddy", 0.1, 0.0205)):
        stats = api.stats(name, stream=False)
        used, before = stats["cpu_stats"], stats["precpu_stats"]
        ran = used["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
        whole = used["system_cpu_usage"] - before["system_cpu_usage"]
        if share is not None:
            assert ran / whole * used["online_cpus"] * 100 == pytest.approx(share, rel=0.05)
        cached = stats["memory_stats"]["stats"]["inactive_file"]
        assert stats["memory_stats"]["usage"] - cached == pytest.approx(memory * 2**30, rel=0.05)
    one = api.stats("myia", stream=False, one_shot=True)
    assert one["precpu_stats"]["cpu_usage"]["total_usage"] == 0
    assert api.stats("watchtower", stream=False)["memory_stats"] == {}
    api.close()


def test_cutting_breaks_the_streams_and_a_new_one_works(studio: HeldRehearsal) -> None:
    api = APIClient(studio.address, version="auto")
    collector = Collector(api.events(decode=True))
    api.rename("caddy", "front")
    wait_until(lambda: collector.found)
    studio.control("engine-cut")
    assert collector.ended.wait(5)
    assert api.version()["ApiVersion"] == "1.56"
    api.close()


def test_the_engine_goes_and_comes_back(studio: HeldRehearsal) -> None:
    studio.control("engine-down")
    wait_until(lambda: not studio.places.engine_socket.exists())
    with pytest.raises(OSError, match="No such file"):
        ask(studio.address, "/version")
    studio.control("engine-up")
    wait_until(studio.places.engine_socket.exists)
    wait_until(lambda: ask(studio.address, "/version")[0] == 200)


def test_the_denied_one_lets_nobody_in() -> None:
    with held_rehearsal("engine-denied") as host:
        assert host.places.engine_socket.stat().st_mode & 0o777 == 0
        host.places.engine_socket.chmod(0o600)
        assert ask(host.address, "/version")[0] == 403
