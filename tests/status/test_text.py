"""`status` as people and status bars read it, where the host is not well."""

from actions.alerts import AlertBook
from actions.merge import Merger
from actions.snapshot import HostSnapshot
from console.clock import HeldClock
from console.engine.snapshot import DeviceRequest, EngineSnapshot, GpuDeclaration
from console.gpu.snapshot import GpuSnapshot
from console.host.facts import read_facts
from console.unknown import Unknown
from screens.cli.status_text import status_line, status_text
from tests.actions.build import make_cards, make_container
from tests.support.program import ROOT
from tests.support.snapshots import NOW, engine_snapshot

ALL = DeviceRequest(driver="", count=-1, device_ids=(), capabilities=("gpu",))


def merged(cards: GpuSnapshot, engine: EngineSnapshot) -> HostSnapshot:
    return Merger(HeldClock(NOW), AlertBook()).merge(
        cards, engine, read_facts(ROOT / "nowhere", ()), {}
    )


def line_with(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


def test_containers_of_an_engine_that_went_away_are_marked_stale() -> None:
    gone = Unknown("engine.lost", "the Docker Engine hung up")
    engine = engine_snapshot(make_container("myia"), state="lost", problem=gone)
    text = status_text(merged(make_cards(), engine))
    assert "running" in line_with(text, "myia")
    assert "the engine does not answer" in line_with(text, "stale:")
    assert "stale:" not in status_text(
        merged(make_cards(), engine_snapshot(make_container("myia")))
    )


def test_a_paused_container_still_holds_its_card() -> None:
    paused = make_container("myia", state="paused", gpu=GpuDeclaration(requests=(ALL,)))
    assert "myia?" in line_with(
        status_text(merged(make_cards(), engine_snapshot(paused))), "RTX 3090"
    )


def test_a_container_that_could_not_start_does_not_look_merely_created() -> None:
    failed = make_container("myia", state="created", exit_code=127, error="exec: no such thing")
    text = status_text(merged(make_cards(), engine_snapshot(failed)))
    assert "created 127 (could not start" in text


def test_the_bar_says_no_card_only_where_there_is_none() -> None:
    for code, said in (("nvml.lib-not-found", "no card |"), ("gpu.stale", "cards –")):  # noqa: RUF001
        problem = Unknown(code, "it does not answer")
        cards = GpuSnapshot(driver=problem, problem=problem)
        assert status_line(merged(cards, engine_snapshot())).startswith(said)
