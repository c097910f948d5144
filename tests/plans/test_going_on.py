"""A download is paused, gone on with, given up, killed; always under one id, by any console."""

import os
import signal
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from actions.journal import Journal
from actions.operations import Operations
from actions.plan import AnyEvent, PlanDone, PlanFailed, StepProgress
from actions.session import Session
from console.errors import RefusedError
from tests.plans.endless import HALT, TOTAL, Body, endless_plan
from tests.plans.watched import Console, body, environ, failed

__all__ = ["body", "environ"]
from tests.support.waiting import wait_until

Sessions = Callable[..., Session]


def test_a_download_is_paused_and_gone_on_with_under_its_own_id(
    body: Body, new_session: Sessions
) -> None:
    console, other = Console(new_session()), Operations(new_session())
    pid = console.pid()
    assert pid != os.getpid()
    assert console.job().can == ("watch", "pause", "cancel")
    assert other.pause(console.plan.id[:-1])
    end = failed(console.end())
    assert (end.outcome, end.code, end.exit_code) == ("paused", "plan.paused", 130)
    assert f"jobs resume {console.plan.id}" in end.hint
    job = console.job()
    assert (job.kind, job.state, job.attempts, job.pid) == ("download", "paused", 1, None)
    assert (job.can, job.rate_bytes_per_second) == (("watch", "resume", "cancel"), None)
    assert job.bytes_total == TOTAL
    assert not other.pause("last"), "it is paused already"
    assert other.resume("last")
    body.say("go")
    assert not console.operations.resume("last"), "it is under way"
    events = list(other.follow(console.plan.id))
    assert isinstance(events[-1], PlanDone)
    assert events[-1].result["files"][0]["action"] == "fetched"
    assert not any(isinstance(event, PlanFailed) for event in events), "of the attempt before"
    job = console.job()
    assert (job.id, job.state, job.attempts) == (console.plan.id, "done", 2)
    assert (job.bytes_done, job.resumed_from_bytes) == (TOTAL, HALT)
    assert job.fetched_bytes == TOTAL - HALT
    assert job.files[0].path == "/models/a"
    with pytest.raises(RefusedError, match="nothing to go on with"):
        other.resume("last")


def test_a_killed_download_is_interrupted_and_goes_on(body: Body, new_session: Sessions) -> None:
    console = Console(new_session())
    os.kill(console.pid(), signal.SIGKILL)
    end = failed(console.end())
    assert (end.outcome, end.code) == ("interrupted", "plan.interrupted")
    assert f"jobs resume {console.plan.id}" in end.hint
    assert "jobs back" not in end.hint
    assert console.job().state == "interrupted"
    assert [one.id for one in console.operations.jobs()] == [console.plan.id]
    body.say("go")
    assert console.operations.resume(console.plan.id)
    assert isinstance(list(console.operations.follow(console.plan.id))[-1], PlanDone)
    assert body.size() == TOTAL
    assert console.operations.jobs() == ()


