"""The engine's answers become Containers, whatever they hold."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.engine.parse import event, inspected, listed
from console.engine.snapshot import NOT_INSPECTED, Container, DeviceRequest, Port
from console.engine.values import moment
from console.text import clean_line
from console.unknown import Unknown

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
HEX = "4b5a1c54" * 8

INSPECT: dict[str, Any] = {
    "Id": HEX,
    "Created": "2026-11-20T10:00:00.123456789Z",
    "Path": "/init.sh",
    "Args": ["--gpu-device-id", "0", "--api-auth", "user:geheim"],
    "State": {
        "Status": "running", "OOMKilled": False, "Pid": 4242, "ExitCode": 0, "Error": "",
        "StartedAt": "2026-11-22T18:00:00.5+01:00", "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "healthy", "FailingStreak": 0, "Log": []},
    },
    "Name": "/myia",
    "RestartCount": 0,
    "HostConfig": {
        "Runtime": "runc",
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        "DeviceRequests": [
            {"Driver": "nvidia", "Count": 0, "DeviceIDs": ["0"], "Capabilities": [["gpu"]]},
            {"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu", "utility"]]},
            {"Driver": "cdi", "Count": 0, "DeviceIDs": ["vendor.com/net=1"], "Capabilities": []},
        ],
    },
    "Config": {
        "Image": "ghcr.io/ai-dock/forge:latest-cuda",
        "StopTimeout": 60,
        "Env": [
            "PATH=/bin", "FORGE_ARGS=--gpu-device-id 0 --cuda-malloc", "WEB_PASSWORD=geheim",
            "CUDA_DEVICE_ORDER=PCI_BUS_ID", "broken", "NVIDIA_VISIBLE_DEVICES=all",
        ],
        "Labels": {
            "com.docker.compose.project": "sd", "com.docker.compose.service": "myia",
            "com.docker.compose.project.config_files": "/sd/a.yml,/sd/b.yml",
            "com.docker.compose.project.environment_file": "/sd/studio.env, ",
            "com.docker.compose.project.working_dir": "/sd",
        },
    },
    "NetworkSettings": {
        "Ports": {
            "7860/tcp": [
                {"HostIp": "0.0.0.0", "HostPort": "7860"}, {"HostIp": "::", "HostPort": "7860"},
            ],
            "22/tcp": None,
        },
    },
}  # fmt: skip


def parsed(**changes: Any) -> Container:
    container = inspected({**INSPECT, **changes}, NOW)
    assert container is not None
    return container


def with_state(**changes: Any) -> Container:
    return parsed(State={**INSPECT["State"], **changes})


def test_a_running_container_reads_as_the_engine_tells_it() -> None:
    container = parsed()
    assert (container.name, container.state, container.pid) == ("myia", "running", 4242)
    assert container.status == "Up 4 hours (healthy)"
    assert container.health == "healthy"
    assert container.exit_code is None
    assert container.finished_at is None
    assert container.started_at == datetime(2026, 11, 22, 17, 0, 0, 500_000, tzinfo=UTC)
    assert container.created_at == datetime(2026, 11, 20, 10, 0, 0, 123_456, tzinfo=UTC)
    assert (container.restart_policy, container.stop_timeout) == ("on-failure:5", 60)
    assert container.ports == (
        Port(container_port=22, protocol="tcp"),
        Port(container_port=7860, protocol="tcp", host_ip="0.0.0.0", host_port=7860),
        Port(container_port=7860, protocol="tcp", host_ip="::", host_port=7860),
    )
    assert container.compose is not None
    assert container.compose.config_files == ("/sd/a.yml", "/sd/b.yml")
    assert container.compose.env_files == ("/sd/studio.env",)


@pytest.mark.parametrize(
    ("label", "files"),
    [
        ("/sd/a, b/x.yaml", ("/sd/a, b/x.yaml",)),
        ("/sd/a,b/x.yaml,/sd/y.yml", ("/sd/a,b/x.yaml", "/sd/y.yml")),
        ("/sd/a.yml,b.yml", ("/sd/a.yml", "b.yml")),
        ("a.yml, b", ("a.yml", "b")),
        ("/sd/odd,/sd/other", ("/sd/odd", "/sd/other")),
        (",,", ()),
    ],
)
def test_a_comma_in_a_compose_files_path_divides_no_path(
    label: str, files: tuple[str, ...]
) -> None:
    labels = {**INSPECT["Config"]["Labels"], "com.docker.compose.project.config_files": label}
    compose = parsed(Config={**INSPECT["Config"], "Labels": labels}).compose
    assert compose is not None
    assert compose.config_files == files


def test_only_what_chooses_a_card_leaves_the_environment() -> None:
    gpu = parsed().gpu
    assert not isinstance(gpu, Unknown)
    assert gpu.environment == (
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        ("FORGE_ARGS", "--gpu-device-id 0 --cuda-malloc"),
        ("NVIDIA_VISIBLE_DEVICES", "all"),
    )
    assert gpu.requests == (
        DeviceRequest(driver="nvidia", count=0, device_ids=("0",), capabilities=("gpu",)),
        DeviceRequest(driver="", count=-1, device_ids=(), capabilities=("gpu", "utility")),
    )
    assert gpu.arguments[:3] == ("/init.sh", "--gpu-device-id", "0")
    assert "geheim" not in repr(parsed())


def test_a_crashed_container_is_not_called_running() -> None:
    container = with_state(
        Status="exited", ExitCode=139, Pid=0, FinishedAt="2026-11-22T20:59:50Z", OOMKilled=True
    )
    assert (container.state, container.exit_code, container.pid) == ("exited", 139, None)
    assert container.status == "Exited (139) 10 seconds ago"
    assert container.oom_killed is True


def test_a_failed_start_keeps_its_code_and_words() -> None:
    failed = with_state(Status="created", ExitCode=127, Error='exec: "nosuch": not found')
    assert (failed.exit_code, failed.error) == (127, 'exec: "nosuch": not found')
    assert with_state(Status="created", ExitCode=0).exit_code is None


def test_a_secret_in_the_command_that_the_engine_repeats_is_masked() -> None:
    failed = with_state(Status="created", ExitCode=127, Error='exec: "--token=geheim": not found')
    assert failed.error == 'exec: "--token=***": not found'


def test_text_of_containers_cannot_steer_the_terminal() -> None:
    nasty = "a\x1b]0;owned\x07b\x9b31m[bold]c[/]\nd\u202ee\x00"
    config = {**INSPECT["Config"], "Image": nasty, "Labels": {nasty: nasty}, "Env": [nasty]}
    container = parsed(Name=f"/{nasty}", Config=config, Args=[nasty])
    for text in (container.name, container.image, repr(container.labels), repr(container.gpu)):
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)
        assert "\u202e" not in text
        assert "[bold]c[/]" in text


def test_missing_keys_are_unknown_with_their_reason() -> None:
    container = inspected({"Id": HEX}, NOW)
    assert container is not None
    assert container.name == HEX[:12]
    assert container.state == "unknown"
    for name in ("created_at", "oom_killed", "restart_count", "started_at", "pid"):
        value = getattr(container, name)
        assert isinstance(value, Unknown), name
        assert value.code == "engine.odd-answer"
    assert inspected({}, NOW) is None
    assert listed({}) is None


def test_a_list_entry_stands_until_the_inspect_comes() -> None:
    entry = {
        "Id": HEX, "Names": ["/other/alias", "/myia"], "Image": "forge", "State": "running",
        "Status": "Up 3 hours (healthy)", "Created": 1_763_632_800, "Labels": {"a": "b"},
        "Ports": [{"PrivatePort": 7860, "PublicPort": 7860, "Type": "tcp", "IP": "0.0.0.0"}],
    }  # fmt: skip
    container = listed(entry)
    assert container is not None
    assert (container.name, container.state) == ("myia", "running")
    assert container.exit_code == NOT_INSPECTED
    assert container.ports[0].host_port == 7860


def test_a_list_that_tells_of_another_state_drops_what_was_known_of_the_run() -> None:
    entry = {"Id": HEX, "Names": ["/myia"], "State": "exited", "Status": "Exited (1) 1 second ago"}
    container = listed(entry, parsed())
    assert container is not None
    assert container.state == "exited"
    assert container.pid == NOT_INSPECTED
    assert container.health == NOT_INSPECTED
    assert container.restart_policy == "on-failure:5"
    same = listed({**entry, "State": "running", "Status": "Up 4 hours (healthy)"}, parsed())
    assert same is not None
    assert same.pid == 4242


def test_times_of_the_engine() -> None:
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("2026-11-22T18:00:00.123456789+01:00") == datetime(
        2026, 11, 22, 17, 0, 0, 123_456, tzinfo=UTC
    )
    for nonsense in ("", "yesterday", "2026-13-40T99:00:00Z", "9999-12-31T23:59:59-23:59", 0, True):
        assert moment(nonsense) is None


def test_events_of_old_and_new_engines_read_alike() -> None:
    actor = {"ID": HEX, "Attributes": {"name": "my\x1bia", "exitCode": "137"}}
    new = {
        "Type": "container",
        "Action": "die",
        "Actor": actor,
        "timeNano": 1_763_000_000_500_000_000,
    }
    old = {"status": "die", "id": HEX, "Actor": actor, "timeNano": 1_763_000_000_500_000_000}
    found = event(new)
    assert found is not None
    assert found == event(old)
    assert found[1].exit_code == 137
    assert "\x1b" not in found[1].container_name
    assert found[1].at.microsecond == 500_000
    assert event({**new, "Type": "network"}) is None


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0001-01-01T00:00:00Z", "80/tcp", "A=B", "running"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(max_size=4) | st.sampled_from([*INSPECT, *INSPECT["State"], "80/tcp"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150)
@given(st.data())
def test_no_value_in_any_field_makes_an_inspect_fail(data: st.DataObject) -> None:
    answer = dict(INSPECT)
    for outer in data.draw(st.sets(st.sampled_from(sorted(INSPECT)), max_size=4)):
        part = answer[outer]
        if isinstance(part, dict) and part and data.draw(st.booleans()):
            answer[outer] = {**part, data.draw(st.sampled_from(sorted(part))): data.draw(json_like)}
        else:
            answer[outer] = data.draw(json_like)
    container = inspected(answer, NOW)
    assert container is None or container.id


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["Id", "Names", "Image", "State", "Status", "Created", "Ports", "Labels"]),
        json_like,
    )
)
def test_no_value_in_any_field_makes_a_list_entry_fail(entry: dict[str, Any]) -> None:  # fmt: skip
    container = listed(entry)
    told = entry.get("Id")
    assert (container is not None) == (isinstance(told, str) and clean_line(told) != "")


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["Type", "Action", "status", "id", "Actor", "time", "timeNano"]), json_like
    )
)
def test_no_value_in_any_field_makes_an_event_fail(told: dict[str, Any]) -> None:  # fmt: skip
    found = event(told)
    assert found is None or found[1].container_id
