"""A switch of several steps: what it tells, its limits, and how it goes back."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from actions.fit.model import Fit
from actions.journal import Journal
from actions.operations import Operations
from actions.plan import Check, PlanDone, PlanFailed, StepFinished, StepProgress, StepStarted
from actions.session import Session
from actions.step_thread import Talk
from actions.trouble import CancelledStepError, StepError
from console.engine.faults import EngineUnreachableError
from console.errors import RefusedError, UsageError
from console.store.locks import LockFolder
from tests.plans.scripted import (
    Gate,
    Steps,
    done,
    events_of,
    execute,
    layout_plan,
    step,
)
from tests.support.waiting import wait_until

Sessions = Callable[..., Session]


@pytest.fixture
def environ(tmp_path: Any) -> dict[str, str]:
    """Give an environment that needs no engine."""
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def broken(_talk: Talk) -> str:
    raise StepError("service.not-ready", "b did not become ready", "look at its log")


def failure(event: PlanDone | PlanFailed) -> PlanFailed:
    assert isinstance(event, PlanFailed)
    return event


def wish(session: Session, plan_id: str) -> None:
    assert Journal(session).plans.request_cancel(plan_id, session.clock.now())


def test_a_step_that_fails_leads_back_to_what_ran_before(new_session: Sessions) -> None:
    session = new_session()
    verbs = Steps(stop=done, start=broken, again=done)
    verbs.way_back = (step("again", target="a"),)
    verbs.left = {"state": "", "text": "a is ready now"}
    plan = layout_plan(session, step("stop"), step("start"))
    event = failure(execute(session, verbs, plan))
    assert (event.outcome, event.code, event.went_back) == ("failed", "service.not-ready", "yes")
    assert event.text == "went back: what was there before is restored; a is ready now"
    assert event.left == verbs.left
    assert event.hint == "look at its log"
    assert verbs.log == ["stop", "start", "back-1-again"]
    assert verbs.asked_back == [(("stop",), "start")]
    begun = [one for one in events_of(session, plan) if isinstance(one, StepStarted)]
    assert [(one.step_id, one.back) for one in begun] == [
        ("stop", False),
        ("start", False),
        ("back-1-again", True),
    ]
    assert Journal(session).step_reached(plan.id)[0] == 2
    assert Journal(session).plans.get(plan.id).left_behind == verbs.left  # type: ignore[union-attr]


def test_the_locks_are_held_until_everything_is_back(new_session: Sessions) -> None:
    session = new_session()
    gate = Gate()
    verbs = Steps(start=broken, again=gate.wait)
    verbs.way_back = (step("again"),)
    plan = layout_plan(session, step("start"))
    thread = threading.Thread(target=execute, args=(session, verbs, plan))
    thread.start()
    assert gate.reached.wait(5)
    locks = LockFolder(session.places)
    assert not locks.is_free("service-a")
    assert not locks.is_free("service-b")
    gate.open.set()
    thread.join(5)
    assert locks.is_free("service-a")


def test_a_step_has_a_limit_of_its_own_and_what_it_said_last_is_told(
    new_session: Sessions,
) -> None:
    session = new_session()
    let_go = threading.Event()

    def slow(talk: Talk) -> str:
        talk.tell("loading, 12 s")
        return str(let_go.wait(20))

    verbs = Steps(quick=done, slow=slow, again=done)
    verbs.way_back = (step("again"),)
    plan = layout_plan(session, step("quick", 60), step("slow", 0.3))
    threading.Timer(1.0, let_go.set).start()
    event = failure(execute(session, verbs, plan))
    assert (event.code, event.went_back) == ("plan.outlasted", "yes")
    assert event.title == "Do slow was not over after 0.3 s; last heard: loading, 12 s"
    assert verbs.aborted == ["slow"]
    # What goes back waited for the late step to be out of its way.
    assert let_go.is_set()


def test_progress_is_throttled_and_the_last_word_is_kept(new_session: Sessions) -> None:
    session = new_session()
    written: list[str] = []
    journal_write = Journal.write
    many = 3000

    def chatty(talk: Talk) -> str:
        for number in range(many):
            talk.tell(f"line {number} --api-auth jesse:s3cr3t-pass\x1b[2J")
        return "done"

    def counted(self: Journal, event: Any) -> None:
        if isinstance(event, StepProgress):
            written.append(event.text)
        journal_write(self, event)

    plan = layout_plan(session, step("chatty", 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "write", counted)
        assert isinstance(execute(session, Steps(chatty=chatty), plan), PlanDone)
    assert len(written) < 10
    last = [one for one in events_of(session, plan) if isinstance(one, StepProgress)][-1]
    assert last.text == f"line {many - 1} --api-auth ***"
    assert last.longest_seconds == 30


def test_a_wish_to_cancel_is_heard_in_mid_step_and_leads_back(new_session: Sessions) -> None:
    session = new_session()
    reached = threading.Event()
    heard_back: list[bool] = []

    def patient(talk: Talk) -> str:
        reached.set()
        wait_until(talk.cancelled, 10)
        raise CancelledStepError("plan.cancelled", "b was left starting")

    def again(talk: Talk) -> str:
        heard_back.append(talk.cancelled())
        return "a runs"

    verbs = Steps(stop=done, patient=patient, again=again, never=done)
    verbs.way_back = (step("again"),)
    plan = layout_plan(session, step("stop"), step("patient"), step("never"))
    ends: list[PlanDone | PlanFailed] = []
    thread = threading.Thread(target=lambda: ends.append(execute(session, verbs, plan)))
    thread.start()
    assert reached.wait(5)
    wish(session, plan.id)
    thread.join(10)
    event = failure(ends[0])
    assert (event.outcome, event.code, event.exit_code) == ("interrupted", "plan.cancelled", 130)
    assert "in step 2 of 3 (Do patient)" in event.title
    assert event.text == "went back: what was there before is restored; dual is as it was now"
    assert event.went_back == "yes"
    assert heard_back == [False]
    assert "never" not in verbs.log


def test_a_cancel_between_steps_leads_back_too(new_session: Sessions) -> None:
    session = new_session()
    plan = layout_plan(session, step("stop"), step("start"))

    def stop(_talk: Talk) -> str:
        wish(session, plan.id)
        return "stopped"

    verbs = Steps(stop=stop, start=done, again=done)
    verbs.way_back = (step("again"),)
    event = failure(execute(session, verbs, plan))
    assert (event.outcome, event.went_back) == ("interrupted", "yes")
    assert "before step 2 of 2" in event.title
    assert verbs.log == ["stop", "back-1-again"]
    assert verbs.asked_back == [(("stop",), "")]


def test_a_cancel_before_the_first_step_touches_nothing(new_session: Sessions) -> None:
    session = new_session()
    plan = layout_plan(session, step("stop"))
    journal = Journal(session)
    journal.save(plan)
    wish(session, plan.id)
    verbs = Steps(stop=done)
    from actions.executor import Executor

    event = failure(Executor(session, journal, verbs).run(plan))
    assert (event.text, event.went_back, event.left) == ("dual was not touched", "", {})
    assert verbs.log == []
    assert verbs.asked_back == []


def test_without_a_way_back_it_says_how_things_were_left(new_session: Sessions) -> None:
    session = new_session()
    verbs = Steps(stop=done, start=broken)
    verbs.left = {"state": "mixed", "text": "a is stopped now, b is unhealthy now"}
    event = failure(execute(session, verbs, layout_plan(session, step("stop"), step("start"))))
    assert (event.went_back, event.text) == ("", "a is stopped now, b is unhealthy now")


@pytest.mark.parametrize(
    ("back", "went_back", "log"),
    [
        (("bad-a", "good-a", "good-b"), "partly", ["back-1-bad", "back-3-good"]),
        (("bad-a", "good-a"), "no", ["back-1-bad"]),
        (("good-b", "bad-a"), "partly", ["back-1-good", "back-2-bad"]),
    ],
)
def test_going_back_does_what_it_can(
    new_session: Sessions, back: tuple[str, ...], went_back: str, log: list[str]
) -> None:
    session = new_session()
    verbs = Steps(start=broken, bad=broken, good=done)
    named = [one.split("-") for one in back]
    verbs.way_back = tuple(step(name, target=target) for name, target in named)
    event = failure(execute(session, verbs, layout_plan(session, step("start"))))
    assert event.went_back == went_back
    assert "Do bad: b did not become ready" in event.text
    assert event.text.endswith("dual is as it was now")
    assert verbs.log[1:] == log


def test_a_way_back_that_cannot_be_found_is_told(new_session: Sessions) -> None:
    session = new_session()

    class Lost(Steps):
        def rollback(self, *_: Any) -> Any:
            raise EngineUnreachableError("engine.gone", "the engine does not answer")

        def left_behind(self, *_: Any) -> Any:
            raise EngineUnreachableError("engine.gone", "the engine does not answer")

    plan = layout_plan(session, step("start"))
    event = failure(execute(session, Lost(start=broken), plan))
    assert event.went_back == "no"
    assert event.text == (
        "going back was not possible: the engine does not answer; "
        f"gpuconsole jobs back {plan.id} tries it again; "
        "its state is not known: the engine does not answer"
    )


def test_a_fault_of_our_own_leads_back_too(new_session: Sessions) -> None:
    session = new_session()

    def faulty(_talk: Talk) -> str:
        raise ZeroDivisionError

    verbs = Steps(faulty=faulty, again=done)
    verbs.way_back = (step("again"),)
    plan = layout_plan(session, step("faulty"))
    with pytest.raises(ZeroDivisionError):
        execute(session, verbs, plan)
    event = events_of(session, plan)[-1]
    assert isinstance(event, PlanFailed)
    assert (event.code, event.went_back) == ("plan.broke-off", "yes")
    assert verbs.log == ["faulty", "back-1-again"]


def worse_by(session: Session, **changed: Any) -> PlanDone | PlanFailed:
    plan = layout_plan(
        session,
        step("stop"),
        verdict="warned",
        checks=(Check(id="service.offload", title="streams from RAM", verdict="warn"),),
        fits=(fit("offload"),),
    )
    verbs = Steps(stop=done)
    verbs.fresh = msgspec.structs.replace(plan, **changed)
    return execute(session, verbs, plan)


def fit(verdict: str) -> Fit:
    return Fit(
        variant="v",
        service="a",
        gpu_uuid="GPU-1",
        verdict=verdict,
        reason=f"a would be {verdict}",
        need_bytes=1,
        expected_use_bytes=1,
        available_bytes=1,
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": "refused", "checks": (Check(id="x", title="no VRAM", verdict="refuse"),)},
        {"checks": (Check(id="service.busy", title="a is busy: 3 min in", verdict="warn"),)},
        {"fits": (fit("refused"),)},
    ],
)
def test_ground_that_moved_against_it_stops_it_with_the_new_plan(
    new_session: Sessions, changed: dict[str, Any]
) -> None:
    event = failure(worse_by(new_session(), **changed))
    assert (event.outcome, event.exit_code, event.text) == ("stale", 3, "nothing was changed")
    assert event.plan is not None
    words = changed["checks"][0].title if "checks" in changed else "a would be refused"
    assert words in event.title


def test_ground_that_moved_for_it_does_not_stop_it(new_session: Sessions) -> None:
    better = {"verdict": "ready", "checks": (), "fits": (fit("resident"),)}
    assert isinstance(worse_by(new_session(), **better), PlanDone)


def journalled(session: Session, verbs: Steps, *steps: Any, **changed: Any) -> str:
    plan = layout_plan(session, *steps, **changed)
    execute(session, verbs, plan)
    return plan.id


@pytest.fixture
def layouts(new_session: Sessions, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Put the test's own verbs in the place of those of layouts."""
    session = new_session()
    verbs = Steps(stop=done, start=done, broken=broken, again=done)
    verbs.way_back = (step("again"),)

    def plan(verb: str, name: str, options: dict[str, Any], asker: Any) -> Any:
        made = layout_plan(session, step("start"), verb=verb, target_id=name, asker=asker)
        return msgspec.structs.replace(made, options=options, facts={"before": "now"})

    monkeypatch.setattr(verbs, "plan", plan)
    for place in ("actions.operations", "actions.undo"):
        monkeypatch.setattr(f"{place}.verbs_for", lambda *_: verbs)
    return verbs


