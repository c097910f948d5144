"""What an inspect becomes: complete, masked, and never an error, however odd the answer is."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.details.inspected import details_of, variables
from actions.details.mounts import read_mounts
from actions.details.raw import raw_lines
from actions.details.read import read_details, read_processes, reveal
from actions.details.runs import runs_of
from actions.details.snapshot import NOT_READ, Mount
from actions.session import open_session
from console.engine.faults import EngineError, NoSuchContainerError
from console.engine.snapshot import EngineEvent
from console.errors import UsageError
from console.host.folders import Folder, look_at
from console.unknown import Unknown
from tests.support.engine import Workbench, engine_address, workbench
from tests.support.fake_engine import FakeEngine
from tests.support.program import private_environment
from tests.support.snapshots import NOW, container, ident
from tests.support.waiting import wait_until

__all__ = ["engine_address", "workbench"]

SECRET = "hf_aVerySecretTokenOf32Characters0"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["Id", "Config", "Env", "Mounts", "State", "Health", "Log", "NetworkSettings",
             "Networks", "HostConfig", "Args", "Cmd", "Healthcheck", "Test", "x"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


def inspect(**config: Any) -> dict[str, Any]:
    """Give an inspect answer of a container that runs."""
    return {
        "Id": "a" * 64,
        "Name": "/forge",
        "Path": "init.sh",
        "Args": ["--api-auth", f"user:{SECRET}"],
        "State": {"Status": "running", "Pid": 5, "StartedAt": "2026-11-22T20:00:00Z"},
        "Config": {
            "Env": [f"HF_TOKEN={SECRET}", f"WEB_PASSWORD=two words {SECRET}", "A=1", "A=2"],
            "Cmd": ["--api-auth", f"user:{SECRET}"],
            "Labels": {"token": SECRET, "evil": "\x1b]0;title\x07x\u202e"},
            **config,
        },
    }


def event(action: str, seconds: float, code: int | None = None, signal: str = "") -> EngineEvent:
    return EngineEvent(
        at=NOW + timedelta(seconds=seconds),
        container_id=ident("myia"),
        container_name="myia",
        action=action,
        exit_code=code,
        signal=signal or None,
    )


@given(JSON)
def test_no_answer_however_odd_raises(answer: Any) -> None:
    told = answer if isinstance(answer, dict) else {"Id": "a", "Config": answer}
    details_of(told, NOW, NOT_READ, NOT_READ, raw_lines(told))


def test_no_secret_is_anywhere_in_details() -> None:
    answer = inspect()
    found = details_of(answer, NOW, NOT_READ, NOT_READ, raw_lines(answer))
    assert found is not None
    assert SECRET not in repr(found)
    assert "two words" not in repr(found)
    assert "\x1b" not in repr(found.raw)
    assert "\u202e" not in "".join(found.raw)
    shown = {one.name: (one.value, one.masked) for one in found.environment}
    assert shown == {"A": ("2", False), "HF_TOKEN": ("***", True), "WEB_PASSWORD": ("***", True)}


def test_a_variable_of_the_image_is_told_from_ones_own() -> None:
    assert [one.origin for one in variables(["PATH=/bin"], NOT_READ)] == ["container"]


def test_runs_are_put_together_from_starts_and_ends() -> None:
    runs = runs_of(
        container("myia", restart_count=5),
        [
            event("die", 1, 2),
            event("start", 2),
            event("kill", 3, signal="15"),
            event("die", 4, 143),
            event("start", 5),
            event("oom", 6),
            event("die", 7, 137),
            event("start", 8),
        ],
    )
    assert [run.exit_code for run in runs.runs] == [None, 137, 143, 2]
    assert [run.asked for run in runs.runs] == [False, False, True, False]
    assert runs.runs[3].started_at is None
    assert runs.runs[1].meaning == "out of memory: over its memory limit"
    assert runs.runs[2].meaning == "terminated, as asked"
    assert runs.forgotten == 2
    assert runs.since == NOW + timedelta(seconds=1)


def test_a_signal_that_ends_nothing_explains_no_end() -> None:
    told = [event("start", 0), event("kill", 1, signal="1"), event("die", 2, 1)]
    assert runs_of(container("myia"), told).runs[0].asked is False


def test_a_dead_mount_keeps_nobody_waiting_and_is_asked_once() -> None:
    release, asked = threading.Event(), []

    def look(path: Path) -> Folder:
        asked.append(str(path))
        if path.name == "dead":
            release.wait(20)
        return Folder(present=True, size_bytes=1, free_bytes=2, total_bytes=3, read_only=False)

    try:
        for _ in range(3):
            found = look_at(["/x/dead", "/x/alive"], 0.05, look)
            assert isinstance(found["/x/dead"].present, Unknown)
            assert found["/x/dead"].present.code == "host.path-hangs"
            assert found["/x/alive"].present is True
        assert asked.count("/x/dead") == 1
    finally:
        release.set()
    wait_until(lambda: look_at(["/x/dead"], 0.05, look)["/x/dead"].present is True)


def test_mounts_are_looked_at_on_this_host(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "model.safetensors").write_bytes(b"x" * 5000)
    (tmp_path / "link").symlink_to("/")
    session = open_session(private_environment(tmp_path))
    here = Mount(kind="bind", name="", source=str(tmp_path), target="/a", writable=True)
    gone = Mount(kind="bind", name="", source=f"{tmp_path}/no", target="/b", writable=True)
    memory = Mount(kind="tmpfs", name="", source="", target="/c", writable=True)
    first, second, third = read_mounts(session, (here, gone, memory), 10)
    assert first.present is True
    assert isinstance(first.size_bytes, int)
    assert 5000 <= first.size_bytes < 20_000
    assert isinstance(first.free_bytes, int)
    assert second.present is False
    assert isinstance(third.present, Unknown)
    assert third.present.code == "details.in-memory"


def test_mounts_of_another_host_are_not_looked_for_here(tmp_path: Path) -> None:
    environ = private_environment(tmp_path, {"DOCKER_HOST": "tcp://192.0.2.1:2375"})
    mount = Mount(kind="bind", name="", source="/", target="/a", writable=True)
    (state,) = read_mounts(open_session(environ), (mount,))
    assert isinstance(state.present, Unknown)
    assert state.present.code == "details.other-host"


def test_an_engine_without_image_or_events_still_gives_the_rest(tmp_path: Path) -> None:
    with FakeEngine(tmp_path / "docker.sock") as engine:
        ident_ = engine.add(1, "forge", Status="running")
        engine.overrides["/events"] = lambda: (500, b'{"message": "no"}')
        environ = private_environment(tmp_path, {"DOCKER_HOST": engine.address})
        found = read_details(open_session(environ), ident_)
        assert found.container.name == "forge"
        assert isinstance(found.image, Unknown)
        assert isinstance(found.runs, Unknown)
        with pytest.raises(NoSuchContainerError):
            read_details(open_session(environ), "f" * 64)


@pytest.mark.engine
def test_a_real_container_is_read_to_the_bottom(workbench: Workbench, tmp_path: Path) -> None:
    source = tmp_path / "models"
    source.mkdir()
    made = workbench.run(
        "details",
        ["sh", "-c", "sleep 0.3; exit 3"],
        environment={"HF_TOKEN": SECRET, "PLAIN": "1"},
        healthcheck={"test": ["CMD-SHELL", "echo fine"], "interval": 1_000_000_000},
        host={
            "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 2},
            "binds": [f"{source}:/models:ro"],
            "tmpfs": {"/scratch": ""},
        },
    )
    session = open_session(private_environment(tmp_path, {"DOCKER_HOST": workbench.address}))
    found = wait_until(lambda: _ended(session, made), 15)
    assert not isinstance(found.runs, Unknown)
    assert [run.exit_code for run in found.runs.runs] == [3, 3, 3]
    assert found.runs.forgotten == 0
    assert all(run.started_at is not None for run in found.runs.runs)
    assert not isinstance(found.image, Unknown)
    assert found.image.moved is False
    assert [(mount.target, mount.writable) for mount in found.mounts] == [
        ("/models", False),
        ("/scratch", True),
    ]
    assert SECRET not in repr(found)
    assert reveal(session, made, "HF_TOKEN") == SECRET
    with pytest.raises(UsageError):
        reveal(session, made, "NOTHING")
    with pytest.raises(EngineError):
        read_processes(session, made)
    running = workbench.run("top", ["sleep", "60"])
    top = read_processes(session, running)
    assert "sleep 60" in top.rows[0]


def _ended(session: Any, made: str) -> Any:
    found = read_details(session, made)
    runs = found.runs
    if isinstance(runs, Unknown) or found.container.state != "exited":
        return None
    return found if len(runs.runs) >= 3 else None
