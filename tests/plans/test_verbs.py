"""Start, stop, restart and kill on a real engine, planned and then run."""

from collections.abc import Callable

import pytest

from actions.operations import Operations
from actions.plan import AnyEvent, PlanDone, PlanFailed, PlanStarted, StepFinished, StepStarted
from actions.session import Session, open_session
from console.clock import SystemClock
from console.errors import UsageError
from tests.plans.conftest import DEAF, Containers

pytestmark = pytest.mark.engine


def last(events: list[AnyEvent]) -> PlanDone | PlanFailed:
    event = events[-1]
    assert isinstance(event, PlanDone | PlanFailed)
    return event


def test_a_stop_and_a_start(containers: Containers, operations: Operations) -> None:
    name = containers.make()
    plan = operations.plan("stop", name)
    assert (plan.verb, plan.target, plan.verdict) == ("stop", name, "ready")
    assert plan.detached
    assert containers.state(name) == "running"
    events = list(operations.run(plan))
    assert [type(event) for event in events] == [
        PlanStarted, StepStarted, StepFinished, PlanDone,
    ]  # fmt: skip
    assert containers.state(name) == "exited"
    assert "is stopped, exit 0" in getattr(events[-1], "text", "")
    assert isinstance(last(list(operations.run(operations.plan("start", name)))), PlanDone)
    assert containers.state(name) == "running"


def test_the_command_is_one_that_could_be_typed(
    containers: Containers, operations: Operations, environ: dict[str, str]
) -> None:
    name = containers.make()
    step = operations.plan("stop", name, timeout=3).steps[0]
    assert step.command == f"docker -H {environ['DOCKER_HOST']} stop -t 3 {name}"
    assert step.undo == f"docker -H {environ['DOCKER_HOST']} start {name}"
    assert step.touches == (f"container {name}",)


