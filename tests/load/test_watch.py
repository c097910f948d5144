"""What is seen of a host while a load runs: cards over time, and what goes wrong."""

import threading
from functools import partial

import msgspec

from actions.load.model import Incident, Sample
from actions.load.watch import Told, Watch
from actions.snapshot import HostSnapshot
from console.clock import HeldClock
from tests.load.stage import BIG, SMALL, Stage
from tests.support.snapshots import NOT_SUPPORTED, NOW, gpu, gpu_snapshot, host, service
from tests.support.waiting import wait_until


class Host(Stage):
    """The stage with a clock that is moved by hand."""

    def __init__(self, *services: str) -> None:
        super().__init__(*services)
        self.clock = self.held = HeldClock(NOW)
        self.seen = Watch(self.look, services, self.clock)

    def after(self, seconds: float) -> None:
        """Let time pass, and look."""
        self.held.advance(seconds)
        self.seen.see()

    def told(self) -> list[tuple[str, float, float | None]]:
        """Give what went wrong: what, from when, until when."""
        return [(one.kind, one.begun, one.ended) for one in self.seen.incidents()]


def test_the_engine_away_and_a_service_down_have_their_beginnings_and_ends() -> None:
    stage = Host("comfy")
    stage.after(1)
    stage.engine, stage.down = False, {"comfy"}
    stage.after(1)
    stage.after(1)
    stage.engine = True
    stage.after(1)
    stage.down = set()
    stage.after(1)

    assert stage.told() == [("engine-away", 2.0, 4.0), ("service-down", 2.0, 5.0)]
    assert "exit 137" in stage.seen.incidents()[1].detail


def test_a_card_that_is_lost_has_no_figures_and_no_service_on_it_is_well() -> None:
    stage = Host("comfy")
    stage.after(1)
    stage.lost = {BIG.uuid}
    stage.after(1)

    assert stage.told() == [("card-lost", 2.0, None)]
    assert stage.seen.incidents()[0].subject == BIG.name
    now = stage.seen.samples()[-1].cards[BIG.uuid]
    assert (now.lost, now.used_bytes, now.temperature_celsius) == (True, None, None)
    assert now.total_bytes == BIG.memory_total_bytes
    assert not stage.seen.well("comfy", 0.0)

    stage.lost = set()
    stage.after(1)
    assert stage.seen.well("comfy", 0.0)
    assert stage.seen.came_back("comfy", 1.0)
    assert not stage.seen.came_back("comfy", 9.0), "not after it"


def test_a_restart_that_nobody_saw_go_down_is_noticed_by_the_new_run() -> None:
    stage = Host("comfy")
    stage.after(1)
    stage.runs["comfy"] = 2
    stage.after(1)

    assert stage.told() == [("service-restarted", 2.0, 2.0)]


def test_a_restart_after_it_was_seen_down_is_not_told_twice() -> None:
    stage = Host("comfy")
    stage.after(1)
    stage.down = {"comfy"}
    stage.after(1)
    stage.down, stage.runs["comfy"] = set(), 2
    stage.after(1)

    assert stage.told() == [("service-down", 2.0, 3.0)]


def test_a_service_that_was_not_asked_yet_is_not_down() -> None:
    unasked = service("comfy", "starting", card=BIG, reading=None)
    watch = Watch(lambda: host(gpu_snapshot(BIG), services=(unasked,)), ["comfy"], HeldClock(NOW))
    watch.see()

    assert watch.incidents() == ()


def test_a_host_without_an_engine_has_not_lost_one() -> None:
    stage = Host("comfy")
    stage.engine = False
    stage.after(1)

    assert stage.told() == []


def test_somebody_elses_service_does_not_count() -> None:
    stage = Host("comfy", "forge")
    stage.seen = Watch(stage.look, ["comfy"], stage.clock)
    stage.down = {"forge"}
    stage.after(1)

    assert stage.told() == []


def test_a_stale_reading_is_not_a_figure_of_now() -> None:
    stage = Host("comfy")
    stage.after(1)
    look: list[HostSnapshot] = [stage.look()]
    look[0] = msgspec.structs.replace(look[0], gpus_stale=True)
    stage.seen._look = lambda: look[0]
    stage.after(1)

    assert len(stage.seen.samples()) == 1


def test_what_the_driver_does_not_tell_is_no_zero() -> None:
    dumb = gpu(0, power_watts=NOT_SUPPORTED, temperature_celsius=NOT_SUPPORTED)
    watch = Watch(lambda: host(gpu_snapshot(dumb, SMALL)), [], HeldClock(NOW))
    watch.see()

    now = watch.samples()[0].cards[dumb.uuid]
    assert (now.power_watts, now.temperature_celsius) == (None, None)
    assert now.used_bytes == dumb.memory_used_bytes


def test_an_engine_that_was_away_for_less_than_a_second_is_seen() -> None:
    stage = Stage("comfy")
    watch = Watch(stage.look, ["comfy"], stage.clock)
    watch.see()
    threading.Thread(target=watch.run, args=(60.0,), daemon=True).start()
    try:
        for there in (False, True):
            stage.engine = there
            watch.stir()
            over = "ended" if there else "begun"
            wait_until(partial(_first, watch, over), 5, over)
    finally:
        watch.end()

    assert [one.kind for one in watch.incidents()] == ["engine-away"]


def test_the_same_reading_of_the_cards_counts_once() -> None:
    stage = Host("comfy")
    stage.after(1)
    stage.seen.see()
    stage.seen.see()

    assert len(stage.seen.samples()) == 1


def test_hours_of_readings_are_thinned_and_span_the_whole_run() -> None:
    stage = Host("comfy")
    for _ in range(9000):
        stage.after(1)

    samples = stage.seen.samples()
    assert 2000 <= len(samples) <= 4000
    assert samples[0].at == 1.0
    assert samples[-1].at > 8990


def test_a_later_process_takes_over_what_an_earlier_one_saw() -> None:
    heard: list[tuple[int, Incident]] = []

    class Listens(Told):
        def happened(self, number: int, incident: Incident) -> None:
            heard.append((number, incident))

    stage = Host("comfy")
    watch = Watch(stage.look, ["comfy"], stage.clock, 100.0, Listens())
    watch.take([Sample(at=60.0)], [Incident(kind="card-lost", ident="GPU-9", begun=50.0)])
    watch.add(Incident(kind="console-away", begun=60.0, ended=100.0))
    stage.down = {"comfy"}
    watch.see()

    assert [one.kind for one in watch.incidents()] == ["card-lost", "console-away", "service-down"]
    assert watch.incidents()[0].ended == 60.0, "nobody saw it after that"
    assert [number for number, _ in heard] == [1, 2]
    assert watch.now() >= 100.0


def _first(watch: Watch, face: str) -> bool:
    first = watch.incidents()[:1]
    return bool(first) and getattr(first[0], face) is not None
