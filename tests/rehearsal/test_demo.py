"""`gpuconsole demo`: lists, serves, runs commands inside, and cleans up whatever ends it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.simulator.scenario import scenario_names
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


def environment(runtime: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(runtime), **more}


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give a runtime directory short enough for sockets."""
    folder = Path("/tmp") / f"gct-{os.getpid()}-{tmp_path_factory.mktemp('r').name}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def demo(runtime: Path, *args: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "console", "demo", *args],
        env=environment(runtime, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_list_names_every_scenario_with_a_line(runtime: Path) -> None:
    plain = demo(runtime, "--list")
    assert plain.returncode == 0, plain.stderr
    assert [line.split()[0] for line in plain.stdout.splitlines()] == list(scenario_names())
    answer = json.loads(demo(runtime, "--list", "--json").stdout)
    assert answer["schema"] == "gpuconsole/1"
    assert answer["ok"]
    assert all(entry["title"] for entry in answer["data"]["scenarios"])


def test_a_command_runs_inside_and_its_exit_code_comes_back(runtime: Path) -> None:
    done = demo(
        runtime, "--scenario", "crash-loop", "--", "sh", "-c",
        'echo $GPUCONSOLE_REHEARSAL; test -S "${DOCKER_HOST#unix://}" && exit 7',
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "crash-loop\n"), done.stderr
    assert list(runtime.iterdir()) == []


def test_the_program_itself_runs_inside_without_being_on_the_path(runtime: Path) -> None:
    tools = {"PATH": "/usr/bin:/bin"}
    done = demo(runtime, "--", "gpuconsole", "status", "--json", **tools)
    answer = json.loads(done.stdout)
    assert answer["rehearsal"] is True
    assert len(answer["data"]["gpus"]) == 2
    assert {c["name"] for c in answer["data"]["containers"]} >= {"myia", "comfyui-qwen"}


def test_docker_inside_meets_the_rehearsal_whatever_was_set_before(runtime: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("no docker command here")
    hostile = {"DOCKER_CONTEXT": "elsewhere", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/x"}
    done = demo(runtime, "--", "docker", "ps", "--format", "{{.Names}}", **hostile)
    assert "comfyui-qwen" in done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--scenario", "crashloop"], 2, "did you mean crash-loop"),
        (["--"], 2, "no command after --"),
        (["--serve", "--", "true"], 2, "exclude each other"),
        (["--", "no-such-program"], 2, "cannot be run"),
        (["surplus"], 2, "surplus"),
        (["--seed", "-1", "--list"], 2, "seed"),
    ],
)
def test_mistakes_are_told_and_leave_nothing(
    runtime: Path, args: list[str], code: int, words: str
) -> None:
    done = demo(runtime, *args)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(runtime.iterdir()) == []


def test_a_folder_that_a_socket_cannot_lie_in_is_passed_over(runtime: Path) -> None:
    odd = [runtime / ("\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 35), runtime / "100%"]
    for folder in odd:
        folder.mkdir()
        done = demo(
            runtime, "--", "sh", "-c", 'test -S "${DOCKER_HOST#unix://}" && echo $DOCKER_HOST',
            XDG_RUNTIME_DIR=str(folder), TMPDIR=str(folder),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert str(folder) not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize(("options", "taken"), [("size=64k", 1), ("nr_inodes=3", 2)])
def test_a_full_disk_is_named_as_what_keeps_it_from_starting(
    runtime: Path, options: str, taken: int
) -> None:
    full = runtime / "full"
    full.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(full)])
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        for number in range(taken):
            with contextlib.suppress(OSError):
                (full / str(number)).write_bytes(b"x" * 100_000)
        done = demo(runtime, "--", "true", XDG_RUNTIME_DIR=str(full), TMPDIR=str(full))
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert "demo" not in "".join(path.name for path in full.iterdir())
    finally:
        subprocess.run(["umount", str(full)], check=True)


class Serving:
    """A `demo --serve`, up."""

    def __init__(self, runtime: Path, *args: str, stdin: int = subprocess.DEVNULL) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", "demo", *args],
            env=environment(runtime),
            stdin=stdin,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.answer = json.loads(self.process.stdout.readline())
        self.environ: dict[str, str] = self.answer["environment"]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serving_ends_cleanly_by_any_signal(runtime: Path, number: int) -> None:
    serving = Serving(runtime, "--serve", "--seed", "3")
    assert serving.answer["data"]["environment"] == serving.environ
    socket = Path(serving.environ["DOCKER_HOST"].removeprefix("unix://"))
    assert socket.is_socket()
    assert serving.end(number) == 0
    assert list(runtime.iterdir()) == []


def test_serving_ends_when_its_folder_is_gone_with_its_killed_parent(runtime: Path) -> None:
    serving = Serving(runtime, "--serve")
    assert len(list(runtime.iterdir())) == 1
    serving.end(signal.SIGKILL)
    wait_until(lambda: list(runtime.iterdir()) == [], 10)


def test_serving_ends_when_the_pipe_it_was_given_is_closed(runtime: Path) -> None:
    serving = Serving(runtime, "--serve", stdin=subprocess.PIPE)
    assert serving.process.poll() is None
    assert serving.process.stdin is not None
    serving.process.stdin.close()
    assert serving.process.wait(10) == 0
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_reaches_the_command_and_all_is_cleaned_up(
    runtime: Path, number: int, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "demo", "--", "sh", "-c", "echo up; exec sleep 60"],
        env=environment(runtime),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(number)
    assert process.wait(10) == code
    assert list(runtime.iterdir()) == []


def test_without_a_terminal_the_screen_is_refused_and_nothing_stays(runtime: Path) -> None:
    done = demo(runtime)
    assert done.returncode == 2
    assert "terminal" in done.stderr
    assert list(runtime.iterdir()) == []
