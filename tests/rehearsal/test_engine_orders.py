"""Working an engine: start, stop, restart, kill; what follows, in which order, and how long."""

import itertools
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from docker.api.client import APIClient
from docker.errors import APIError

from console.simulator.held import HeldRehearsal, held_rehearsal
from tests.rehearsal.support import SHELL_IMAGE, docker


@pytest.fixture
def api(bench: HeldRehearsal) -> Iterator[APIClient]:
    client = APIClient(bench.address, version="1.41", timeout=10)
    yield client
    client.close()


def run(api: APIClient, name: str, command: list[str], **host: Any) -> str:
    settings = api.create_host_config(network_mode="none", **host)
    made = api.create_container(SHELL_IMAGE, command, name=name, host_config=settings)
    api.start(made["Id"])
    return str(made["Id"])


def actions(bench: HeldRehearsal, name: str) -> list[str]:
    found = bench.look(lambda world: world.stage.happenings.since(-1e9))
    return [
        happening.action
        for happening in found
        if happening.sort == "container" and happening.attributes["name"] == name
    ]


def state(api: APIClient, name: str) -> dict[str, object]:
    whole: dict[str, object] = api.inspect_container(name)["State"]
    return whole


def test_process_one_without_a_handler_takes_the_whole_grace(
    bench: HeldRehearsal, api: APIClient
) -> None:
    run(api, "deaf", ["sleep", "1000"])
    before = bench.clock.monotonic()
    api.stop("deaf", timeout=7)
    assert 7 <= bench.clock.monotonic() - before < 8
    assert (state(api, "deaf")["ExitCode"], state(api, "deaf")["Pid"]) == (137, 0)
    assert actions(bench, "deaf") == ["create", "start", "kill", "kill", "die", "stop"]


