"""`data` of `status --json`: nothing in it says more than is known, and each gap has its reason."""

from datetime import timedelta
from typing import Any

from actions.alerts import AlertBook
from actions.merge import Merger
from actions.status import status_exit_code
from actions.status_data import status_data
from console.clock import HeldClock
from console.engine.snapshot import DeviceRequest, EngineSnapshot, GpuDeclaration
from console.errors import ExitCode
from console.gpu.snapshot import GpuProcess, GpuSnapshot
from console.host.facts import read_facts
from console.unknown import Unknown
from tests.actions.build import make_3090, make_cards, make_container, make_gpu
from tests.support.program import ROOT
from tests.support.snapshots import NOW, engine_snapshot

LOST = Unknown("nvml.gpu-lost", "the card fell off the bus (GPU is lost)", "reboot")
NO_ENGINE = Unknown("engine.absent", "no Docker Engine at unix:///x", "install it")


def merged(cards: GpuSnapshot, engine: EngineSnapshot) -> Any:
    return Merger(HeldClock(NOW), AlertBook()).merge(
        cards, engine, read_facts(ROOT / "nowhere", ()), {}
    )


def data_of(cards: GpuSnapshot, engine: EngineSnapshot | None = None) -> dict[str, Any]:
    return status_data(merged(cards, engine or engine_snapshot()))


def missing(item: dict[str, Any]) -> dict[str, str]:
    return {one["field"]: one["code"] for one in item["unavailable"]}


def test_a_lost_card_is_called_lost() -> None:
    """Its reason is a value that is never true, and must not be taken for none."""
    lost, well = data_of(make_cards(make_gpu(lost=LOST), make_3090()))["gpus"]
    assert (lost["state"], well["state"]) == ("lost", "ok")
    assert missing(lost)["state"] == "nvml.gpu-lost"
    assert "lost" not in missing(lost)
    assert "lost" not in lost


def test_with_every_card_lost_and_no_engine_there_is_nothing_to_look_at() -> None:
    engine = engine_snapshot(state="lost", problem=NO_ENGINE)
    cards = make_cards(make_gpu(lost=LOST))
    assert status_exit_code(merged(cards, engine)) is ExitCode.UNREACHABLE
    assert status_exit_code(merged(make_cards(), engine)) is ExitCode.FINDINGS


def test_a_card_without_a_uuid_says_that_its_name_is_made_up() -> None:
    [card] = data_of(make_cards(make_gpu(uuid="index-0")))["gpus"]
    assert missing(card)["uuid"] == "gpu.no-uuid"


def test_a_process_names_its_container_or_why_it_cannot() -> None:
    container = make_container("myia")
    gone = Unknown("process.gone", "the process has ended")
    processes = tuple(
        GpuProcess(pid=pid, name="python", used_bytes=5, kind="compute", container_id=inside)
        for pid, inside in ((1, container.id), (2, None), (3, gone), (4, "f" * 64))
    )
    [card] = data_of(make_cards(make_gpu(processes=processes)), engine_snapshot(container))["gpus"]
    told = [process["container"] for process in card["processes"]]
    assert told == ["myia", None, None, "f" * 64]
    assert missing(card["processes"][2]) == {"container": "process.gone"}
    assert not any("container_id" in process for process in card["processes"])


def test_fields_that_are_missing_go_by_the_names_they_have_in_json() -> None:
    untold = Unknown("engine.lost", "the engine hung up")
    container = make_container(gpu=untold, exit_code=untold)
    [item] = data_of(make_cards(), engine_snapshot(container))["containers"]
    assert missing(item) == {"gpu_uuids": "engine.lost", "exit_code": "engine.lost"}
    assert set(missing(item)) <= set(item)


def test_a_card_that_nobody_can_tell_has_its_reason() -> None:
    declared = GpuDeclaration(
        requests=(DeviceRequest(driver="", count=-1, device_ids=(), capabilities=("gpu",)),),
        environment=(("CUDA_VISIBLE_DEVICES", "$GPU"),),
    )
    [item] = data_of(make_cards(), engine_snapshot(make_container(gpu=declared)))["containers"]
    assert (item["gpu_source"], item["gpu_uuids"]) == ("unknown", [])
    [why] = item["unavailable"]
    assert why["field"] == "gpu_uuids"
    assert "CUDA_VISIBLE_DEVICES $GPU" in why["title"]


def test_what_an_absent_engine_never_told_is_missing_for_that_reason() -> None:
    engine = EngineSnapshot(
        endpoint="unix:///x", endpoint_source="DOCKER_HOST", state="lost", problem=NO_ENGINE
    )
    data = data_of(make_cards(), engine)["engine"]
    assert (data["version"], data["api_version"]) == (None, None)
    assert missing(data) == {"version": "engine.absent", "api_version": "engine.absent"}
    assert data["problem"]["code"] == "engine.absent"


def test_the_hosts_facts_have_the_drivers_versions_or_why_not() -> None:
    told = data_of(make_cards())["host"]
    assert (told["driver_version"], told["cuda_version"]) == ("580.97", "13.0")
    broken = Unknown("nvml.driver-not-loaded", "the NVIDIA driver is not loaded")
    host = data_of(make_cards(driver=broken, problem=broken))["host"]
    assert host["driver_version"] is None
    assert missing(host)["cuda_version"] == "nvml.driver-not-loaded"


def test_times_are_utc_and_an_age_of_nothing_is_zero_not_unknown() -> None:
    container = make_container(started_at=NOW - timedelta(hours=1))
    data = data_of(
        make_cards(taken_monotonic=HeldClock(NOW).monotonic()), engine_snapshot(container)
    )
    assert data["gpus"][0]["age_seconds"] == 0
    assert data["containers"][0]["started_at"].endswith("Z")
