"""A plan's run when its work fails in ways no real engine can be asked for."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
import pytest

from actions.containers.perform import perform_restart, perform_stop
from actions.containers.verbs import new_plan_id
from actions.executor import Executor
from actions.journal import Journal
from actions.operations import Operations
from actions.plan import Asker, Plan, PlanDone, PlanFailed, Step
from actions.session import Session
from actions.step_thread import Talk, Work
from actions.trouble import StepError
from console.engine.faults import EngineTimeoutError, fault
from console.log import close_log
from tests.support.waiting import wait_until

Sessions = Callable[..., Session]


class Scripted:
    """Verbs whose work is a function of the test."""

    def __init__(self, work: Callable[[], str]) -> None:
        self._work = work
        self.aborted = threading.Event()

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        raise NotImplementedError

    def replan(self, plan: Plan) -> Plan:
        return plan

    def work(self, plan: Plan, step: Step) -> Work:
        return self

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        return {"state": "running"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        raise NotImplementedError

    def run(self, _talk: Talk) -> str:
        return self._work()

    def abort(self) -> None:
        self.aborted.set()


@pytest.fixture
def environ(tmp_path: Any) -> dict[str, str]:
    """Give an environment that needs no engine."""
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def a_plan(session: Session, steps: int = 1, longest: float = 5.0) -> Plan:
    return Plan(
        id=new_plan_id(session),
        verb="stop",
        target="myia",
        target_id="f" * 64,
        steps=tuple(
            Step(id=f"stop{number}", title="Stop myia", touches=(), command="docker stop myia")
            for number in range(steps)
        ),
        longest_seconds=longest,
        locks=("container-f",),
        created_at=session.clock.now(),
        asker=session.asker("cli"),
    )


def execute(session: Session, verbs: Scripted, plan: Plan) -> PlanFailed:
    journal = Journal(session)
    journal.save(plan)
    event = Executor(session, journal, verbs).run(plan)
    assert isinstance(event, PlanFailed)
    assert journal.events(plan.id)[-1][1] == event
    return event


def test_a_stop_that_outlasts_everything_is_left_and_offers_a_kill(new_session: Sessions) -> None:
    session = new_session()
    let_go = threading.Event()
    verbs = Scripted(lambda: str(let_go.wait(30)))
    event = execute(session, verbs, a_plan(session, longest=0.3))
    assert (event.outcome, event.code, event.offers) == ("failed", "plan.outlasted", ("kill",))
    assert event.text == "myia is running now"
    assert verbs.aborted.is_set()
    let_go.set()


def test_progress_is_told_each_second_and_only_the_last_is_kept(new_session: Sessions) -> None:
    session = new_session()
    let_go = threading.Event()
    plan = a_plan(session, longest=2.5)
    execute(session, Scripted(lambda: str(let_go.wait(30))), plan)
    let_go.set()
    progress = [
        row for row in Journal(session).plans.events(plan.id) if row.kind == "step_progress"
    ]
    assert len(progress) == 1
    assert progress[0].body["elapsed_seconds"] >= 2
    assert progress[0].body["longest_seconds"] == 2.5


def test_a_cancel_between_steps_stops_there(new_session: Sessions) -> None:
    session = new_session()
    plan = a_plan(session, steps=3)
    done: list[int] = []

    def work() -> str:
        done.append(1)
        if len(done) == 2:
            Journal(session).plans.request_cancel(plan.id, session.clock.now())
        return "done"

    event = execute(session, Scripted(work), plan)
    assert (event.outcome, event.exit_code) == ("interrupted", 130)
    assert "before step 3 of 3" in event.title
    assert len(done) == 2


def test_a_fault_of_our_own_leaves_a_journal_and_no_lock(new_session: Sessions) -> None:
    session = new_session()
    plan = a_plan(session)
    journal = Journal(session)
    journal.save(plan)

    def broken() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Executor(session, journal, Scripted(broken)).run(plan)
    last = journal.events(plan.id)[-1][1]
    assert isinstance(last, PlanFailed)
    assert (last.outcome, last.code) == ("interrupted", "plan.broke-off")
    assert journal.under_way() == ()
    again = a_plan(session)
    journal.save(again)
    assert isinstance(Executor(session, journal, Scripted(lambda: "done")).run(again), PlanDone)


def test_secrets_in_what_the_engine_says_are_not_journalled(new_session: Sessions) -> None:
    session = new_session()

    def refused() -> str:
        raise StepError("engine.refused", "exec: --api-auth jesse:s3cr3t-pass: not found")

    plan = a_plan(session)
    journal = Journal(session)
    journal.save(plan)
    Executor(session, journal, Scripted(refused)).run(plan)
    session.store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"s3cr3t-pass" not in session.store.path.read_bytes()
    assert b"--api-auth ***" in session.store.path.read_bytes()


def test_a_plan_survives_the_journal_unchanged(new_session: Sessions) -> None:
    session = new_session()
    plan = a_plan(session)
    Journal(session).save(plan)
    found = Journal(session).plan(plan.id)
    assert found is not None
    assert found[0] == plan


def test_nobody_runs_a_plan_twice(new_session: Sessions) -> None:
    session = new_session()
    plan = a_plan(session)
    journal = Journal(session)
    journal.save(plan)
    Executor(session, journal, Scripted(lambda: "stopped")).run(plan)
    again = Executor(session, journal, Scripted(lambda: "stopped")).run(plan)
    assert isinstance(again, PlanFailed)
    assert again.code == "plan.begun"
    assert journal.timeline.newest(5)[0].body["outcome"] == "done"


class Undying:
    """An engine that cannot end a container."""

    def __init__(self, late: bool) -> None:
        self._late = late

    def inspect(self, ident: str) -> dict[str, Any]:
        return {"Id": ident, "Name": "/myia", "State": {"Status": "running"}}

    def stop(self, ident: str, timeout: int) -> None:
        if self._late:
            raise fault(EngineTimeoutError, "engine.timeout", address="x", what="stop", limit="1")

    restart = stop


@pytest.mark.parametrize("late", [True, False])
def test_a_container_that_will_not_die_offers_a_kill(
    new_session: Sessions, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    monkeypatch.setattr("actions.containers.perform._END_SECONDS", 0.1)
    plan = msgspec.structs.replace(a_plan(new_session()), options={"timeout": 1})
    with pytest.raises(StepError) as error:
        perform_stop(plan, cast("Any", Undying(late)))
    assert error.value.code == "container.will-not-end"
    assert error.value.offers == ("kill",)
    if late:
        with pytest.raises(StepError, match="did not stop"):
            perform_restart(plan, cast("Any", Undying(late)))


def test_a_fault_of_our_own_is_logged_and_not_written_over_the_screen(
    new_session: Sessions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> str:
        raise ZeroDivisionError

    close_log()  # one that another test of this process opened would be written to
    monkeypatch.setattr("actions.operations.verbs_for", lambda *_: Scripted(broken))
    session = new_session()
    plan = a_plan(session)
    last = list(Operations(session).run(plan))[-1]
    assert isinstance(last, PlanFailed)
    assert last.code == "plan.broke-off"
    wait_until(session.places.log_file.exists)
    wait_until(lambda: "ZeroDivisionError" in session.places.log_file.read_text())
    close_log()
    assert capsys.readouterr().err == ""