def test_a_switch_is_taken_back_by_its_own_verbs(new_session: Sessions, layouts: Steps) -> None:
    session = new_session()
    first = journalled(session, layouts, step("stop"))
    operations = Operations(session)
    back = operations.undo()
    assert back.undoes == first
    assert back.steps == layouts.way_back
    assert back.checks[-1].title.startswith("takes back: switch dual, by ")
    assert operations.back_plan(first[:-1]).undoes == first
    assert operations.back_plan("last").undoes == first


def test_one_that_went_back_by_itself_is_not_taken_back(
    new_session: Sessions, layouts: Steps
) -> None:
    session = new_session()
    first = journalled(session, layouts, step("stop"))
    second = journalled(session, layouts, step("broken"))
    operations = Operations(session)
    assert operations.undo().undoes == first
    with pytest.raises(RefusedError, match="went back by itself"):
        operations.back_plan(second)


def test_an_interrupted_one_is_gone_on_with_and_back_to_the_beginning(
    new_session: Sessions, layouts: Steps
) -> None:
    session = new_session()
    layouts.way_back = ()
    first = journalled(
        session, layouts, step("broken"), facts={"before": "a ran"}, options={"force": True}
    )
    operations = Operations(session)
    resumed = operations.resume_plan(first)
    assert (resumed.continues, resumed.options) == (first, {"force": True})
    assert resumed.facts == {"before": "now", "continues": {"before": "a ran"}}
    assert resumed.checks[-1].id == "plan.continues"
    execute(session, layouts, resumed)
    back = operations.back_plan(resumed.id)
    assert back.facts == {"before": "a ran"}, "what ran before the first, not in the middle"
    assert back.undoes == resumed.id
    with pytest.raises(RefusedError, match="ended well"):
        operations.resume_plan(resumed.id)
    assert operations.undo().undoes == resumed.id


