"""What is under way survives the console, and what dies leaves its trace."""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from actions.follow import Follower
from actions.journal import Journal
from actions.operations import Operations
from actions.plan import (
    AnyEvent,
    Plan,
    PlanDone,
    PlanFailed,
    PlanStarted,
    StepProgress,
    StepStarted,
)
from actions.session import Session, open_session
from tests.plans.command import lines, run, start
from tests.plans.conftest import DEAF, Containers
from tests.support.proxy import SlowProxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine


def failure(events: list[AnyEvent]) -> PlanFailed:
    event = events[-1]
    assert isinstance(event, PlanFailed)
    return event


def under_way(operations: Operations, name: str) -> int:
    """Wait until the stop of `name` is sent to the engine; gives the runner's process id."""

    def at_step() -> int | None:
        for running in operations.running():
            if running.plan.target == name and running.step == 1:
                return running.pid
        return None

    return wait_until(at_step, 10) or 0


def test_another_console_watches_and_is_kept_out(
    containers: Containers, new_session: Callable[..., Session], environ: dict[str, str]
) -> None:
    name = containers.make(DEAF)
    mine, other = Operations(new_session()), Operations(new_session())
    plan, late = mine.plan("stop", name, timeout=60), other.plan("kill", name)
    events: list[AnyEvent] = []
    thread = threading.Thread(target=lambda: events.extend(mine.run(plan)))
    thread.start()
    pid = under_way(other, name)
    assert pid != os.getpid()
    refused = failure(list(other.run(late)))
    assert (refused.outcome, refused.code, refused.exit_code) == ("refused", "lock.held", 3)
    assert "from 10.0.0.5" in refused.title
    assert f"stop {name}" in refused.title
    assert str(pid) in refused.hint
    assert f"gpuconsole jobs cancel {plan.id}" in refused.hint
    third = run(environ, "stop", name, "--yes", "--json")
    assert third.returncode == 3
    assert lines(third.stdout)[-1]["error"]["code"] == "lock.held"
    wait_until(lambda: any(isinstance(event, StepProgress) for event in events))
    containers.client.kill(name)  # or the stop would take its whole grace
    watched = list(other.follow(plan.id))
    thread.join(30)
    assert isinstance(watched[-1], PlanDone)
    assert isinstance(events[-1], PlanDone)
    assert other.running() == ()


def test_a_killed_runner_is_interrupted_at_its_step(
    containers: Containers, new_session: Callable[..., Session]
) -> None:
    name = containers.make(DEAF)
    mine, other = Operations(new_session()), Operations(new_session())
    plan = mine.plan("stop", name, timeout=2)
    events: list[AnyEvent] = []
    thread = threading.Thread(target=lambda: events.extend(mine.run(plan)))
    thread.start()
    os.kill(under_way(other, name), signal.SIGKILL)
    thread.join(10)
    event = failure(events)
    assert (event.outcome, event.code) == ("interrupted", "plan.interrupted")
    assert "at step 1 of 1" in event.title
    assert event.offers == ("stop", "start")
    assert other.timeline(1)[0].outcome == "interrupted"
    # Whether the engine had got the request, and stops waiting with its asker gone, is its own.
    going_on = other.resume_plan(plan.id)
    assert (going_on.verb, going_on.options) == ("stop", {"timeout": 2})
    assert isinstance(list(other.run(going_on))[-1], PlanDone)
    assert containers.state(name) == "exited"
    back = other.undo()
    assert back.verb == "start"
    assert back.undoes in {plan.id, going_on.id}
    assert isinstance(list(other.run(back))[-1], PlanDone)


def test_a_runner_that_died_unseen_is_found_later(
    containers: Containers, new_session: Callable[..., Session]
) -> None:
    name = containers.make(DEAF)
    mine = Operations(new_session())
    plan = mine.plan("stop", name, timeout=30)
    watching = mine.run(plan)
    while not isinstance(next(watching), StepStarted):
        pass
    del watching
    later = Operations(new_session())
    os.kill(under_way(later, name), signal.SIGKILL)
    event = failure(list(later.follow(plan.id)))
    assert event.outcome == "interrupted"
    assert later.running() == ()


def test_a_hang_up_only_detaches(containers: Containers, environ: dict[str, str]) -> None:
    name = containers.make(DEAF)
    process = start(environ, "stop", name, "--yes", "--timeout", "2", start_new_session=True)
    operations = Operations(_session(environ))
    under_way(operations, name)
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(10) == -signal.SIGHUP
    process.communicate()
    plan = operations.running()[0].plan
    assert isinstance(list(operations.follow(plan.id))[-1], PlanDone)
    assert containers.state(name) == "exited"


def test_ctrl_c_asks_to_cancel_and_tells_what_came_of_it(
    containers: Containers, environ: dict[str, str]
) -> None:
    name = containers.make(DEAF)
    process = start(environ, "stop", name, "--yes", "--timeout", "2", "--json")
    under_way(Operations(_session(environ)), name)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    told = lines(out)
    assert not told[-1]["ok"]
    assert told[-1]["data"]["event"] == "failed"
    assert told[-1]["data"]["outcome"] == "interrupted"
    assert "is stopped" in told[-1]["data"]["text"]
    progress = [line["data"]["text"] for line in told if line["data"]["event"] == "step_progress"]
    assert any("cannot be taken back" in text for text in progress)


def test_ctrl_c_twice_leaves_it_alone(containers: Containers, environ: dict[str, str]) -> None:
    name = containers.make(DEAF)
    process = start(environ, "stop", name, "--yes", "--timeout", "3")
    operations = Operations(_session(environ))
    under_way(operations, name)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: any(running.cancel_requested for running in operations.running()))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=2)
    assert process.returncode == 130
    assert "goes on" in err
    running = operations.running()
    assert len(running) == 1
    end = failure(list(operations.follow(running[0].plan.id)))
    assert end.code == "plan.cancelled"


