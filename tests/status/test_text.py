"""`status` as people and status bars read it, where the host is not well."""

from typing import Any

import msgspec

from actions.alerts import AlertBook
from actions.merge import Merger
from actions.services.snapshot import Service, ServiceStatus
from actions.snapshot import HostSnapshot
from console.clock import HeldClock
from console.engine.snapshot import DeviceRequest, EngineSnapshot, GpuDeclaration
from console.gpu.snapshot import GpuSnapshot
from console.host.facts import read_facts
from console.unknown import Unknown
from screens.cli.status_text import status_line, status_text
from tests.actions.build import RTX_3090, make_cards, make_container
from tests.support.program import ROOT
from tests.support.snapshots import GIB, NOW, engine_snapshot

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


def holders(snapshot: HostSnapshot, card: str) -> str:
    return line_with(status_text(snapshot), card).rpartition("  ")[2].strip()


def test_services_say_themselves_where_they_are_and_what_they_hold() -> None:
    running = make_container("myia", gpu=GpuDeclaration(requests=(ALL,)))
    host = merged(make_cards(), engine_snapshot(running))
    names = ("myia?", "myia?")
    assert (holders(host, "RTX 3080"), holders(host, "RTX 3090")) == names

    def served(**changes: Any) -> HostSnapshot:
        service = Service(name="forge", kind="forge", container="myia")
        facts = {"container_id": running.id, "state": "ready", **changes}
        return msgspec.structs.replace(host, services=(ServiceStatus(service=service, **facts),))

    sits = served(gpu_uuid=RTX_3090, gpu_source="observed", vram_used_bytes=6 * GIB)
    assert (holders(sits, "RTX 3080"), holders(sits, "RTX 3090")) == ("–", "myia 6.0")  # noqa: RUF001
    on_cpu = served(gpu_uuid=None, gpu_source="observed", vram_used_bytes=0)
    assert (holders(on_cpu, "RTX 3080"), holders(on_cpu, "RTX 3090")) == ("–", "–")  # noqa: RUF001
    plain = served(container_id="", gpu_uuid=RTX_3090, vram_used_bytes=5 * GIB)
    assert holders(plain, "RTX 3090") == "myia?, forge 5.0"


def test_a_container_that_could_not_start_does_not_look_merely_created() -> None:
    failed = make_container("myia", state="created", exit_code=127, error="exec: no such thing")
    text = status_text(merged(make_cards(), engine_snapshot(failed)))
    assert "created 127 (could not start" in text


def test_the_bar_says_no_card_only_where_there_is_none() -> None:
    for code, said in (("nvml.lib-not-found", "no card |"), ("gpu.stale", "cards –")):  # noqa: RUF001
        problem = Unknown(code, "it does not answer")
        cards = GpuSnapshot(driver=problem, problem=problem)
        assert status_line(merged(cards, engine_snapshot())).startswith(said)