def test_ids_that_mean_nothing_or_too_much(new_session: Sessions, layouts: Steps) -> None:
    session = new_session()
    operations = Operations(session)
    with pytest.raises(UsageError, match="No plan was run here yet"):
        operations.back_plan("last")
    for _ in range(2):
        journalled(session, layouts, step("stop"))
    with pytest.raises(UsageError) as several:
        operations.back_plan("2")
    assert several.value.code == "plan.ambiguous"
    with pytest.raises(UsageError) as nothing:
        operations.resume_plan("no-such-plan")
    assert nothing.value.code == "plan.unknown"


def test_jobs_tell_what_is_under_way_and_what_was_left(
    new_session: Sessions, layouts: Steps
) -> None:
    session = new_session()
    operations = Operations(session)
    journalled(session, layouts, step("stop"), target_id="other")
    layouts.way_back = ()
    gate = Gate()

    def told(talk: Talk) -> str:
        talk.tell("waiting until ready: loading")
        return gate.wait(talk)

    layouts.deeds["told"] = told
    plan = layout_plan(session, step("stop"), step("told"))
    thread = threading.Thread(target=execute, args=(session, layouts, plan))
    thread.start()
    assert gate.reached.wait(5)
    wait_until(lambda: any(one.text for one in operations.jobs()))
    (job,) = operations.jobs()
    assert (job.id, job.state, job.step, job.steps) == (plan.id, "running", 2, 2)
    assert (job.title, job.text) == ("Do told", "waiting until ready: loading")
    assert job.can == ("watch", "cancel")
    assert job.pid is not None
    assert operations.running()[0].text == "waiting until ready: loading"
    assert operations.cancel(plan.id)
    assert operations.jobs()[0].can == ("watch",)
    with pytest.raises(RefusedError) as under_way:
        operations.resume_plan(plan.id)
    assert under_way.value.code == "plan.under-way"
    gate.open.set()
    thread.join(5)
    assert operations.jobs() == (), "cancelled too late: nothing is left to be done"
    assert [one.state for one in operations.jobs(everything=True)] == ["interrupted", "done"]


def test_one_left_in_the_middle_is_told_until_it_is_settled(
    new_session: Sessions, layouts: Steps
) -> None:
    session = new_session()
    operations = Operations(session)
    plan = layout_plan(session, step("stop"), step("start"))

    def stop(_talk: Talk) -> str:
        wish(session, plan.id)
        return "stopped"

    layouts.deeds["stop"] = stop
    layouts.way_back = ()
    execute(session, layouts, plan)
    job = operations.jobs()[0]
    assert (job.state, job.step, job.can) == ("interrupted", 1, ("watch", "resume", "back"))
    execute(session, layouts, operations.resume_plan(job.id))
    assert operations.jobs() == ()


def test_a_run_that_ended_well_tells_each_step(new_session: Sessions) -> None:
    session = new_session()
    plan = layout_plan(session, step("one"), step("two"))
    event = execute(session, Steps(one=done, two=lambda _: "dual runs"), plan)
    assert isinstance(event, PlanDone)
    assert event.text == "dual runs"
    finished = [one for one in events_of(session, plan) if isinstance(one, StepFinished)]
    assert [one.text for one in finished] == ["done", "dual runs"]
