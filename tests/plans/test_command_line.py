"""`gpuconsole start|stop|restart|kill|timeline` as a process, as scripts and people call it."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from actions.operations import Operations
from actions.session import Session
from tests.plans.command import ROOT, lines, run
from tests.plans.conftest import Containers

pytestmark = pytest.mark.engine

PLAN_KEYS = {"id", "verb", "target", "steps", "checks", "verdict", "refusal"}
STEP_KEYS = {"id", "title", "touches", "command", "destructive", "undo"}


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "kill"])
def test_a_dry_run_shows_the_plan_and_changes_nothing(
    containers: Containers, environ: dict[str, str], verb: str
) -> None:
    name = containers.make(running=verb != "start")
    before = containers.client.inspect_container(name)
    done = run(environ, verb, name, "--dry-run", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["schema"] == "gpuconsole/1"
    assert answer["ok"] is True
    plan = answer["data"]["plan"]
    assert set(plan) >= PLAN_KEYS
    assert set(plan["steps"][0]) >= STEP_KEYS
    assert (plan["verb"], plan["target"], plan["refusal"]) == (verb, name, None)
    text = run(environ, verb, name, "--dry-run")
    assert plan["steps"][0]["command"] in text.stdout
    assert containers.client.inspect_container(name) == before
    assert run(environ, "timeline", "--json").stdout.count('"entries":[]') == 1


def test_a_refused_dry_run_exits_3_and_still_shows_the_plan(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make()
    containers.client.pause(name)
    done = run(environ, "start", name, "--dry-run", "--json")
    containers.client.unpause(name)
    assert done.returncode == 3
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    assert answer["error"]["code"] == "container.paused"
    assert answer["data"]["plan"]["verdict"] == "refused"
    assert answer["data"]["plan"]["refusal"]["code"] == "container.paused"


def test_a_run_is_a_stream_that_ends_in_done(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make()
    done = run(environ, "stop", name, "--yes", "--json")
    assert done.returncode == 0
    told = lines(done.stdout)
    assert [line["data"]["event"] for line in told if line["data"]["event"] != "step_progress"] == [
        "planned", "started", "step_started", "step_finished", "done",
    ]  # fmt: skip
    assert all(line["ok"] for line in told)
    assert containers.state(name) == "exited"


@pytest.mark.parametrize(
    ("verb", "by"),
    [
        ("start", "flag"),
        ("stop", "flag"),
        ("restart", "flag"),
        ("kill", "flag"),
        ("stop", "config"),
    ],
)
def test_read_only_refuses_everywhere(
    containers: Containers, environ: dict[str, str], tmp_path: Path, verb: str, by: str
) -> None:
    name = containers.make(running=verb != "start")
    state = containers.state(name)
    words = ["--read-only"] if by == "flag" else []
    if by == "config":
        (tmp_path / "c.toml").write_text("[policy]\nread_only = true\n")
        words = ["--config", str(tmp_path / "c.toml")]
    done = run(environ, *words, verb, name, "--yes", "--json")
    assert done.returncode == 3
    last = lines(done.stdout)[-1]
    assert last["error"]["code"] == "policy.read-only"
    assert last["data"]["event"] == "failed"
    assert containers.state(name) == state
    entry = json.loads(run(environ, "timeline", "--json").stdout)["data"]["entries"][0]
    assert (entry["verb"], entry["outcome"]) == (verb, "refused")


def test_a_wrong_config_refuses_changes_and_not_looking(
    containers: Containers, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text("[policy]\nread_onyl = true\n")
    name = containers.make()
    done = run(environ, "--config", str(tmp_path / "c.toml"), "stop", name, "--yes", "--json")
    assert done.returncode == 2
    assert lines(done.stdout)[-1]["error"]["code"] == "config.invalid"
    assert containers.state(name) == "running"
    assert run(environ, "--config", str(tmp_path / "c.toml"), "timeline").returncode == 0


def test_without_a_terminal_somebody_must_say_yes(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make()
    for words in ([], ["--json"]):
        done = run(environ, "stop", name, *words)
        assert done.returncode == 3
        assert "--yes" in done.stdout + done.stderr
    assert lines(done.stdout)[-1]["error"]["code"] == "confirm.no-terminal"
    assert containers.state(name) == "running"


@pytest.mark.parametrize(("answer", "code", "state"), [("y", 0, "exited"), ("n", 130, "running")])
def test_on_a_terminal_it_shows_the_plan_and_asks(
    containers: Containers, environ: dict[str, str], answer: str, code: int, state: str
) -> None:
    name = containers.make()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-m", "console", "stop", name], environ)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(terminal, 4096)
    assert f"stop {name}".encode() in shown
    os.write(terminal, f"{answer}\n".encode())
    try:
        while data := os.read(terminal, 4096):
            shown += data
    except OSError:
        pass  # Linux says so when the other side of a pty is closed
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code
    assert containers.state(name) == state


def test_several_are_planned_before_any_is_touched(
    containers: Containers, environ: dict[str, str]
) -> None:
    first, second = containers.make(name="plans-1"), containers.make(name="plans-2")
    done = run(environ, "stop", first, second + "-typo", "--yes")
    assert done.returncode == 2
    assert second in done.stderr
    assert containers.state(first) == "running"
    done = run(environ, "stop", first, second, first, "--yes", "--json")
    assert done.returncode == 0
    events = [line["data"]["event"] for line in lines(done.stdout)]
    assert events.count("planned") == 2
    assert events[-1] == "done"
    assert {containers.state(first), containers.state(second)} == {"exited"}
    both = json.loads(run(environ, "start", first, second, "--dry-run", "--json").stdout)["data"]
    assert [plan["target"] for plan in both["plans"]] == [first, second]


def test_an_engine_that_is_not_there_exits_4(environ: dict[str, str]) -> None:
    environ["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    done = run(environ, "stop", "myia", "--yes", "--json")
    assert done.returncode == 4
    assert lines(done.stdout)[-1]["data"]["event"] == "failed"
    assert run(environ, "stop", "myia", "--dry-run").returncode == 4


def test_an_unknown_name_is_a_stream_that_failed(environ: dict[str, str]) -> None:
    done = run(environ, "stop", "no-such-thing", "--yes", "--json")
    assert done.returncode == 2
    assert [line["data"]["event"] for line in lines(done.stdout)] == ["failed"]


@pytest.mark.parametrize(
    "words",
    [["stop"], ["stop", "x", "--timeout", "-1"], ["stop", "x", "--timeout", "soon"],
     ["kill", "x", "--signal", "KILLL"], ["start", "x", "--timeout", "3"],
     ["timeline", "--since", "yesterday"], ["timeline", "--since", "0001-01-01"],
     ["timeline", "--config", ""], ["stop", ""], ["timeline", "--limit", "0"], ["_run", "nothing"]],
)  # fmt: skip
def test_what_makes_no_sense_exits_2(environ: dict[str, str], words: list[str]) -> None:
    done = run(environ, *words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_the_timeline_tells_who_did_what(
    containers: Containers, environ: dict[str, str], new_session: Callable[..., Session]
) -> None:
    name = containers.make()
    assert run(environ, "stop", name, "--yes").returncode == 0
    operations = Operations(new_session(), via="tui")
    list(operations.run(operations.plan("start", name)))
    entries = json.loads(run(environ, "timeline", "--json").stdout)["data"]["entries"]
    assert [(entry["verb"], entry["via"], entry["outcome"]) for entry in entries] == [
        ("start", "tui", "done"),
        ("stop", "cli", "done"),
    ]
    assert {entry["ssh_origin"] for entry in entries} == {"10.0.0.5"}
    assert entries[1]["command"].endswith(f"stop {name}")
    assert entries[1]["duration_seconds"] > 0
    text = run(environ, "timeline", "--container", name, "--since", "1h", "--limit", "1").stdout
    assert text.count("\n") == 1
    assert "start" in text
    assert "10.0.0.5" in text
    assert run(environ, "timeline", "--container", "other").stdout == ""
    assert run(environ, "timeline", "--since", "2999-01-01").stdout == ""


def test_a_host_without_a_home_still_works(
    containers: Containers, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    environ |= {"HOME": str(tmp_path / "no-home"), "XDG_STATE_HOME": str(tmp_path / "file")}
    environ |= {"XDG_RUNTIME_DIR": "", "TMPDIR": str(tmp_path)}
    name = containers.make()
    done = run(environ, "stop", name, "--yes")
    assert done.returncode == 0, done.stderr
    assert "is not kept" in done.stderr
    assert "runs inside this console" in done.stderr
    assert f"stop {name} done" in done.stderr
    assert containers.state(name) == "exited"
    shown = json.loads(run(environ, "timeline", "--json").stdout)
    assert shown["ok"] is True
    assert shown["data"]["unavailable"][0]["source"] == "journal"


def test_who_asked_is_one_clean_line(containers: Containers, environ: dict[str, str]) -> None:
    environ |= {"LOGNAME": "ev\x1b[2Jil\nroot", "SSH_CONNECTION": "10.0.0.5\x1b[2J 1 2 3"}
    assert run(environ, "kill", containers.make(), "--yes").returncode == 0
    text = run(environ, "timeline").stdout
    assert text.count("\n") == 1
    assert "(evil root from 10.0.0.5, cli)" in text


@pytest.mark.parametrize("closed", [False, True])
def test_a_reader_that_goes_away_does_not_end_the_changes(
    containers: Containers, environ: dict[str, str], closed: bool
) -> None:
    names = [containers.make(name="plans-1"), containers.make(name="plans-2")]
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "kill", *names, "--yes", "--json"],
        env=environ,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
        preexec_fn=(lambda: os.close(1)) if closed else None,  # noqa: PLW1509 -- no threads here
    )
    os.close(writing)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")
    assert [containers.state(name) for name in names] == ["exited", "exited"]


def test_a_reader_that_goes_away_does_not_hide_a_failure(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make(("sh", "-c", "exit 2"), running=False)
    words = [sys.executable, "-m", "console", "start", name, "--yes", "--json"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(words, env=environ, cwd=ROOT, stdout=writing, stdin=subprocess.DEVNULL)
    os.close(writing)
    assert done.returncode == 1


def test_an_output_that_cannot_be_written_begins_no_further_change(
    containers: Containers, environ: dict[str, str]
) -> None:
    names = [containers.make(name="plans-1"), containers.make(name="plans-2")]
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "console", "kill", *names, "--yes", "--json"],
            env=environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert process.returncode == 1
    assert b"cannot be written" in process.stderr
    assert [containers.state(name) for name in names] == ["running", "running"]


@pytest.mark.parametrize(
    ("config", "words", "code", "said"),
    [
        ("[policy]\nread_onyl = true\n", [], 2, "config.invalid"),
        ("[policy]\nread_only = true\n", [], 3, "policy.read-only"),
        ("", ["--read-only"], 3, "policy.read-only"),
    ],
)
def test_the_gate_refuses_also_where_no_plan_can_be_made(
    environ: dict[str, str], tmp_path: Path, config: str, words: list[str], code: int, said: str
) -> None:
    environ["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    file = tmp_path / "c.toml"
    file.write_text(config)
    done = run(environ, "--config", str(file), *words, "stop", "myia", "--yes", "--json")
    assert done.returncode == code
    last = lines(done.stdout)[-1]
    assert (last["data"]["event"], last["error"]["code"]) == ("failed", said)
    done = run(environ, "--config", str(file), *words, "stop", "myia", "--dry-run", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (code, said)


def test_a_dry_run_refuses_what_a_run_refuses_also_where_nothing_is_to_be_done(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make()
    codes = {
        run(environ, "--read-only", "start", name, *words).returncode
        for words in (["--dry-run"], ["--yes"])
    }
    assert codes == {3}


def test_a_name_is_a_service_first(
    containers: Containers, environ: dict[str, str], tmp_path: Path
) -> None:
    one, other = containers.make(name="plans-1"), containers.make(name="plans-2")
    (tmp_path / "c.toml").write_text(
        f'[services.web]\nkind = "other"\ncontainer = "{one}"\n'
        f'[services."{one}"]\nkind = "other"\ncontainer = "{other}"\n'
    )
    config = ["--config", str(tmp_path / "c.toml")]
    assert run(environ, *config, "kill", "web", "--yes").returncode == 0
    assert (containers.state(one), containers.state(other)) == ("exited", "running")
    assert run(environ, *config, "kill", one, "--yes").returncode == 0
    assert containers.state(other) == "exited"


def test_a_container_that_was_made_anew_meanwhile_is_told_with_the_plan_of_now(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvpe(sys.executable, [sys.executable, "-m", "console", "stop", name], environ)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(terminal, 4096)
    containers.client.pause(name)
    os.write(terminal, b"y\n")
    try:
        while data := os.read(terminal, 4096):
            shown += data
    except OSError:
        pass  # Linux says so when the other side of a pty is closed
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 3
    told = shown.decode().partition("How it would be planned now")[2]
    assert "it is paused" in told
    assert containers.state(name) == "paused"
    containers.client.unpause(name)


def test_a_secret_in_a_command_that_the_engine_repeats_is_masked(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make(("--token=geheim-77",), running=False)
    told = [
        run(environ, "start", name, "--yes", "--json"),
        run(environ, "start", name, "--dry-run"),
        run(environ, "start", name, "--dry-run", "--json"),
        run(environ, "status", "--json"),
        run(environ, "timeline", "--json"),
        run(environ, "stop", "password=geheim-77"),
    ]
    assert all(
        "executable file not found" in one.stdout or "not found" in one.stdout for one in told[:4]
    )
    assert "geheim" not in "".join(one.stdout + one.stderr for one in told)
