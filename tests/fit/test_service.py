"""The pre-check of a service, and the ways out that an operator is offered."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actions.fit.model import Fit, Task, WayOut
from actions.fit.service import fit_service
from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from console.errors import UsageError
from console.services.reading import Reading
from console.store.plans import PlanRecords
from console.unknown import Unknown
from tests.fit.build import BIG, GIB, NOBODY_TELLS, SMALL, card, host, service, session
from tests.support import snapshots

FP8 = "qwen-edit-2509-fp8"
Q4_0 = "qwen-edit-2509-gguf-q4_0"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder that holds Q4_0 and what it runs with, by sparse files of the right size."""
    root = tmp_path / "models"
    for folder, name, size in (
        ("unet", "Qwen-Image-Edit-2509-Q4_0.gguf", 11_928_271_392),
        ("clip", "qwen_2.5_vl_7b_fp8_scaled.safetensors", 9_384_670_680),
        ("vae/qwen", "qwen_image_vae.safetensors", 253_806_246),
    ):
        (root / folder).mkdir(parents=True)
        with (root / folder / name).open("wb") as file:
            file.truncate(size)
    return root


def ask(tmp_path: Path, snapshot: HostSnapshot, name: str = "comfyui-qwen", **how: Any) -> Fit:
    config = f'[paths]\nmodels = "{tmp_path / "models"}"\n'
    return fit_service(session(tmp_path, config), snapshot, name, **how)


def comfyui(**changes: Any) -> ServiceStatus:
    return service("comfyui-qwen", "comfyui", **{"state": "stopped", "variant": FP8, **changes})


def movable(status: ServiceStatus) -> ServiceStatus:
    """Give a service with a compose file in which its card can be changed."""
    made = {"compose_file": Path("compose.yaml"), "compose_service": "comfyui"}
    return replace(status, service=replace(status.service, **made))


def ways(fit: Fit, kind: str) -> list[WayOut]:
    return [way for way in fit.ways_out if way.kind == kind]


def full_card(*others: ServiceStatus, used: float, **changes: Any) -> HostSnapshot:
    return host(card(24, used=used), services=(comfyui(on=BIG), *others), **changes)


def test_fp8_fits_an_empty_3090(tmp_path: Path) -> None:
    fit = ask(tmp_path, full_card(used=0.3))
    assert fit.verdict == "resident"
    assert fit.service == "comfyui-qwen"
    assert fit.variant == FP8
    assert fit.gpu_uuid == BIG.uuid
    assert fit.ways_out == ()


def test_an_idle_forge_in_the_way_can_be_unloaded_or_stopped(tmp_path: Path) -> None:
    turbo = service("myia-turbo", on=BIG, budget=8, used=7.6)
    fit = ask(tmp_path, full_card(turbo, used=8.1))
    assert fit.verdict == "offload"
    first, second = fit.ways_out[:2]
    assert (first.kind, first.verdict, first.target) == ("free", "resident", "myia-turbo")
    assert first.command == "gpuconsole free myia-turbo"
    assert (second.kind, second.verdict) == ("stop", "resident")
    assert second.title == "stop myia-turbo first (idle 2h)"
    assert second.command == "gpuconsole stop myia-turbo"
    assert fit.ways_out[-1].kind == "offload"
    assert fit.ways_out[-1].command == "gpuconsole start comfyui-qwen --yes"
    for way in (first, second):
        named = frozenset({way.target})
        done: dict[str, Any] = {"freed" if way.kind == "free" else "stopped": named}
        after = ask(tmp_path, full_card(turbo, used=8.1), **done)
        assert after.verdict == way.verdict


def test_a_busy_forge_is_not_unloaded_in_mid_job(tmp_path: Path) -> None:
    turbo = service("myia-turbo", on=BIG, budget=8, used=7.6, state="busy")
    fit = ask(tmp_path, full_card(turbo, used=8.1))
    assert ways(fit, "free") == []
    assert ways(fit, "stop")[0].title == "stop myia-turbo first (busy)"


