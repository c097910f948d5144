"""`gpuconsole start|stop|restart|kill|timeline` as a process, as scripts and people call it."""

import json
import os
import pty
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
    assert set(plan["steps"][0]) == STEP_KEYS
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
     ["timeline", "--since", "yesterday"], ["timeline", "--limit", "0"], ["_run", "nothing"]],
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