def test_a_runner_that_cannot_write_down_its_end_is_believed(
    containers: Containers, new_session: Callable[..., Session]
) -> None:
    session = new_session()
    journal = Journal(session)
    operations = Operations(session)
    plan = operations.plan("stop", containers.make())
    journal.save(plan)
    process = subprocess.Popen(["true"])
    journal.begin(plan, process.pid)
    event = list(Follower(session, journal).follow(plan.id, process))[-1]
    assert isinstance(event, PlanDone)
    assert "could not be written" in event.text


def test_a_runner_that_never_began_touched_nothing(
    containers: Containers, new_session: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "false")
    operations = Operations(new_session())
    name = containers.make()
    event = failure(list(operations.run(operations.plan("stop", name))))
    assert event.outcome == "interrupted"
    assert "before step 1" in event.title
    assert "not touched" in event.text
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    again = operations.plan("stop", name)
    end = failure(list(operations.run(again)))
    assert (end.outcome, end.code) == ("failed", "runner.cannot-start")
    assert containers.state(name) == "running"


def test_the_runner_reads_the_same_files(
    containers: Containers,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@" > "$HOME/arguments"\n')
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.chdir(tmp_path)
    for name in ("here.toml", "models.toml"):
        (tmp_path / name).write_text("")
    operations = Operations(open_session(environ, "here.toml", catalog="models.toml"))
    list(operations.run(operations.plan("stop", containers.make())))
    said = (tmp_path / "arguments").read_text()
    assert f"--config {tmp_path}/here.toml --catalog {tmp_path}/models.toml _run " in said


def test_a_wish_to_cancel_before_the_first_step_leaves_all_as_it_was(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make()
    plan = operations.plan("stop", name)
    event = failure(list(operations.run(plan, cancelled=lambda: True)))
    assert event.outcome == "interrupted"
    assert event.exit_code == 130
    if "was not touched" in event.text:
        assert containers.state(name) == "running"


def test_an_engine_that_dies_meanwhile(
    containers: Containers,
    new_session: Callable[..., Session],
    environ: dict[str, str],
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gpuconsole-"))  # short: a socket's path is limited
    proxy = SlowProxy(folder / "s", environ["DOCKER_HOST"])
    name = containers.make(DEAF)
    operations = Operations(new_session(DOCKER_HOST=proxy.address))
    plan = operations.plan("stop", name, timeout=20)
    events: list[AnyEvent] = []
    for event in operations.run(plan):
        events.append(event)
        if isinstance(event, StepStarted):
            (folder / "s").unlink()
            proxy.__exit__()
    end = failure(events)
    assert (end.outcome, end.exit_code) == ("failed", 4)
    assert end.code.startswith(("engine.", "docker."))
    assert "not known" in end.text
    folder.rmdir()


def test_a_plan_whose_ground_has_changed_is_not_run(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(running=False)
    plan = operations.plan("start", name)
    containers.client.start(name)
    containers.client.pause(name)
    event = failure(list(operations.run(plan)))
    containers.client.unpause(name)
    assert (event.outcome, event.code, event.exit_code) == ("stale", "plan.stale", 3)
    assert event.plan is not None
    assert event.plan.verdict == "refused"
    assert event.plan.refusal is not None
    assert event.plan.refusal.code == "container.paused"


def test_another_container_of_the_same_name_is_left_alone(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make()
    plan = operations.plan("stop", name)
    containers.client.remove_container(name, force=True)
    assert failure(list(operations.run(plan))).outcome == "stale"
    containers.make()
    event = failure(list(operations.run(plan_again(plan.id, operations, name))))
    assert event.outcome == "stale"
    assert event.plan is not None
    assert event.plan.target_id == containers.ident(name)
    assert containers.state(name) == "running"


def plan_again(_old: str, operations: Operations, name: str) -> Plan:
    """Give a plan that rests on a container which is not there any more."""
    import msgspec

    made = operations.plan("stop", name)
    return msgspec.structs.replace(made, target_id="0" * 64)


def test_what_somebody_else_has_done_already_is_no_failure(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make()
    plan = operations.plan("stop", name)
    containers.client.stop(name)
    events = list(operations.run(plan))
    assert isinstance(events[-1], PlanDone)
    assert not any(isinstance(event, PlanStarted) for event in events)


def test_without_a_database_it_runs_here_and_says_so(
    containers: Containers,
    environ: dict[str, str],
    new_session: Callable[..., Session],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in-the-way").write_text("")
    session = new_session(XDG_STATE_HOME=str(tmp_path / "in-the-way"))
    operations = Operations(session)
    assert operations.problem is not None
    name = containers.make()
    events = list(operations.run(operations.plan("stop", name)))
    assert isinstance(events[-1], PlanDone)
    assert "runs inside this console" in getattr(events[0], "text", "")
    assert operations.timeline(5)[0].outcome == "done"
    assert f"stop {name} done" in capsys.readouterr().err
    assert operations.undo().verb == "start"


def _session(environ: dict[str, str]) -> Session:
    from actions.session import open_session

    return open_session(environ)


def test_a_name_that_reads_like_a_secret_is_found_again(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make()
    odd = f"sk-learn-notebook-{name[-17:]}"
    containers.client.rename(name, odd)
    plan = operations.plan("stop", odd)
    assert plan.detached
    events = list(operations.run(plan))
    assert isinstance(events[-1], PlanDone), events[-1]
    assert containers.state(odd) == "exited"