def test_the_idle_one_is_offered_before_the_busy_one(tmp_path: Path) -> None:
    busy = service("a-busy", on=BIG, budget=2.5, used=2, state="busy")
    idle = service("z-idle", on=BIG, budget=2.5, used=2)
    fit = ask(tmp_path, full_card(busy, idle, used=4))
    assert [way.target for way in ways(fit, "stop")] == ["z-idle", "a-busy"]
    assert {way.verdict for way in ways(fit, "stop")} == {"resident"}


def test_two_together_where_one_is_not_enough(tmp_path: Path) -> None:
    one = service("one", on=BIG, budget=6, used=5.5)
    two = service("two", on=BIG, budget=6, used=5.5)
    fit = ask(tmp_path, full_card(one, two, used=11))
    both = ways(fit, "stop")[0]
    assert both.verdict == "resident"
    assert both.command == "gpuconsole stop one two"
    assert both.gains_bytes == 12 * GIB
    assert both.target == "one"


def test_a_service_that_holds_nothing_is_not_offered_to_be_unloaded(tmp_path: Path) -> None:
    asleep = service("myia-turbo", on=BIG, budget=8, used=0)
    fit = ask(tmp_path, full_card(asleep, used=0.3))
    assert fit.verdict == "offload"
    assert ways(fit, "free") == []
    assert any("myia-turbo" in note and "resident" in note for note in fit.notes)


def test_the_other_card_is_offered_with_the_command_that_moves_it(tmp_path: Path) -> None:
    snapshot = host(SMALL, BIG, services=(movable(comfyui(on=SMALL)),))
    fit = ask(tmp_path, snapshot)
    assert fit.verdict == "offload"
    (way,) = ways(fit, "gpu")
    assert (way.target, way.verdict) == (BIG.uuid, "resident")
    assert way.command == "gpuconsole move comfyui-qwen --gpu 3090"
    assert ask(tmp_path, snapshot, gpu_uuid=BIG.uuid).verdict == "resident"


def test_without_a_compose_file_no_command_is_promised_that_would_be_refused(
    tmp_path: Path,
) -> None:
    fit = ask(tmp_path, host(SMALL, BIG, services=(comfyui(on=SMALL),)))
    (way,) = ways(fit, "gpu")
    assert (way.command, way.verdict) == ("", "resident")
    assert way.detail == "by hand: it has no compose file to change"
    elsewhere = ask(tmp_path, host(SMALL, BIG, services=(comfyui(on=BIG),)), gpu_uuid=SMALL.uuid)
    assert ways(elsewhere, "offload")[0].command == ""


def test_nobody_is_told_to_stop_what_runs_on_another_host(tmp_path: Path) -> None:
    remote = service("myia-turbo", on=BIG, budget=8, used=7.6, container_id="")
    fit = ask(tmp_path, full_card(remote, used=8.1))
    assert ways(fit, "stop") == []
    assert ways(fit, "free")[0].target == "myia-turbo"


def test_a_forge_with_jobs_waiting_is_not_told_to_unload(tmp_path: Path) -> None:
    waits = Reading(answer="ready", queue_running=0, queue_pending=2)
    turbo = service("myia-turbo", on=BIG, budget=8, used=7.6, reading=waits)
    fit = ask(tmp_path, full_card(turbo, used=8.1))
    assert ways(fit, "free") == []
    assert ways(fit, "stop")[0].target == "myia-turbo"


def test_who_names_a_card_that_is_lost_is_not_on_the_one_that_is_left(tmp_path: Path) -> None:
    lost = Unknown("gpu.not-here", "it names a card that is not here: NVIDIA GeForce RTX 3090")
    turbo = service("myia-turbo", budget=8, used=7.6, gpu_uuid=lost, gpu_expected_uuid=lost)
    small = replace(SMALL, memory_free_bytes=15 * GIB)
    mine = comfyui(on=SMALL, variant=Q4_0)
    fit = ask(tmp_path, host(small, services=(mine, turbo)))
    assert (fit.verdict, fit.available_bytes) == ("resident", 15 * GIB)


