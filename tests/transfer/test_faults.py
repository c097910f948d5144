"""What servers and lines do wrong: it is waited out, named, or ends with the part kept."""

from datetime import datetime

import pytest

from console.errors import ConsoleError
from console.transfer.faults import Stopped, TransferFault
from console.transfer.part import find_bad, part_of
from console.transfer.wanted import Progress
from tests.transfer.conftest import MIB, NAME, FastClock, Scene, scene_of
from tests.transfer.plain import PlainFault, PlainSource


def test_connections_that_break_are_asked_again_for_the_rest(scene: Scene) -> None:
    scene.hub.fault("reset", after=700_000, times=3)
    scene.hub.fault("cut", after=2_000_000, times=3)
    scene.fetch(clock=FastClock(20))
    assert scene.is_right()
    assert scene.served() < scene.body.size + 16 * MIB


def test_a_stalled_line_is_named_cut_and_asked_again(scene: Scene) -> None:
    scene.hub.fault("stall", after=1_000_000, times=4, where="cdn")
    scene.fetch(clock=FastClock(60))
    assert scene.is_right()
    assert "stalled" in scene.states()
    stalled = next(told for told in scene.told if told.state == "stalled")
    assert stalled.rate is None
    assert "no byte for" in stalled.note
    assert scene.served() < scene.body.size + 16 * MIB


def test_a_single_stalled_connection_of_several_is_cut_too(scene: Scene) -> None:
    scene.hub.fault("stall", after=1_000_000, times=1, where="cdn")
    scene.fetch(clock=FastClock(60), limit=lambda: 40 * MIB)
    assert scene.is_right()
    notes = [told.note for told in scene.told if told.note]
    assert any("no byte for 30 s on 1 connection" in note for note in notes), notes


def test_a_rate_limit_is_waited_out_as_long_as_it_says(scene: Scene) -> None:
    clock = FastClock(20)
    scene.hub.fault("rate-limit", times=2, retry_after=25)
    began = clock.monotonic()
    scene.fetch(clock=clock)
    assert scene.is_right()
    assert clock.monotonic() - began >= 25
    waiting = [told for told in scene.told if told.state == "rate-limited"]
    assert waiting
    assert "goes on in" in waiting[0].note
    assert waiting[0].rate is None


def test_a_limit_of_a_day_is_not_waited_for(scene: Scene) -> None:
    scene.hub.fault("rate-limit", retry_after=86_400)
    with pytest.raises(TransferFault) as refused:
        scene.fetch()
    assert refused.value.code == "transfer.gave-up"
    assert "24.0 h" in refused.value.title


def test_server_errors_pass(scene: Scene) -> None:
    scene.hub.fault("error", times=5, status=500)
    scene.fetch(clock=FastClock(30))
    assert scene.is_right()


def test_a_dead_server_is_given_up_after_a_quarter_of_an_hour_and_the_part_stays(
    scene: Scene,
) -> None:
    scene.hub.fault("slow", rate=60 * MIB)

    def then_down(progress: Progress) -> str:
        if progress.done > 10 * MIB:
            scene.hub.fault("error", status=503)
            scene.hub.fault("reset")
        return ""

    with pytest.raises(TransferFault) as ended:
        scene.fetch(clock=FastClock(1000), until=then_down)
    assert ended.value.code == "transfer.gave-up"
    assert "answered 503" in ended.value.title
    kept = part_of(scene.final)
    assert kept is not None
    scene.hub.heal()
    placed = scene.fetch()
    assert placed.resumed_from == kept.done
    assert scene.is_right()


def test_ignored_ranges_still_bring_the_file_over_one_connection(scene: Scene) -> None:
    scene.hub.fault("no-ranges")
    scene.fetch()
    assert scene.is_right()
    assert scene.served() < 2 * scene.body.size


def test_what_is_there_is_not_written_again_where_ranges_are_ignored(scene: Scene) -> None:
    with pytest.raises(Stopped):
        scene.fetch(
            until=lambda now: "pause" if now.done > 20 * MIB else "", limit=lambda: 60 * MIB
        )
    before = part_of(scene.final)
    assert before is not None
    scene.hub.fault("no-ranges")
    scene.hub.fault("reset", after=30 * MIB, times=1)
    placed = scene.fetch(clock=FastClock(20))
    assert placed.resumed_from == before.done
    assert scene.is_right()


