"""What the watcher remembers: events, ends that were asked for, what to inspect, the picture."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from console.engine.due import SPACING, Due
from console.engine.picture import Picture
from console.engine.snapshot import NOT_INSPECTED, EngineEvent
from console.engine.tape import MOST_EVENTS, Tape
from console.unknown import Unknown
from tests.support.fake_engine import FakeEngine

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
SECOND = 1_000_000_000


def play(tape: Tape, *story: tuple[float, str] | tuple[float, str, str]) -> None:
    for moment, action, *more in story:
        event = EngineEvent(
            at=NOW,
            container_id="myia",
            container_name="myia",
            action=action,
            signal=more[0] if more and action == "kill" else None,
            exit_code=int(more[0]) if more and action == "die" else None,
        )
        tape.add(int(moment * SECOND), event)


def asked(*story: tuple[float, str] | tuple[float, str, str]) -> bool:
    tape = Tape()
    play(tape, *story)
    return "myia" in tape.asked_to_stop()


def test_a_crash_was_not_asked_for() -> None:
    assert not asked((1, "start"), (2, "die", "1"))
    assert not asked((1, "start"), (2, "oom"), (3, "die", "137"))


def test_docker_stop_and_docker_kill_were_asked_for() -> None:
    assert asked((1, "start"), (2, "kill", "15"), (12, "kill", "9"), (12.1, "die", "137"))
    assert asked((1, "kill", "9"), (1.1, "die", "137"))
    assert asked((1, "kill", "SIGTERM"), (1.1, "die", "143"), (1.2, "stop"))


def test_a_stop_with_an_odd_signal_counts_once_the_engine_says_stop() -> None:
    assert asked((1, "kill", "28"), (120, "die", "0"), (120.1, "stop"))


def test_a_reload_long_before_a_crash_asked_for_nothing() -> None:
    assert not asked((1, "kill", "1"), (120, "die", "139"))
    assert not asked((1, "kill", "15"), (5000, "die", "139"))


def test_a_start_forgets_the_end_before_it() -> None:
    assert not asked((1, "kill", "15"), (2, "die", "0"), (3, "stop"), (4, "start"))
    assert not asked((1, "kill", "15"), (2, "start"), (3, "die", "1"))
    assert not asked((1, "kill", "9"), (2, "die", "137"), (3, "destroy"))


def test_a_crash_loop_after_a_restart_by_hand_is_a_crash_loop() -> None:
    tape = Tape()
    play(tape, (1, "kill", "15"), (2, "die", "143"), (3, "stop"), (4, "start"), (5, "die", "2"))
    assert tape.asked_to_stop() == frozenset()
    assert tape.last_exit_code("myia") == 2
    assert tape.last_exit_code("other") is None


@given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["die", "start", "stop"]))))
def test_at_most_200_events_are_kept_and_none_twice(story: list[tuple[int, str]]) -> None:
    tape = Tape()
    play(tape, *story)
    play(tape, *story)
    assert len(tape.events()) == min(len(set(story)), MOST_EVENTS)
    if story:
        assert tape.newest_nanoseconds == max(moment for moment, _ in story) * SECOND


def test_flapping_is_looked_at_twice_a_second_and_its_end_is_not_lost() -> None:
    due = Due()
    looks = []
    now = 0.0
    for step in range(100):
        now = step / 10
        due.mark("flapping", now)
        if due.pop(now) is not None:
            looks.append(now)
    assert len(looks) <= 21
    at = due.next_at()
    assert at is not None
    assert at <= now + SPACING
    assert due.pop(at) == "flapping"
    assert due.next_at() is None


@given(st.lists(st.tuples(st.floats(0, 0.3), st.sampled_from("abc"), st.booleans()), max_size=60))
def test_every_change_is_looked_at_after_it_happened(
    story: list[tuple[float, str, bool]],
) -> None:
    due, now = Due(), 0.0
    changed: dict[str, float] = {}
    looked: dict[str, list[float]] = {}
    for pause, name, look in story:
        now += pause
        due.mark(name, now)
        changed[name] = now
        if look and (found := due.pop(now)) is not None:
            looked.setdefault(found, []).append(now)
    while (at := due.next_at()) is not None:
        now = max(now, at)
        found = due.pop(now)
        assert found is not None
        looked.setdefault(found, []).append(now)
    for name, last in changed.items():
        assert looked[name][-1] >= last
        gaps = [
            later - earlier for earlier, later in zip(looked[name], looked[name][1:], strict=False)
        ]
        assert all(gap >= SPACING - 1e-9 for gap in gaps)


def test_running_containers_are_looked_at_first() -> None:
    due = Due()
    due.mark("exited", 0, urgent=False)
    due.mark("running", 0)
    due.mark("later", 0, delay=5)
    assert [due.pop(1), due.pop(1), due.pop(1)] == ["running", "exited", None]


class TestPicture:
    def picture(self, engine: FakeEngine) -> Picture:
        picture = Picture(lambda _: None)
        for container in picture.take_list(deepcopy(list(engine.entries.values()))):
            picture.take_inspect(engine.details[container.id], NOW)
        return picture

    def again(self, picture: Picture, engine: FakeEngine) -> list[str]:
        return [one.name for one in picture.take_list(deepcopy(list(engine.entries.values())))]

    def test_it_is_sorted_by_name_and_asks_for_running_ones_first(
        self, fake_engine: FakeEngine
    ) -> None:
        fake_engine.add(1, "b", Status="exited")
        fake_engine.add(2, "c")
        fake_engine.add(3, "a", Status="exited")
        picture = Picture(lambda _: None)
        assert self.again(picture, fake_engine)[0] == "c"
        assert [one.name for one in picture.containers()] == ["a", "b", "c"]

    def test_a_list_without_news_changes_nothing(self, fake_engine: FakeEngine) -> None:
        container_id = fake_engine.add(1, "myia")
        picture = self.picture(fake_engine)
        before = picture.containers()
        assert self.again(picture, fake_engine) == []
        assert picture.containers() is before
        fake_engine.entries[container_id]["Status"] = "Up 4 hours"
        assert self.again(picture, fake_engine) == []
        (after,) = picture.containers()
        assert after.status == "Up 4 hours"
        assert after.revision > before[0].revision

    def test_news_in_a_list_call_for_one_inspect(self, fake_engine: FakeEngine) -> None:
        container_id = fake_engine.add(1, "myia")
        fake_engine.add(2, "other")
        picture = self.picture(fake_engine)
        for change in (
            {"Status": "Up 3 hours (unhealthy)"},
            {"Status": "Up 2 seconds (unhealthy)"},
            {"State": "exited", "Status": "Exited (1) 1 second ago"},
            {"Names": ["/renamed"]},
        ):
            fake_engine.entries[container_id].update(change)
            assert len(self.again(picture, fake_engine)) == 1
            picture.take_inspect(fake_engine.details[container_id], NOW)

    def test_what_an_inspect_told_of_another_state_is_not_shown(
        self, fake_engine: FakeEngine
    ) -> None:
        container_id = fake_engine.add(1, "myia")
        picture = self.picture(fake_engine)
        fake_engine.entries[container_id].update(State="exited", Status="Exited (1) 1 second ago")
        self.again(picture, fake_engine)
        (container,) = picture.containers()
        assert (container.state, container.pid) == ("exited", NOT_INSPECTED)

    def test_containers_that_are_gone_go(self, fake_engine: FakeEngine) -> None:
        container_id = fake_engine.add(1, "myia")
        picture = self.picture(fake_engine)
        del fake_engine.entries[container_id]
        assert self.again(picture, fake_engine) == []
        assert picture.containers() == ()

    def test_a_reason_stands_where_an_inspect_failed(self, fake_engine: FakeEngine) -> None:
        container_id = fake_engine.add(1, "myia")
        picture = Picture(lambda _: None)
        self.again(picture, fake_engine)
        reason = Unknown("engine.refused", "the engine failed")
        picture.not_told(container_id, reason)
        (container,) = picture.containers()
        assert container.exit_code == reason
        assert container.state == "running"

    def test_a_looping_container_keeps_its_last_exit_code_while_it_runs(
        self, fake_engine: FakeEngine
    ) -> None:
        container_id = fake_engine.add(1, "myia")
        answer: dict[str, Any] = fake_engine.details[container_id]
        picture = Picture(lambda _: 2)
        picture.take_inspect(answer, NOW)
        assert picture.containers()[0].exit_code is None
        picture.take_inspect({**answer, "RestartCount": 6}, NOW)
        assert picture.containers()[0].exit_code == 2