def test_on_another_card_than_its_own_the_commands_say_so(tmp_path: Path) -> None:
    mine = movable(comfyui(on=BIG))
    fit = ask(tmp_path, host(SMALL, BIG, services=(mine,)), gpu_uuid=SMALL.uuid)
    assert ways(fit, "gpu")[0].command == "gpuconsole start comfyui-qwen"
    assert ways(fit, "offload")[0].command == ("gpuconsole move comfyui-qwen --gpu 3080 --yes")


def test_a_smaller_variant_on_disk_comes_before_one_to_be_fetched(
    tmp_path: Path, models: Path
) -> None:
    fit = ask(tmp_path, host(SMALL, services=(comfyui(on=SMALL),)))
    on_disk, fetched = ways(fit, "variant")
    assert (on_disk.target, on_disk.detail, on_disk.verdict) == (Q4_0, "on disk", "resident")
    assert fetched.detail.startswith("to be fetched: ")
    assert fetched.verdict == "resident"
    for way in (on_disk, fetched):
        again = ask(tmp_path, host(SMALL, services=(comfyui(on=SMALL),)), variant=way.target)
        assert again.verdict == way.verdict


def test_the_size_on_disk_counts_where_the_file_is_there(tmp_path: Path, models: Path) -> None:
    fit = ask(tmp_path, host(BIG, services=(comfyui(on=BIG, variant=Q4_0),)))
    assert (fit.terms[0].bytes, fit.terms[0].source) == (11_928_271_392, "disk")


def test_host_ram_says_which_sizes_are_from_the_disk(tmp_path: Path, models: Path) -> None:
    snapshot = host(SMALL, services=(comfyui(on=SMALL),))
    sources = {term.name: term.source for term in ask(tmp_path, snapshot).ram_terms}
    assert sources == {
        "streams": "computed", "encoder": "disk", "vae": "disk", "process": "assumed",
    }  # fmt: skip
    (models / "vae" / "qwen" / "qwen_image_vae.safetensors").unlink()
    sources = {term.name: term.source for term in ask(tmp_path, snapshot).ram_terms}
    assert (sources["encoder"], sources["vae"]) == ("disk", "catalogue")


def test_a_truncated_file_is_said_and_the_catalogue_counts(tmp_path: Path, models: Path) -> None:
    with (models / "unet" / "Qwen-Image-Edit-2509-Q4_0.gguf").open("r+b") as file:
        file.truncate(4_000)
    fit = ask(tmp_path, host(BIG, services=(comfyui(on=BIG, variant=Q4_0),)))
    assert (fit.terms[0].bytes, fit.terms[0].source) == (11_928_271_392, "catalogue")
    assert any("cut short" in note for note in fit.notes)


def test_fewer_pictures_where_that_is_all_it_takes(tmp_path: Path) -> None:
    mine = comfyui(on=BIG, variant=FP8)
    snapshot = host(card(24, used=1.9), services=(mine,))
    fit = ask(tmp_path, snapshot, task=Task(images=3))
    assert fit.verdict == "offload"
    (way,) = ways(fit, "resolution")
    assert (way.width, way.height, way.verdict) == (1024, 1024, "resident")
    assert way.title == "edit 1024x1024 with 2 pictures"


def test_a_smaller_picture_where_that_is_all_it_takes(tmp_path: Path) -> None:
    mine = comfyui(on=BIG, variant=FP8)
    fit = ask(
        tmp_path,
        host(card(24, used=2), services=(mine,)),
        task=Task(width=2048, height=1536),
    )
    (way,) = ways(fit, "resolution")
    assert way.verdict == "resident"
    assert way.width is not None
    assert way.height is not None
    assert way.width % 16 == way.height % 16 == 0
    assert way.width / way.height == pytest.approx(2048 / 1536, rel=0.02)


def test_too_little_host_ram_refuses_to_offload(tmp_path: Path) -> None:
    fit = ask(tmp_path, host(SMALL, services=(comfyui(on=SMALL),), ram=16, ram_free=9))
    assert (fit.verdict, fit.code) == ("refused", "ram")
    assert "host RAM" in fit.reason
    assert ways(fit, "offload") == []


