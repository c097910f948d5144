"""Bringing one service up through both real generations of compose, on a real engine."""

import threading
from pathlib import Path

import pytest

from console.compose.command import ComposeCommand, Version
from console.compose.faults import ComposeCancelledError, ComposeError
from console.compose.project import Project, read_service
from console.compose.run import shown_command, up
from tests.compose.conftest import Bench
from tests.support.waiting import wait_until

STUDIO = """
services:
  comfyui:
    image: IMAGE
    network_mode: none
    stop_signal: SIGKILL
    command: ["sleep", "10000"]
    depends_on: [cache]
  cache:
    image: IMAGE
    network_mode: none
    stop_signal: SIGKILL
    command: ["sleep", "10000"]
  forge:
    image: IMAGE
    network_mode: none
    command: ["no-such-program"]
  slow:
    image: IMAGE
    network_mode: none
    command: ["sleep", "10000"]
"""


@pytest.mark.engine
def test_a_service_is_created_and_its_output_told(compose: Bench) -> None:
    compose.write(STUDIO)
    assert compose.up("comfyui") == "compose brought comfyui up"
    found = compose.containers()
    assert {name: one["state"] for name, one in found.items()} == {
        "comfyui": "running",
        "cache": "running",
    }
    assert any("Creat" in line and "comfyui" in line for line in compose.told)
    assert not any("\x1b" in line or line != line.strip() for line in compose.told)


@pytest.mark.engine
def test_a_start_recreates_nothing_and_a_move_only_the_one(compose: Bench) -> None:
    compose.write(STUDIO)
    compose.up("comfyui")
    before = compose.containers()
    compose.write(STUDIO.replace('"10000"', '"20000"'))
    compose.up("comfyui")
    assert {n: one["id"] for n, one in compose.containers().items()} == {
        n: one["id"] for n, one in before.items()
    }
    compose.up("comfyui", recreate=True)
    after = compose.containers()
    assert after["comfyui"]["id"] != before["comfyui"]["id"]
    assert after["cache"]["id"] == before["cache"]["id"]
    inspected = compose.bench.api.inspect_container(after["comfyui"]["id"])
    assert inspected["Config"]["Cmd"] == ["sleep", "20000"]


@pytest.mark.engine
def test_what_the_engine_says_is_in_the_error(compose: Bench) -> None:
    compose.write(STUDIO)
    with pytest.raises(ComposeError) as error:
        compose.up("forge")
    assert error.value.code == "compose.failed"
    assert "compose could not bring forge up (exit 1)" in error.value.title
    assert "no-such-program" in error.value.detail


@pytest.mark.engine
def test_the_project_goes_by_its_labels(compose: Bench) -> None:
    compose.write(STUDIO)
    name = f"{compose.folder.name}x"
    try:
        compose.up("slow", name=name, directory=compose.folder)
        assert compose.containers() == {}
        found = compose.containers(name)["slow"]
        assert found["com.docker.compose.project.working_dir"] == str(compose.folder)
    finally:
        compose.remove(name)


@pytest.mark.engine
def test_variables_come_from_the_project_s_env_file(compose: Bench) -> None:
    compose.write(STUDIO.replace('"10000"', '"${SECONDS_TO_SLEEP}"'))
    (compose.folder / ".env").write_text("SECONDS_TO_SLEEP=777\n")
    (compose.folder / "other.env").write_text("SECONDS_TO_SLEEP=888\n")
    compose.up("slow")
    first = compose.bench.api.inspect_container(compose.containers()["slow"]["id"])
    assert first["Config"]["Cmd"] == ["sleep", "777"]
    compose.up("slow", recreate=True, env_files=(compose.folder / "other.env",))
    second = compose.bench.api.inspect_container(compose.containers()["slow"]["id"])
    assert second["Config"]["Cmd"] == ["sleep", "888"]


def stand_in(folder: Path, script: str) -> tuple[ComposeCommand, Path]:
    """Give a compose that does what a test says, and a compose file."""
    program = folder / "docker-compose"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    file = folder / "compose.yaml"
    file.write_text(STUDIO)
    version = Version(major=2, minor=30)
    environ = {"PATH": "/usr/bin:/bin"}
    return ComposeCommand(words=(str(program),), version=version, environ=environ), file


def run(folder: Path, script: str, **how: object) -> tuple[str, list[str]]:
    command, file = stand_in(folder, script)
    told: list[str] = []
    settings = {"recreate": False, "cancelled": lambda: False, "limit": 20.0, **how}
    text = up(command, read_service(file, "slow"), "slow", tell=told.append, **settings)  # type: ignore[arg-type]
    return text, told


def test_a_cancel_ends_all_of_it_as_ctrl_c_would(tmp_path: Path) -> None:
    begun = threading.Event()
    script = (
        f"trap 'echo interrupted > {tmp_path}/trapped; exit 130' INT\n"
        f"echo $$ > {tmp_path}/pid; echo Pulling layer 1; sleep 300 & wait"
    )
    command, file = stand_in(tmp_path, script)
    errors: list[ComposeError] = []

    def go() -> None:
        try:
            up(
                command,
                read_service(file, "slow"),
                "slow",
                recreate=False,
                tell=lambda _: begun.set(),
                cancelled=begun.is_set,
                limit=60,
            )
        except ComposeError as error:
            errors.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join(20)
    assert isinstance(errors[0], ComposeCancelledError)
    assert (tmp_path / "trapped").read_text() == "interrupted\n"
    assert errors[0].detail == "Pulling layer 1"
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_deaf_one_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.compose.run._END_SECONDS", 0.3)
    with pytest.raises(ComposeError) as error:
        run(tmp_path, "trap '' INT TERM; echo waiting; while :; do sleep 0.1; done", limit=0.5)
    assert (error.value.code, error.value.detail) == ("compose.outlasted", "waiting")
    assert "after 0.5 s" in error.value.title


def test_secrets_and_colours_in_the_output_are_not_told(tmp_path: Path) -> None:
    script = r"printf '\033[31mPulling --api-auth jesse:s3cr3t-pass\033[0m\r\n\377\376 done\n'"
    text, told = run(tmp_path, script)
    assert text == "compose brought slow up"
    assert told == ["Pulling --api-auth ***", "\ufffd\ufffd done"]


def test_a_flood_without_line_ends_does_not_fill_memory(tmp_path: Path) -> None:
    _, told = run(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x")
    assert max(len(line) for line in told) <= 500


def test_a_helper_that_outlives_it_holds_nothing_up(tmp_path: Path) -> None:
    text, _ = run(tmp_path, "sleep 5 & echo done; exit 0", limit=4.0)
    assert text == "compose brought slow up"


def test_an_end_by_a_signal_is_told(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="ended by signal 9"):
        run(tmp_path, "kill -9 $$")


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    command, file = stand_in(tmp_path, "exit 0")
    target = read_service(file, "slow", Project(files=(file,), directory=tmp_path / "gone"))
    with pytest.raises(ComposeError) as error:
        up(
            command, target, "slow", recreate=False, tell=print, cancelled=lambda: False, limit=5
        )  # fmt: skip
    assert error.value.code == "compose.broken"


def test_the_command_that_a_person_could_type() -> None:
    project = Project(files=(Path("/srv/sd/a b.yaml"),), name="sd", directory=Path("/srv/sd"))
    assert shown_command(project, "comfyui", recreate=True) == (
        "docker compose -p sd --project-directory /srv/sd -f '/srv/sd/a b.yaml' "
        "up -d --no-deps --force-recreate -- comfyui"
    )
