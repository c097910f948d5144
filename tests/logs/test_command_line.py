"""`gpuconsole logs` as a process: what it prints, pipes, filters, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.engine import Workbench
from tests.support.program import private_environment, run_program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine
SCRIPT = """
echo 'INFO:root:begin'
echo 'WARNING: low' >&2
printf '\\033[31mERROR: red\\033[0m\\n'
echo 'Traceback (most recent call last):'; echo '  File "a.py", line 1'; echo 'ValueError: x'
printf '\\r 10%%|#  | 1/10\\r100%%|###| 10/10\\n'
echo '==> /var/log/supervisor/forge.log <=='; echo 'Model loaded'; echo
echo '==> /var/log/supervisor/caddy.log <=='; echo '{"level":"error","msg":"dial"}'
"""


@pytest.fixture
def place(workbench: Workbench, tmp_path: Path) -> dict[str, str]:
    """Give what the program is told of the engine."""
    return {"DOCKER_HOST": workbench.address, "TZ": "UTC"}


@pytest.fixture
def talker(workbench: Workbench) -> str:
    """Give the name of a container that has said what SCRIPT says."""
    # The first line of stderr may overtake those of stdout; a pause keeps them apart.
    script = SCRIPT.replace(
        "echo 'WARNING: low' >&2", "usleep 50000; echo 'WARNING: low' >&2; usleep 50000"
    )
    container = workbench.run("talker", ["sh", "-c", script])
    workbench.api.wait(container)
    return f"{workbench.prefix}talker"


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def texts(output: bytes) -> list[str]:
    return [one["data"]["text"] for one in lines(output)[:-1]]


def test_a_line_has_time_stream_level_and_text(
    talker: str, place: dict[str, str], tmp_path: Path
) -> None:
    done = run_program(["logs", talker], tmp_path, place)
    assert done.returncode == 0
    shown = done.stdout.decode().splitlines()
    assert b"\x1b" not in done.stdout
    assert shown[0][23:] == " out info     INFO:root:begin"
    assert shown[1][23:] == " err warning  WARNING: low"
    assert shown[2][23:] == " out error    ERROR: red"
    assert [line[24:33] for line in shown[3:6]] == ["out error"] * 3
    assert shown[6].endswith("100%|###| 10/10")
    assert shown[7].endswith("[forge] Model loaded")
    assert shown[8].endswith('[caddy] {"level":"error","msg":"dial"}')
    assert len(shown) == 9


def test_json_lines_and_their_end(talker: str, place: dict[str, str], tmp_path: Path) -> None:
    done = run_program(["logs", talker, "--json"], tmp_path, place)
    told = lines(done.stdout)
    assert all(one["schema"] == "gpuconsole/1" and one["ok"] for one in told)
    assert told[-1]["data"] == {"event": "done", "lines": 9, "state": "ended"}
    first, forge = told[0]["data"], told[7]["data"]
    assert set(first) == {"event", "time", "stream", "source", "level", "text"}
    assert (first["event"], first["stream"], first["source"]) == ("line", "stdout", "")
    assert len(first["time"]) == 30
    assert forge["source"] == "/var/log/supervisor/forge.log"


def test_filters_compose(talker: str, place: dict[str, str], tmp_path: Path) -> None:
    def left(*options: str) -> list[str]:
        done = run_program(["logs", talker, "--json", *options], tmp_path, place)
        assert done.returncode == 0
        return texts(done.stdout)

    assert left("--level", "error", "--source", "caddy") == ['{"level":"error","msg":"dial"}']
    assert left("--grep", "^ERR|mod") == ["ERROR: red"]
    assert left("--grep", "^ERR|mod", "-i") == ["ERROR: red", "Model loaded"]
    assert left("--level", "warning", "--grep", "low") == ["WARNING: low"]
    assert left("--level", "ERROR", "--tail", "1") == ['{"level":"error","msg":"dial"}']
    assert left("--tail", "0") == []
    assert left("--since", "2h", "--until", "1h") == []
    assert len(left("--last-start", "--since", "1h")) == 9


def test_a_source_that_is_not_there_names_those_that_are(
    talker: str, place: dict[str, str], tmp_path: Path
) -> None:
    done = run_program(["logs", talker, "--source", "comfyui"], tmp_path, place)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"forge, caddy" in done.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--grep", "("], "logs.bad-pattern"),
        (["--since", "yesterday"], "usage.bad-time"),
        (["--since", "5m", "--until", "10m"], "usage.bad-time"),
        (["--level", "loud"], "usage.bad-parameter"),
        (["--tail", "-1"], "usage.bad-parameter"),
    ],
)
def test_nonsense_is_a_usage_error(
    talker: str, place: dict[str, str], tmp_path: Path, options: list[str], code: str
) -> None:
    done = run_program(["logs", talker, "--json", *options], tmp_path, place)
    assert done.returncode == 2
    assert lines(done.stdout)[-1]["error"]["code"] == code


def test_an_expression_without_end_fails_and_says_so(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    container = workbench.run(
        "long", ["sh", "-c", "busybox yes a | busybox head -n 5000 | busybox tr -d '\\n'; echo !"]
    )
    workbench.api.wait(container)
    done = run_program(["logs", container, "--grep", "(a+)+$", "--json"], tmp_path, place)
    assert done.returncode == 2
    assert lines(done.stdout)[-1]["error"]["code"] == "logs.pattern-slow"


def test_names_that_are_none_and_an_engine_that_is_none(
    talker: str, place: dict[str, str], tmp_path: Path
) -> None:
    wrong = run_program(["logs", talker[:-1] + "q"], tmp_path, place)
    assert wrong.returncode == 2
    assert talker.encode() in wrong.stderr
    nowhere = run_program(["logs", talker], tmp_path, {"DOCKER_HOST": "unix:///nowhere.sock"})
    assert nowhere.returncode == 4


def test_several_containers_are_named_and_merged(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    names = []
    for word in ("first", "second"):
        workbench.api.wait(workbench.run(word, ["echo", word]))
        names.append(f"{workbench.prefix}{word}")
    # The later one is asked for first, and one of them twice.
    done = run_program(["logs", *reversed(names), names[0], "--json"], tmp_path, place)
    told = [one["data"] for one in lines(done.stdout)[:-1]]
    assert [(one["container"], one["text"]) for one in told] == list(
        zip(names, ("first", "second"), strict=True)
    )


def test_a_driver_that_keeps_nothing_fails_with_a_hint(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    container = workbench.run("silent", ["sleep", "60"], host={"log_config": {"Type": "none"}})
    for follow in ([], ["--follow"]):
        done = run_program(["logs", container, *follow], tmp_path, place)
        assert done.returncode == 1
        assert b"none" in done.stderr
        assert b"--log-driver local" in done.stderr


class Running:
    """The verb as a process that goes on; killed in the end."""

    def __init__(self, home: Path, environ: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "console", "logs", *arguments],
            env=private_environment(home, environ), cwd=home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()

    def read_line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


COUNTING = "i=0; while true; do echo line $i; i=$((i+1)); usleep 20000; done"


def test_follow_ends_with_130_on_ctrl_c(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    container = workbench.run("counting", ["sh", "-c", COUNTING])
    with Running(tmp_path, place, container, "-f", "--json") as running:
        assert json.loads(running.read_line())["data"]["text"] == "line 0"
        running.process.send_signal(signal.SIGINT)
        out, err = running.process.communicate(timeout=10)
        assert running.process.returncode == 130
        assert lines(out)[-1]["data"]["event"] == "failed"
        assert b"Traceback" not in err


def test_follow_ends_when_the_container_is_removed(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    container = workbench.run("counting", ["sh", "-c", COUNTING])
    with Running(tmp_path, place, container, "-f") as running:
        assert running.read_line().endswith(b"line 0\n")
        workbench.remove(container)
        _, err = running.process.communicate(timeout=15)
        assert running.process.returncode == 0
        assert b"was removed" in err


def test_a_head_that_has_enough_ends_it_quietly(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    # It says one line and no more: nothing is written that could fail.
    container = workbench.run("quiet", ["sh", "-c", "echo only; sleep 60"])
    with Running(tmp_path, place, container, "--follow") as running:
        assert running.read_line().endswith(b"only\n")
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert running.process.wait(10) == 0
        assert running.process.stderr is not None
        assert running.process.stderr.read() == b""
        running.process.stdout = None


def test_everything_of_a_long_log_comes_through_a_pipe(
    workbench: Workbench, place: dict[str, str], tmp_path: Path
) -> None:
    container = workbench.run("long", ["busybox", "seq", "1", "30000"])
    workbench.api.wait(container)
    done = run_program(["logs", container], tmp_path, place)
    numbers = [int(line.rpartition(b" ")[2]) for line in done.stdout.splitlines()]
    assert numbers == list(range(1, 30_001))


def test_levels_are_coloured_only_on_a_terminal(
    talker: str, place: dict[str, str], tmp_path: Path
) -> None:
    def shown(**more: str) -> bytes:
        near, far = os.openpty()
        environ = private_environment(tmp_path, {**place, "TERM": "xterm", **more})
        process = subprocess.Popen(
            [sys.executable, "-m", "console", "logs", talker], env=environ, stdout=far, stderr=far
        )
        os.close(far)
        output = b""

        def over() -> bool:
            nonlocal output
            try:
                piece = os.read(near, 65_536)
            except OSError:
                return True
            output += piece
            return not piece

        wait_until(over, 20)
        os.close(near)
        assert process.wait(10) == 0
        return output

    assert b"\x1b[31merror   \x1b[0m" in shown()
    plain = shown(NO_COLOR="1")
    assert b"\x1b" not in plain
    assert b" error " in plain