def test_a_forge_with_a_budget_is_resident_or_refused_and_never_offloaded(tmp_path: Path) -> None:
    forge = service("myia", on=BIG, budget=8, state="stopped")
    taken = service("comfyui-qwen", "comfyui", on=BIG, budget=21, used=20)
    snapshot = host(card(24, used=20), services=(forge, taken))
    fit = ask(tmp_path, snapshot, "myia")
    assert (fit.verdict, fit.code) == ("refused", "vram")
    assert [term.name for term in fit.terms] == ["budget", "reserve"]
    assert fit.expected_use_bytes == 8 * GIB
    assert ways(fit, "stop")[0].verdict == "resident"
    assert ways(fit, "variant") == []


def test_a_service_of_which_nothing_is_known_cannot_be_judged(tmp_path: Path) -> None:
    fit = ask(tmp_path, host(BIG, services=(service("myia", on=BIG, state="stopped"),)), "myia")
    assert isinstance(fit.verdict, Unknown)
    assert fit.verdict.code == "vram.no-budget"
    assert fit.available_bytes == 24 * GIB


def test_a_variant_that_the_catalogue_does_not_have(tmp_path: Path) -> None:
    fit = ask(tmp_path, host(BIG, services=(comfyui(on=BIG, variant="qwen-edit-2509-fp9"),)))
    assert isinstance(fit.verdict, Unknown)
    assert fit.verdict.code == "variant.unknown"
    assert "fp9" in fit.reason


def test_a_card_that_the_config_names_and_that_is_not_there(tmp_path: Path) -> None:
    missing = Unknown("gpu.not-here", "no card here is '4090'", "set gpu to one of these: …")
    mine = comfyui(gpu="4090", gpu_expected_uuid=missing)
    fit = ask(tmp_path, host(BIG, services=(mine,)))
    assert (fit.verdict, fit.code) == ("refused", "no-card")
    assert fit.reason == "no card here is '4090'"


def test_a_lost_card_is_refused_and_the_other_one_offered(tmp_path: Path) -> None:
    gone = card(24, lost=Unknown("nvml.gpu-is-lost", "fell off the bus"))
    roomy = snapshots.gpu(2, "NVIDIA RTX A6000", total=48, used=0)
    fit = ask(tmp_path, host(gone, roomy, services=(movable(comfyui(on=BIG)),)))
    assert (fit.verdict, fit.code) == ("refused", "card-lost")
    assert [way.kind for way in fit.ways_out] == ["gpu"]
    assert "A6000" in fit.ways_out[0].command


def test_a_card_that_cannot_be_told_leaves_it_open(tmp_path: Path) -> None:
    fit = ask(tmp_path, host(SMALL, BIG, services=(comfyui(),)))
    assert isinstance(fit.verdict, Unknown)
    assert fit.verdict.code == "gpu.not-told"
    assert ask(tmp_path, host(BIG, services=(comfyui(),))).verdict == "resident"


def test_a_web_front_uses_no_card(tmp_path: Path) -> None:
    caddy = service("caddy", "other", state="stopped")
    fit = ask(tmp_path, host(SMALL, BIG, services=(caddy,)), "caddy")
    assert fit.verdict == "resident"
    assert fit.need_bytes == 0


def test_a_neighbour_that_may_sit_on_the_card_leaves_it_open_only_if_that_decides(
    tmp_path: Path,
) -> None:
    somewhere = service("myia", budget=8, used=0, gpu_uuid=NOBODY_TELLS)
    snapshot = host(SMALL, BIG, services=(comfyui(on=BIG), somewhere))
    fit = ask(tmp_path, snapshot)
    assert isinstance(fit.verdict, Unknown)
    assert "myia" in fit.reason
    small = service("myia", budget=1, used=0, gpu_uuid=NOBODY_TELLS)
    snapshot = host(SMALL, BIG, services=(comfyui(on=BIG), small))
    assert ask(tmp_path, snapshot).verdict == "resident"


def test_capability_cannot_be_helped_by_stopping_anything(tmp_path: Path) -> None:
    fp4 = comfyui(on=BIG, variant="qwen-edit-2509-nunchaku-fp4-r32")
    turbo = service("myia-turbo", on=BIG, budget=8, used=7.6)
    fit = ask(tmp_path, host(card(24, used=8), services=(fp4, turbo)))
    assert (fit.verdict, fit.code) == ("refused", "capability")
    assert {way.kind for way in fit.ways_out} == {"variant"}
    assert fit.ways_out[0].target == "qwen-edit-2509-nunchaku-int4-r32"