def test_one_killed_before_it_has_begun_is_missed_at_once(
    body: Body, new_session: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(new_session())
    os.kill(console.pid(), signal.SIGKILL)
    console.end()
    os.mkfifo(tmp_path / "nobody-writes")
    slow = tmp_path / "slow-start"
    slow.write_text(f"#!/bin/sh\nread -r _ < {tmp_path}/nobody-writes\n")
    slow.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", str(slow))
        assert console.operations.resume("last")
    job = console.job()
    assert job.state == "queued"
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
    wait_until(lambda: console.job().state == "interrupted", 5)
    body.say("go")
    assert console.operations.resume("last")
    assert isinstance(list(console.operations.follow("last"))[-1], PlanDone)
    assert console.job().attempts == 2


def test_a_hang_up_does_not_reach_it_and_a_shutdown_keeps_what_it_has(
    body: Body, new_session: Sessions
) -> None:
    console = Console(new_session())
    pid = console.pid()
    os.kill(pid, signal.SIGHUP)
    os.kill(pid, signal.SIGINT)
    told = len(console.events)
    wait_until(lambda: len(console.events) > told + 2, 20)
    assert console.job().pid == pid
    os.kill(pid, signal.SIGTERM)
    end = failed(console.end())
    assert (end.outcome, end.code) == ("interrupted", "plan.interrupted")
    assert "told to end" in end.title
    assert body.size() == HALT
    assert console.job().can == ("watch", "resume", "cancel")


def test_one_that_runs_is_given_up_and_leaves_nothing(body: Body, new_session: Sessions) -> None:
    console = Console(new_session())
    console.pid()
    assert console.operations.cancel(console.plan.id)
    end = failed(console.end())
    assert (end.outcome, end.code, end.exit_code) == ("cancelled", "plan.cancelled", 130)
    assert "the part is removed" in end.text
    assert not body.path.exists()
    assert console.operations.jobs() == ()
    with pytest.raises(RefusedError):
        console.operations.resume(console.plan.id)


@pytest.mark.parametrize("ended", ["paused", "interrupted", "needs_token", "failed"])
def test_one_that_stopped_is_given_up_by_any_console(
    body: Body, new_session: Sessions, ended: str
) -> None:
    console = Console(new_session())
    pid = console.pid()
    if ended == "paused":
        console.operations.pause(console.plan.id)
    elif ended == "interrupted":
        os.kill(pid, signal.SIGKILL)
    else:
        body.say("needs-token" if ended == "needs_token" else "breaks")
    end = failed(console.end())
    assert end.outcome == ended
    other = Operations(new_session())
    assert other.cancel("last")
    job = console.job()
    assert (job.state, job.can) == ("cancelled", ("watch",))
    assert "the part is removed" in job.text
    assert not body.path.exists()
    assert not other.cancel("last")
    assert other.timeline(1)[0].outcome == "cancelled"


def test_one_whose_token_is_gone_goes_on_once_there_is_one(
    body: Body, new_session: Sessions
) -> None:
    body.say("needs-token")
    console = Console(new_session())
    end = failed(console.end())
    assert (end.outcome, end.code) == ("needs_token", "hub.no-token")
    assert console.job().state == "needs_token"
    body.say("token")
    body.say("go")
    assert console.operations.resume("last")
    assert isinstance(list(console.operations.follow("last"))[-1], PlanDone)


def test_one_that_waits_is_listed_however_much_was_done_since(new_session: Sessions) -> None:
    session = new_session()
    journal, waits = Journal(session), endless_plan(session, "waits")
    end = PlanFailed(
        at=session.clock.now(),
        plan_id=waits.id,
        outcome="needs_token",
        code="hub.no-token",
        title="there is no token",
        hint="Set HF_TOKEN",
        exit_code=3,
    )
    journal.save(waits)
    journal.finish(waits, end, {})
    for number in range(200):
        done = endless_plan(session, f"done-{number}")
        journal.save(done)
        journal.finish(done, PlanDone(at=session.clock.now(), plan_id=done.id, text="done"), {})
    (job,) = Operations(session).jobs()
    assert (job.target, job.state, job.hint) == ("waits", "needs_token", "Set HF_TOKEN")
    assert Operations(session).jobs(everything=True)[-1] == job


def test_a_wish_between_two_steps_is_met_before_the_next(body: Body, new_session: Sessions) -> None:
    console = Console(new_session(), steps=2)
    console.pid()
    body.path.write_bytes(b"x" * TOTAL)  # the first step ends, whoever asks for what
    Journal(console.session).plans.request_pause(console.plan.id, console.session.clock.now())
    end = failed(console.end())
    assert end.outcome == "paused"
    assert console.job().state == "paused"


def test_a_cancel_outweighs_a_pause(body: Body, new_session: Sessions) -> None:
    console = Console(new_session())
    os.kill(console.pid(), signal.SIGSTOP)
    pid = console.job().pid or 0
    assert console.operations.pause(console.plan.id)
    assert console.job().can == ("watch", "cancel")
    assert console.operations.cancel(console.plan.id)
    os.kill(pid, signal.SIGCONT)
    assert failed(console.end()).outcome == "cancelled"
    assert not body.path.exists()


def test_what_was_wished_of_one_that_was_killed_is_met_all_the_same(
    body: Body, new_session: Sessions
) -> None:
    for wish, outcome in (("pause", "paused"), ("cancel", "cancelled")):
        console = Console(new_session())
        pid = console.pid()
        os.kill(pid, signal.SIGSTOP)
        getattr(console.operations, wish)(console.plan.id)
        os.kill(pid, signal.SIGKILL)
        assert failed(console.end()).outcome == outcome
        assert body.path.exists() == (wish == "pause")


def test_two_consoles_that_go_on_at_once_start_it_once(
    body: Body, new_session: Sessions, environ: dict[str, str]
) -> None:
    console = Console(new_session())
    os.kill(console.pid(), signal.SIGKILL)
    console.end()
    ready = threading.Barrier(4)
    answers = list[bool]()

    def go_on(operations: Operations) -> None:
        ready.wait(10)
        answers.append(operations.resume(console.plan.id))

    threads = [threading.Thread(target=go_on, args=(Operations(new_session()),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == [False, False, False, True]
    wait_until(lambda: console.job().state == "running", 20)
    body.say("go")
    assert isinstance(list(console.operations.follow("last"))[-1], PlanDone)
    assert console.job().attempts == 2
    assert body.size() == TOTAL


def test_a_console_that_may_change_nothing_refuses(body: Body, new_session: Sessions) -> None:
    console = Console(new_session())
    console.pid()
    looking = Operations(new_session(read_only=True))
    for verb in (looking.pause, looking.cancel, looking.resume):
        with pytest.raises(RefusedError) as refused:
            verb(console.plan.id)
        assert refused.value.code == "policy.read-only"
    assert looking.one_job("last").state == "running"
    console.operations.cancel("last")
    console.end()


def test_figures_are_told_a_few_times_a_second(body: Body, new_session: Sessions) -> None:
    console = Console(new_session())
    wait_until(lambda: len(_told(console.events)) >= 3, 20)
    console.operations.pause("last")
    console.end()
    told = [event.elapsed_seconds for event in _told(console.events)]
    assert all(b - a >= 0.15 for a, b in pairwise(told[:-1])), told
    assert len(Journal(console.session).plans.events(console.plan.id)) < 6, "only the last is kept"


def _told(events: list[AnyEvent]) -> list[StepProgress]:
    return [e for e in events if isinstance(e, StepProgress) and e.transfer is not None]


def test_a_plan_that_is_no_download_is_not_paused(new_session: Sessions) -> None:
    session = new_session()
    plan = endless_plan(session)
    from msgspec.structs import replace

    plan = replace(plan, endless=False, subject="layout", verb="switch")
    journal = Journal(session)
    journal.save(plan)
    journal.begin(plan, os.getpid())
    for verb in (Operations(session).pause, Operations(session).resume):
        with pytest.raises(RefusedError) as refused:
            verb(plan.id)
        assert refused.value.code in {"plan.not-pausable", "plan.not-resumable"}