def test_another_range_than_asked_for_is_never_written(scene: Scene) -> None:
    scene.hub.fault("other-range", by=4096, times=3)
    scene.fetch(clock=FastClock(20))
    assert scene.is_right()


def test_a_byte_that_was_changed_on_the_way_costs_one_more_fetch(scene: Scene) -> None:
    scene.hub.fault("corrupt", times=1)
    placed = scene.fetch()
    assert scene.is_right()
    assert placed.fetched == 2 * scene.body.size
    bad = find_bad(scene.folder)
    assert len(bad) == 1
    assert bad[0].stat().st_size == scene.body.size
    assert any(told.note == placed.twice for told in scene.told)
    assert "fetched once more" in placed.twice
    assert all(word in placed.twice for word in (bad[0].name, bad[0].name[-8:], placed.sha256))


def test_bytes_that_are_wrong_twice_are_never_placed(scene: Scene) -> None:
    scene.hub.fault("corrupt")
    with pytest.raises(TransferFault) as refused:
        scene.fetch()
    assert refused.value.code == "transfer.mismatch"
    bad = find_bad(scene.folder)
    assert [path.name for path in bad] == scene.names()
    assert scene.body.sha256 in refused.value.title
    assert bad[0].name[-8:] in refused.value.title
    assert str(bad[0]) in refused.value.hint


def test_a_fault_that_does_not_pass_ends_it_and_keeps_the_part(scene: Scene) -> None:
    class Refusing(PlainSource):
        def _address(self) -> str:
            if scene.served() > 15 * MIB:
                raise PlainFault("you may not have this", passing=False)
            return super()._address()

    with pytest.raises(ConsoleError, match="you may not have this"):
        scene.fetch(source=Refusing(scene.url), limit=lambda: 80 * MIB)
    kept = part_of(scene.final)
    assert kept is not None
    assert kept.done > 0
    assert kept.locked_by is None


def test_a_fault_of_the_program_itself_is_not_taken_for_one_of_the_line(scene: Scene) -> None:
    class Broken(PlainSource):
        def _address(self) -> str:
            raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        scene.fetch(source=Broken(scene.url))


def test_pausing_does_not_wait_for_a_line_that_hangs(scene: Scene) -> None:
    scene.hub.fault("stall", after=3 * MIB, where="cdn")
    with pytest.raises(Stopped):
        scene.fetch(until=lambda now: "pause" if now.done > 8 * MIB else "")
    facts = part_of(scene.final)
    assert facts is not None
    assert facts.done >= 8 * MIB


def test_the_wall_clock_may_jump(scene: Scene) -> None:
    class Jumping(FastClock):
        def now(self) -> datetime:
            raise AssertionError("the wall clock was read")

    scene.fetch(clock=Jumping(1))
    assert scene.is_right()


def test_a_process_that_was_stopped_for_long_goes_on(scene: Scene) -> None:
    class Stopped20Minutes(FastClock):
        stood_still = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.stood_still

    clock = Stopped20Minutes(1)
    scene.hub.fault("stall", after=1_000_000, times=4, where="cdn")

    def stop(progress: Progress) -> str:
        if progress.done and clock.monotonic() > began + 0.5:
            clock.stood_still = 20 * 60.0
        return ""

    began = clock.monotonic()
    scene.fetch(clock=clock, until=stop)
    assert clock.stood_still
    assert scene.is_right()


def test_two_who_want_the_same_file_do_not_write_over_each_other(scene: Scene) -> None:
    refused: list[ConsoleError] = []

    def try_too(progress: Progress) -> str:
        if progress.done and not refused:
            with pytest.raises(TransferFault) as other:
                Scene(scene.hub, scene.folder, scene.body).fetch()
            refused.append(other.value)
        return ""

    scene.fetch(until=try_too, limit=lambda: 40 * MIB)
    assert refused[0].code == "transfer.in-use"
    assert "process" in refused[0].title
    assert scene.is_right()
    assert scene.names() == [NAME]


def test_a_file_that_is_shorter_than_promised_ends_with_the_part_kept(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with scene_of(tmp_path, 20 * MIB) as scene:
        scene.hub.fault("short", by=5 * MIB)
        with pytest.raises(TransferFault) as ended:
            scene.fetch(clock=FastClock(1000))
        assert ended.value.code == "transfer.gave-up"
        assert not scene.final.exists()