def test_never_more_than_six_ways_and_each_is_better(tmp_path: Path, models: Path) -> None:
    many = tuple(service(f"forge-{n}", on=BIG, budget=4, used=3.9) for n in range(5))
    fit = ask(tmp_path, host(SMALL, card(24, used=20), services=(comfyui(on=BIG), *many)))
    assert 0 < len(fit.ways_out) <= 6
    ranks = {"resident": 0, "offload": 1, "refused": 2}
    assert isinstance(fit.verdict, str)
    for way in fit.ways_out:
        assert way.kind == "offload" or ranks[way.verdict] < ranks[fit.verdict]


def test_a_name_with_a_blank_is_quoted_in_the_command(tmp_path: Path) -> None:
    odd = service("my; forge", on=BIG, budget=8, used=7.6)
    fit = ask(tmp_path, full_card(odd, used=8.1))
    assert ways(fit, "stop")[0].command == "gpuconsole stop 'my; forge'"


def test_the_speed_that_offloading_costs_is_told_where_somebody_measured_it(
    tmp_path: Path,
) -> None:
    fit = ask(tmp_path, host(SMALL, services=(comfyui(on=SMALL),)))
    assert "7m35s for 20 steps on an RTX 3060" in fit.cost
    refused = ask(tmp_path, host(SMALL, services=(comfyui(on=SMALL),), ram=16, ram_free=9))
    assert (refused.verdict, refused.cost) == ("refused", "")
    big = ask(
        tmp_path, host(SMALL, services=(comfyui(on=SMALL, variant="qwen-edit-2509-gguf-q8_0"),))
    )
    assert big.verdict == "offload"
    assert big.cost == ""


def test_there_is_no_such_service(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no service 'comfyui'"):
        ask(tmp_path, host(BIG, services=(comfyui(on=BIG),)), "comfyui")


def test_both_a_budget_and_a_variant_the_budget_decides(tmp_path: Path) -> None:
    both = comfyui(on=BIG, budget=10, variant=FP8)
    fit = ask(tmp_path, host(BIG, services=(both,)))
    assert fit.expected_use_bytes == 10 * GIB
    assert any("budget decides" in note for note in fit.notes)
    assert ask(tmp_path, host(BIG, services=(both,)), variant=Q4_0).variant == Q4_0


def freed(tmp_path: Path, name: str, ago: timedelta) -> None:
    """Journal that an operator freed a service a while before the clock of the session."""
    opened = session(tmp_path)
    plans, then = PlanRecords(opened.store), opened.clock.now() - ago
    body = {"verb": "free", "target": name, "target_id": name}
    plans.add("p1", body, "queued", then)
    plans.begin("p1", 1, then)
    plans.end("p1", "done", ("done", {}), then)
    opened.store.close()


def test_after_the_way_out_was_taken_the_verdict_is_what_it_promised(tmp_path: Path) -> None:
    turbo = service("myia-turbo", on=BIG, budget=8, used=7.6)
    promised = ways(ask(tmp_path, full_card(turbo, used=8.1)), "free")[0]
    freed(tmp_path, "myia-turbo", timedelta(minutes=3))
    asleep = service("myia-turbo", on=BIG, budget=8, used=0.4)
    fit = ask(tmp_path, full_card(asleep, used=0.9))
    assert fit.verdict == promised.verdict == "resident"
    assert any("may not fit together" in note for note in fit.notes)
    awake = service("myia-turbo", on=BIG, budget=8, used=3)
    assert ask(tmp_path, full_card(awake, used=3.5)).verdict == "offload"


def test_what_was_freed_long_ago_is_counted_again(tmp_path: Path) -> None:
    freed(tmp_path, "myia-turbo", timedelta(hours=2))
    asleep = service("myia-turbo", on=BIG, budget=8, used=0)
    assert ask(tmp_path, full_card(asleep, used=0.3)).verdict == "offload"