def test_one_that_listens_stops_at_once(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "polite", ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"])
    before = bench.clock.monotonic()
    api.stop("polite", timeout=30)
    assert bench.clock.monotonic() - before < 1
    assert state(api, "polite")["ExitCode"] == 0
    assert actions(bench, "polite") == ["create", "start", "kill", "die", "stop"]


def test_an_init_ends_it_with_143(api: APIClient) -> None:
    run(api, "child", ["sleep", "1000"], init=True)
    api.stop("child")
    assert state(api, "child")["ExitCode"] == 143


def test_stopping_twice_and_starting_twice_change_nothing(
    bench: HeldRehearsal, api: APIClient
) -> None:
    run(api, "twice", ["sleep", "1000"])
    api.start("twice")
    api.stop("twice", timeout=0)
    api.stop("twice", timeout=0)
    assert actions(bench, "twice").count("start") == actions(bench, "twice").count("stop") == 1


def test_a_restart_stops_then_starts_then_says_so(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "again", ["sleep", "1000"])
    first = state(api, "again")["StartedAt"]
    api.restart("again", timeout=1)
    assert actions(bench, "again")[2:] == ["kill", "kill", "die", "stop", "start", "restart"]
    assert state(api, "again")["Status"] == "running"
    assert state(api, "again")["StartedAt"] != first


def test_kill_takes_a_signal_by_name_and_number(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "victim", ["sh", "-c", "trap 'exit 5' TERM; while true; do sleep 1; done"])
    api.kill("victim", "SIGTERM")
    bench.advance(1)
    assert state(api, "victim")["ExitCode"] == 5
    api.start("victim")
    api.kill("victim", 9)
    assert state(api, "victim")["ExitCode"] == 137
    with pytest.raises(APIError, match="is not running"):
        api.kill("victim")


def test_a_crash_loop_backs_off_to_a_minute_and_counts(
    bench: HeldRehearsal, api: APIClient
) -> None:
    run(api, "loop", ["sh", "-c", "exit 2"], restart_policy={"Name": "always"})
    bench.advance(1)
    early = api.inspect_container("loop")
    assert early["State"]["Status"] == "restarting"
    assert early["State"]["Running"]
    assert early["RestartCount"] == 4
    listed = api.containers(filters={"name": "loop"})[0]["Status"]
    assert listed == "Restarting (2) Less than a second ago"
    bench.advance(600)
    happened = bench.look(lambda world: world.stage.happenings.since(-1e9))
    starts = [h.at for h in happened if h.action == "start"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60]
    assert gaps[: len(expected)] == pytest.approx(expected, abs=0.02)
    assert api.inspect_container("loop")["RestartCount"] == len(starts) - 1 + 1


def test_a_start_by_hand_counts_anew_and_a_stop_ends_the_loop(
    bench: HeldRehearsal, api: APIClient
) -> None:
    run(api, "loop", ["sh", "-c", "exit 2"], restart_policy={"Name": "unless-stopped"})
    bench.advance(5)
    api.start("loop")
    assert api.inspect_container("loop")["RestartCount"] == 0
    bench.advance(5)
    api.stop("loop")
    assert state(api, "loop")["Status"] == "exited"
    before = len(actions(bench, "loop"))
    bench.advance(300)
    assert len(actions(bench, "loop")) == before


def test_on_failure_gives_up_after_its_tries(bench: HeldRehearsal, api: APIClient) -> None:
    policy = {"Name": "on-failure", "MaximumRetryCount": 3}
    run(api, "tries", ["sh", "-c", "exit 1"], restart_policy=policy)
    bench.advance(60)
    assert api.inspect_container("tries")["RestartCount"] == 3
    assert state(api, "tries")["Status"] == "exited"
    run(api, "fine", ["sh", "-c", "exit 0"], restart_policy=policy)
    bench.advance(60)
    assert api.inspect_container("fine")["RestartCount"] == 0


def test_pausing_keeps_it_and_refuses_an_exec(api: APIClient) -> None:
    run(api, "still", ["sleep", "1000"])
    api.pause("still")
    assert state(api, "still")["Status"] == "paused"
    assert api.containers(filters={"name": "still"})[0]["Status"].endswith("(Paused)")
    with pytest.raises(APIError, match="is paused, unpause the container before exec"):
        api.exec_create("still", ["true"])
    api.unpause("still")
    assert state(api, "still")["Status"] == "running"


def test_health_becomes_bad_after_its_retries(bench: HeldRehearsal, api: APIClient) -> None:
    check = {"test": ["CMD-SHELL", "echo bad; exit 1"], "interval": 10**9, "retries": 2}
    settings = api.create_host_config(network_mode="none")
    api.create_container(
        SHELL_IMAGE, ["sleep", "1000"], name="ill", healthcheck=check, host_config=settings
    )
    api.start("ill")
    assert api.containers()[0]["Status"].endswith("(health: starting)")
    bench.advance(2.5)
    health = api.inspect_container("ill")["State"]["Health"]
    assert (health["Status"], health["FailingStreak"]) == ("unhealthy", 2)
    assert health["Log"][-1]["Output"] == "bad\n"
    assert "health_status: unhealthy" in actions(bench, "ill")
    assert api.containers(filters={"health": "unhealthy"})


def test_removing_needs_force_while_it_runs(api: APIClient) -> None:
    run(api, "kept", ["sleep", "1000"])
    with pytest.raises(APIError, match=r"running container|container is running"):
        api.remove_container("kept")
    api.remove_container("kept", force=True)
    assert api.containers(all=True) == []


def test_waiting_gives_the_exit_code(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "brief", ["sh", "-c", "exit 3"])
    bench.advance(1)
    assert api.wait("brief")["StatusCode"] == 3


def test_a_stop_signal_of_its_own_is_sent(bench: HeldRehearsal, api: APIClient) -> None:
    settings = api.create_host_config(network_mode="none", init=True)
    api.create_container(
        SHELL_IMAGE, ["sleep", "9"], name="int", stop_signal="SIGINT", host_config=settings
    )
    api.start("int")
    api.stop("int")
    kills = bench.look(
        lambda world: [
            h.attributes["signal"] for h in world.stage.happenings.since(-9) if h.action == "kill"
        ]
    )
    assert kills == ["2"]


def test_exec_runs_what_is_there_and_refuses_the_rest(bench: HeldRehearsal, api: APIClient) -> None:
    run(api, "box", ["sleep", "1000"])

    def execute(command: list[str]) -> tuple[bytes, int]:
        made = api.exec_create("box", command)["Id"]
        return api.exec_start(made), api.exec_inspect(made)["ExitCode"]

    assert execute(["echo", "hello", "there"]) == (b"hello there\n", 0)
    assert execute(["sh", "-c", "echo one; exit 5"]) == (b"one\n", 5)
    assert execute(["cat", "/nothing"])[1] == 1
    output, code = execute(["nosuch"])
    assert b'exec: "nosuch": executable file not found in $PATH' in output
    assert code in {126, 127}
    api.stop("box", timeout=0)
    with pytest.raises(APIError, match="is not running"):
        api.exec_create("box", ["true"])


def test_every_card_is_seen_from_any_container_on_wsl_only(studio: HeldRehearsal) -> None:
    on_wsl = docker(studio.environ, "exec", "myia", "nvidia-smi", "-L").stdout.splitlines()
    assert len(on_wsl) == 2
    with held_rehearsal("native") as native:
        lines = docker(native.environ, "exec", "myia", "nvidia-smi", "-L").stdout.splitlines()
    assert len(lines) == 1
    assert "3080" in lines[0]


def test_the_docker_command_works_it(studio: HeldRehearsal) -> None:
    def ok(*args: str) -> "subprocess.CompletedProcess[str]":
        done = docker(studio.environ, *args)
        assert done.returncode == 0, done.stderr
        return done

    assert ok("stop", "-t", "3", "myia").stdout == "myia\n"
    assert "Exited (0)" in ok("ps", "-a", "--filter", "name=^/myia$").stdout
    ok("start", "myia")
    ok("restart", "myia-turbo")
    ok("kill", "myia")
    ok("rename", "caddy", "front")
    ok("pause", "front")
    ok("unpause", "front")
    ok("rm", "-f", "front")
    assert ok("exec", "comfyui-qwen", "echo", "hi").stdout == "hi\n"
    failed = docker(studio.environ, "exec", "comfyui-qwen", "sh", "-c", "exit 4")
    assert failed.returncode == 4
    gone = docker(studio.environ, "stop", "front")
    assert gone.returncode == 1
    assert "No such container: front" in gone.stderr
    studio.advance(30)
    told = ok(
        "events", "--since", "2026-11-22T22:00:00Z", "--until", "2026-11-22T22:41:20Z",
        "--filter", "container=myia", "--format", "{{.Action}}",
    )  # fmt: skip
    assert told.stdout.split() == ["kill", "die", "stop", "start", "kill", "die"]


def test_a_stubborn_comfyui_ends_in_137_after_ten_seconds() -> None:
    with held_rehearsal("stubborn") as host:
        api = APIClient(host.address, version="auto")
        before = host.clock.monotonic()
        api.stop("comfyui-qwen")
        assert host.clock.monotonic() - before >= 10
        assert api.inspect_container("comfyui-qwen")["State"]["ExitCode"] == 137
        api.close()


def test_the_flapping_one_starts_ten_times_a_second() -> None:
    with held_rehearsal("flapping") as host:
        host.advance(2)
        happened = host.look(lambda world: world.stage.happenings.since(0))
        assert 18 <= sum(h.action == "start" for h in happened) <= 22
