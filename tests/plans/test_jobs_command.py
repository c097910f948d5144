"""`gpuconsole jobs` as a process: what is under way, what was left, what may be done."""

import json
import os
import signal
from collections.abc import Callable

import pytest

from actions.operations import Operations
from actions.session import Session
from tests.plans.command import lines, run, start
from tests.plans.conftest import DEAF, Containers
from tests.plans.test_runner import under_way
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine


def test_what_is_under_way_is_listed_watched_and_cancelled(
    containers: Containers, environ: dict[str, str], new_session: Callable[..., Session]
) -> None:
    name = containers.make(DEAF)
    runner = start(environ, "stop", name, "--yes", "--timeout", "60")
    pid = under_way(Operations(new_session()), name)
    answer = json.loads(run(environ, "jobs", "--json").stdout)
    (job,) = answer["data"]["jobs"]
    assert (job["verb"], job["target"], job["state"], job["pid"]) == ("stop", name, "running", pid)
    assert (job["kind"], job["step"], job["steps"]) == ("plan", 1, 1)
    assert job["can"] == ["watch", "cancel"]
    assert job["age_seconds"] >= 0
    text = run(environ, "jobs").stdout
    assert f"stop {name}" in text
    assert f"pid {pid}" in text
    watching = start(environ, "jobs", "watch", "last", "--json")
    assert run(environ, "--read-only", "jobs", "cancel", "last").returncode == 3
    asked = run(environ, "jobs", "cancel", job["id"][:-1], "--json")
    assert json.loads(asked.stdout)["data"]["cancel_requested"] is True
    assert run(environ, "jobs", "resume", "last", "--yes").returncode == 3
    containers.client.kill(name)  # which ends the stop that nobody can take back
    out, _ = watching.communicate(timeout=30)
    assert watching.returncode == 130
    events = [line["data"]["event"] for line in lines(out)]
    assert (events[0], events[-1]) == ("planned", "failed")
    runner.communicate(timeout=30)
    assert runner.returncode == 130
    again = run(environ, "jobs", "cancel", "last", "--json")
    assert again.returncode == 3
    assert json.loads(again.stdout)["error"]["code"] == "plan.not-under-way"
    assert run(environ, "jobs").stdout == ""
    ended = json.loads(run(environ, "jobs", "--all", "--json").stdout)["data"]["jobs"]
    assert [one["state"] for one in ended] == ["interrupted"]


def test_a_killed_runner_s_job_can_be_gone_on_with_or_back(
    containers: Containers, environ: dict[str, str], new_session: Callable[..., Session]
) -> None:
    name = containers.make(DEAF)
    watcher = start(environ, "stop", name, "--yes", "--timeout", "2")
    operations = Operations(new_session())
    os.kill(under_way(operations, name), signal.SIGKILL)
    watcher.communicate(timeout=30)
    wait_until(lambda: operations.running() == ())
    (job,) = json.loads(run(environ, "jobs", "--json").stdout)["data"]["jobs"]
    assert (job["state"], job["can"]) == ("interrupted", ["watch", "resume", "back"])
    assert f"gpuconsole jobs resume {job['id']}" in run(environ, "jobs").stdout
    shown = json.loads(run(environ, "jobs", "resume", "last", "--dry-run", "--json").stdout)
    assert shown["data"]["plan"]["continues"] == job["id"]
    assert run(environ, "jobs", "resume", "last").returncode == 3, "nobody said yes"
    done = run(environ, "jobs", "resume", job["id"], "--yes", "--json")
    assert done.returncode == 0, done.stdout
    assert lines(done.stdout)[0]["data"]["plan"]["continues"] == job["id"]
    assert containers.state(name) == "exited"
    assert run(environ, "jobs").stdout == ""
    back = run(environ, "jobs", "back", "last", "--yes")
    assert back.returncode == 0, back.stderr
    assert containers.state(name) == "running"
    assert run(environ, "jobs", "back", "last", "--yes").returncode == 0, "and back again"
    assert containers.state(name) == "exited"


def test_ids_that_mean_nothing(environ: dict[str, str]) -> None:
    for words in (["watch", "x"], ["cancel", "x"], ["resume", "x"], ["back", "last"], ["nope"]):
        done = run(environ, "jobs", *words, "--json")
        assert done.returncode == 2, done.stdout
        assert "Traceback" not in done.stderr
    assert json.loads(run(environ, "jobs", "--json").stdout)["data"] == {"jobs": []}
