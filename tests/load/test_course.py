"""How requests find their way past services that go down, come back, or do not."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from actions.load.course import Course, Turn
from actions.load.ledger import Ledger
from actions.load.model import Result
from console.edits.kept import EditError
from tests.load.stage import BIG, NO_MEMORY, RESTARTED, SMALL, UNSURE, Stage
from tests.support.waiting import wait_until

Run = Callable[..., Sequence[Result]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    watches = []

    def go(stage: Stage, count: int, at_once: int = 3, **options: object) -> Sequence[Result]:
        watch = stage.watch()
        watches.append(watch)
        ledger = Ledger(tmp_path, "load")
        assert ledger.open()
        turns = options.pop("turns", None) or [Turn(n, 100 + n) for n in range(1, count + 1)]
        course = Course(
            stage.services,
            at_once,
            stage,
            watch,
            ledger,
            **{"patience": 5.0, **options},  # type: ignore[arg-type]
        )
        try:
            return course.run(turns)  # type: ignore[arg-type]
        finally:
            ledger.close()

    yield go
    for watch in watches:
        watch.end()


def test_each_request_has_a_seed_of_its_own_and_never_more_run_than_were_allowed(run: Run) -> None:
    stage, gate = Stage("comfy"), threading.Barrier(3)

    def act(*_: object) -> str:
        gate.wait(5)  # three must come together, or none goes on
        return "done"

    stage.act = act
    results = run(stage, 9, 3)

    assert [one.state for one in results] == ["done"] * 9
    assert sorted(seed for _, seed in stage.seeds) == list(range(101, 110))
    assert stage.most == 3
    assert results[0].outputs == ("/pictures/edit-1-1.png",)
    assert (results[0].wait_seconds, results[0].run_seconds) == (0.5, 2.0)


def test_two_services_share_the_requests_by_what_is_under_way(run: Run) -> None:
    stage, gate = Stage("big", "small", cards={"big": BIG, "small": SMALL}), threading.Barrier(4)

    def act(*_: object) -> str:
        gate.wait(5)
        return "done"

    stage.act = act
    results = run(stage, 8, 4)

    assert Counter(one.service for one in results)["big"] in {3, 4, 5}
    assert {one.state for one in results} == {"done"}


def test_what_was_not_taken_is_sent_again_and_what_was_taken_is_told_as_lost(run: Run) -> None:
    stage = Stage("comfy")

    def act(name: str, seed: int, stop: Callable[[], str]) -> EditError | str:
        if seed == 103:
            stage.down.add(name)
            threading.Timer(0.6, stage.down.clear).start()
            wait_until(lambda: name not in stage.down)
            return RESTARTED  # it was in the queue, which is gone
        return "done"

    stage.act = act
    results = run(stage, 6, 2)

    lost = [one for one in results if one.state == "failed"]
    assert [(one.number, one.kind, one.code) for one in lost] == [
        (3, "service-died", "edit.restarted")
    ]
    again = [one for one in results if one.attempts > 1]
    assert again
    assert {one.state for one in again} == {"done"}
    sent = Counter(seed for _, seed in stage.seeds)
    assert sent[103] == 1, "a request that was taken is never sent twice"
    assert sum(sent.values()) == 6 + sum(one.attempts - 1 for one in again)


@pytest.mark.parametrize("found", [True, False])
def test_what_nobody_could_tell_is_looked_for_once_the_service_is_back(
    run: Run, found: bool
) -> None:
    stage = Stage("comfy")
    looks: list[int] = []

    def act(name: str, seed: int, stop: Callable[[], str]) -> EditError | str:
        if seed != 102:
            return "done"
        looks.append(seed)
        if len(looks) == 1:
            stage.down.add(name)
            threading.Timer(0.4, stage.down.clear).start()
            threading.Event().wait(0.1)
            return UNSURE
        return "done" if found else UNSURE

    stage.act = act
    results = run(stage, 4, 2)

    assert len(looks) == 2, "looked for under its own id, and not for ever"
    mine = next(one for one in results if one.number == 2)
    assert mine.edit_id == "edit-2-1"
    assert (mine.state, mine.kind) == (("done", "") if found else ("failed", "service-died"))
    assert {one.state for one in results if one.number != 2} == {"done"}


def test_nothing_is_sent_to_a_service_that_is_down(run: Run) -> None:
    stage = Stage("comfy")
    stage.down.add("comfy")
    threading.Timer(0.7, stage.down.clear).start()

    results = run(stage, 4, 2)

    assert {one.state for one in results} == {"done"}
    early = len(stage.seeds) - 4
    assert early <= 2, "each of the two tries once, and then waits until it is back"
    assert sum(one.attempts - 1 for one in results) == early


def test_a_full_queue_is_waited_for_longer_than_a_few_tries(run: Run) -> None:
    stage = Stage("comfy")
    full = EditError(code="edit.queue-full", title="its queue is full")
    stage.full = 6

    def act(name: str, seed: int, stop: Callable[[], str]) -> EditError | str:
        stage.full -= 1
        return full if stage.full >= 0 else "done"

    stage.act = act
    results = run(stage, 2, 1)

    assert {one.state for one in results} == {"done"}
    assert sum(one.attempts for one in results) == 8
    assert len(stage.forgotten) == 6, "no gallery fills with what was never taken"


def test_the_other_service_takes_the_share_of_the_one_that_died(run: Run) -> None:
    stage = Stage("big", "small", cards={"big": BIG, "small": SMALL})
    stage.down.add("big")

    results = run(stage, 6, 2)

    assert {(one.service, one.state) for one in results} == {("small", "done")}
    assert sum(name == "big" for name, _ in stage.seeds) <= 2


def test_a_service_that_does_not_come_back_is_given_up_after_its_time(run: Run) -> None:
    stage = Stage("comfy")
    stage.down.add("comfy")

    results = run(stage, 5, 2, patience=0.4)

    tried = [one for one in results if one.attempts]
    assert {(one.state, one.kind, one.code) for one in tried} == {
        ("failed", "service-died", "web.refused")
    }
    rest = [one for one in results if not one.attempts]
    assert {(one.state, one.kind) for one in rest} == {("failed", "not-sent")}
    assert len(rest) >= 3
    assert "comfy did not come back" in rest[0].title
    assert "gpuconsole status" in rest[0].hint


def test_a_run_at_a_service_that_is_gone_is_left_after_its_time(run: Run) -> None:
    stage = Stage("comfy")

    def act(name: str, seed: int, stop: Callable[[], str]) -> str:
        stage.down.add(name)
        return "running" if wait_until(stop) == "leave" else "done"

    stage.act = act
    results = run(stage, 2, 1, patience=0.4)

    assert (results[0].state, results[0].kind, results[0].code) == (
        "failed", "service-died", "load.left",
    )  # fmt: skip
    assert "gallery collect" in results[0].hint
    assert results[1].kind == "not-sent"


def test_a_lost_card_holds_its_service_until_it_is_back(run: Run) -> None:
    stage = Stage("comfy")
    broken = EditError(
        code="edit.node-failed", title="KSampler failed", detail="CUDA error: unspecified failure"
    )

    def act(name: str, seed: int, stop: Callable[[], str]) -> EditError | str:
        if seed == 102:
            stage.lost.add(BIG.uuid)
            threading.Timer(0.5, stage.lost.clear).start()
            wait_until(lambda: _seen_lost(stage))
            return broken
        return "done"

    stage.act = act
    results = run(stage, 4, 1)

    assert [one.state for one in results] == ["done", "failed", "done", "done"]
    assert results[1].kind == "card-lost"
    assert results[2].begun - results[1].ended > 0.2, "it waits for the card"


def test_what_docker_took_with_it_is_told_so(run: Run) -> None:
    stage = Stage("comfy")

    def act(name: str, seed: int, stop: Callable[[], str]) -> EditError | str:
        if seed == 102:
            stage.engine = False
            stage.down.add(name)
            threading.Event().wait(0.2)
            stage.engine = True
            stage.down.clear()
            return RESTARTED
        return "done"

    stage.act = act
    results = run(stage, 3, 1)

    assert [one.kind for one in results] == ["", "engine-restarted", ""]


def test_out_of_memory_fails_its_request_and_holds_nobody_up(run: Run) -> None:
    stage = Stage("comfy")
    stage.act = lambda _name, seed, _stop: NO_MEMORY if seed % 2 else "done"

    results = run(stage, 6, 3)

    assert Counter(one.kind for one in results) == {"out-of-memory": 3, "": 3}
    assert all(one.attempts == 1 for one in results)


def test_cancelling_breaks_off_what_runs_and_sends_no_more(run: Run) -> None:
    stage, wish = Stage("comfy"), [""]

    def act(name: str, seed: int, stop: Callable[[], str]) -> str:
        if seed == 101:
            return "done"
        wish[0] = "cancel"
        return "cancelled" if wait_until(stop) == "cancel" else "done"

    stage.act = act
    results = run(stage, 8, 2, stop=lambda: wish[0])

    states = Counter(one.state for one in results)
    assert states["cancelled"] >= 6
    assert len(results) == 8
    assert len(stage.seeds) <= 3


def test_a_process_that_has_to_go_leaves_what_runs_for_the_next(run: Run, tmp_path: Path) -> None:
    stage, wish = Stage("comfy"), [""]

    def act(name: str, seed: int, stop: Callable[[], str]) -> str:
        if seed < 103:
            return "done"
        wish[0] = "leave"
        return "running" if wait_until(stop) == "leave" else "done"

    stage.act = act
    results = run(stage, 6, 1, stop=lambda: wish[0])

    assert [one.number for one in results] == [1, 2]
    past = Ledger(tmp_path, "load").read()
    assert (sorted(past.results), sorted(past.sent)) == ([1, 2], [3])
    assert past.sent[3].edit_id == "edit-3-1"


def test_pictures_are_thrown_away_where_that_is_asked_for(run: Run) -> None:
    stage = Stage("comfy")

    results = run(stage, 3, 2, discard=True)

    assert sorted(stage.discarded) == ["edit-1-1", "edit-2-1", "edit-3-1"]
    assert not any(one.outputs for one in results)


def _seen_lost(stage: Stage) -> bool:
    threading.Event().wait(0.12)  # the watch looks twenty times a second
    return BIG.uuid in stage.lost