def test_an_end_by_the_grace_period_is_no_failure(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(DEAF)
    event = last(list(operations.run(operations.plan("stop", name, timeout=1))))
    assert isinstance(event, PlanDone)
    assert "exit 137 (killed after 1 s of grace)" in event.text


def test_a_restart_keeps_it_running(containers: Containers, operations: Operations) -> None:
    name = containers.make()
    before = containers.client.inspect_container(name)["State"]["StartedAt"]
    assert isinstance(last(list(operations.run(operations.plan("restart", name)))), PlanDone)
    after = containers.client.inspect_container(name)["State"]
    assert after["Status"] == "running"
    assert after["StartedAt"] != before


def test_a_restart_starts_what_does_not_run(containers: Containers, operations: Operations) -> None:
    name = containers.make(running=False)
    plan = operations.plan("restart", name)
    assert "container.restart-starts" in {check.id for check in plan.checks}
    assert isinstance(last(list(operations.run(plan))), PlanDone)
    assert containers.state(name) == "running"


def test_a_kill_ends_it_at_once(containers: Containers, operations: Operations) -> None:
    name = containers.make(DEAF)
    plan = operations.plan("kill", name)
    assert plan.steps[0].destructive
    event = last(list(operations.run(plan)))
    assert isinstance(event, PlanDone)
    assert event.text == f"SIGKILL sent; {name} ended, exit 137 (killed, as asked)"
    assert containers.state(name) == "exited"


def test_another_signal_leaves_the_choice_to_it(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(("sh", "-c", "trap : HUP; while :; do sleep 1; done"))
    plan = operations.plan("kill", name, signal="sighup")
    assert not plan.steps[0].destructive
    assert plan.steps[0].command.endswith(f"kill --signal HUP {name}")
    event = last(list(operations.run(plan)))
    assert isinstance(event, PlanDone)
    assert "still running" in event.text


@pytest.mark.parametrize(
    ("verb", "running", "said"),
    [("start", True, "running already"), ("stop", False, "not running"), ("kill", False, "not")],
)
def test_what_is_so_already_is_left_alone(
    containers: Containers, operations: Operations, verb: str, running: bool, said: str
) -> None:
    name = containers.make(running=running)
    plan = operations.plan(verb, name)
    assert plan.steps == ()
    assert plan.verdict == "ready"
    events = list(operations.run(plan))
    assert len(events) == 1
    assert isinstance(events[0], PlanDone)
    assert said in events[0].text


def test_a_start_that_dies_at_once_is_told(containers: Containers, operations: Operations) -> None:
    name = containers.make(("sh", "-c", "exit 2"), running=False)
    event = last(list(operations.run(operations.plan("start", name))))
    assert isinstance(event, PlanFailed)
    assert (event.outcome, event.code) == ("failed", "container.ended-at-once")
    assert "exit 2" in event.title


def test_an_end_that_nobody_asked_for_is_not_told_as_asked(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(("true",), running=False)
    event = last(list(operations.run(operations.plan("start", name))))
    assert isinstance(event, PlanDone)
    assert event.text == f"{name} ran to its end, exit 0 (finished)"
    killed = containers.make(("sh", "-c", "kill -TERM $$; exit 137"), name="k", running=False)
    event = last(list(operations.run(operations.plan("start", killed))))
    assert isinstance(event, PlanFailed)
    assert "as asked" not in event.title


def test_a_start_the_engine_refuses_is_told_in_its_words(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(("no-such-program",), running=False)
    event = last(list(operations.run(operations.plan("start", name))))
    assert isinstance(event, PlanFailed)
    assert event.outcome == "failed"
    assert "no-such-program" in event.hint
    again = operations.plan("start", name)
    assert again.verdict == "warned"
    assert "container.start-failed" in {check.id for check in again.checks}


def test_a_paused_one_cannot_be_started(containers: Containers, operations: Operations) -> None:
    name = containers.make(DEAF)
    containers.client.pause(name)
    plan = operations.plan("start", name)
    assert plan.verdict == "refused"
    assert plan.refusal is not None
    assert plan.refusal.code == "container.paused"
    event = last(list(operations.run(plan)))
    assert isinstance(event, PlanFailed)
    assert (event.outcome, event.exit_code) == ("refused", 3)
    assert operations.plan("stop", name).verdict == "warned"
    containers.client.unpause(name)


def test_a_crash_loop_is_ended_by_a_stop(containers: Containers, operations: Operations) -> None:
    name = containers.make(("sh", "-c", "exit 2"), host={"restart_policy": {"Name": "always"}})
    start = operations.plan("start", name)
    while start.verdict != "refused":
        start = operations.plan("start", name)
    assert start.refusal is not None
    assert start.refusal.code == "container.restarting"
    event = last(list(operations.run(operations.plan("stop", name))))
    assert isinstance(event, PlanDone)
    assert containers.state(name) == "exited"


def test_what_removes_itself_is_destroyed_by_a_stop(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(host={"auto_remove": True})
    plan = operations.plan("stop", name)
    assert plan.verdict == "warned"
    assert plan.steps[0].destructive
    assert plan.steps[0].undo == ""
    event = last(list(operations.run(plan)))
    assert isinstance(event, PlanDone)
    with pytest.raises(UsageError, match="no container"):
        operations.plan("start", name)


def test_names_ids_and_prefixes(containers: Containers, operations: Operations) -> None:
    name = containers.make(name="plans-first")
    other = containers.make(name="plans-second")
    ident = containers.ident(name)
    for said in (name, f"/{name}", ident, ident[:12], ident[:12].upper()):
        assert operations.plan("stop", said).target_id == ident
    with pytest.raises(UsageError) as unknown:
        operations.plan("stop", name + "x")
    assert name in unknown.value.hint
    assert operations.plan("stop", other).target == other


def test_a_secret_in_the_endpoint_is_not_shown(new_session: Callable[..., Session]) -> None:
    from actions.containers.verbs import ContainerVerbs

    session = new_session(DOCKER_HOST="tcp://jesse:s3cr3t-pass@127.0.0.1:1")
    assert "s3cr3t" not in " ".join(ContainerVerbs(session)._docker())


@pytest.mark.parametrize(
    ("verb", "options", "code"),
    [
        ("stop", {"timeout": -1}, "plan.bad-timeout"),
        ("stop", {"timeout": "soon"}, "plan.bad-timeout"),
        ("stop", {"timeout": 10**9}, "plan.bad-timeout"),
        ("start", {"timeout": 3}, "plan.bad-option"),
        ("kill", {"signal": "KILLL"}, "plan.bad-signal"),
        ("paint", {}, "plan.unknown-verb"),
    ],
)
def test_options_that_make_no_sense(
    containers: Containers, operations: Operations, verb: str, options: dict[str, object], code: str
) -> None:
    name = containers.make(running=False)
    with pytest.raises(UsageError) as error:
        operations.plan(verb, name, **options)
    assert error.value.code == code


class SlowClock(SystemClock):
    """A clock by which everything takes its time."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def monotonic(self) -> float:
        self._seconds += 5
        return self._seconds


def test_an_engine_that_answers_slowly_gets_the_time_it_needs(
    containers: Containers, environ: dict[str, str], operations: Operations
) -> None:
    name = containers.make()
    usual = operations.plan("kill", name)
    slow = Operations(open_session(environ, clock=SlowClock())).plan("kill", name)
    assert not usual.detached
    assert slow.detached
    assert slow.longest_seconds == usual.longest_seconds + 10
    assert slow.checks[-1].id == "engine.slow"
    assert slow.verdict == usual.verdict
