"""Layouts: services that share a card, each with the others awake."""

from pathlib import Path

import pytest

from actions.fit.layout import LayoutFit, fit_layout
from actions.fit.matrix import best_resident, is_tight, matrix
from actions.fit.model import Task
from actions.services.snapshot import ServiceStatus
from console.errors import UnreachableError, UsageError
from console.gpu.snapshot import Gpu
from console.models.catalog import packaged_catalog
from console.unknown import Unknown
from tests.fit.build import BIG, GIB, SMALL, card, host, service, session
from tests.support import snapshots

CONFIG = """
[services.myia]
kind = "forge"
[services.myia-turbo]
kind = "forge"
[services.comfyui-qwen]
kind = "comfyui"
[layouts.exclusive]
services = ["myia", "comfyui-qwen"]
[layouts.greedy]
services = ["myia", "myia-turbo", "comfyui-qwen"]
[layouts.dual]
services = ["myia", "myia-turbo", "comfyui-qwen"]
variants = { comfyui-qwen = "qwen-edit-2509-gguf-q4_0" }
[layouts.turned]
services = ["myia-turbo", "comfyui-qwen"]
gpus = { myia-turbo = "3080" }
[layouts.nowhere]
services = ["comfyui-qwen"]
gpus = { comfyui-qwen = "4090" }
"""


def statuses(**comfyui: object) -> tuple[ServiceStatus, ...]:
    mine = {"on": BIG, "state": "stopped", "variant": "qwen-edit-2509-fp8", **comfyui}
    return (
        service("myia", on=SMALL, budget=8, state="stopped"),
        service("myia-turbo", on=BIG, budget=8, state="stopped"),
        service("comfyui-qwen", "comfyui", **mine),  # type: ignore[arg-type]
    )


def judged(
    tmp_path: Path,
    layout: str,
    *cards: Gpu,
    services: tuple[ServiceStatus, ...] | None = None,
) -> LayoutFit:
    snapshot = host(*(cards or (SMALL, BIG)), services=services or statuses())
    return fit_layout(session(tmp_path, CONFIG), snapshot, layout)


def test_each_on_a_card_of_its_own_fits(tmp_path: Path) -> None:
    whole = judged(tmp_path, "exclusive")
    assert whole.verdict == "resident"
    assert [fit.service for fit in whole.fits] == ["myia", "comfyui-qwen"]
    assert [one.gpu_uuid for one in whole.cards] == [SMALL.uuid, BIG.uuid]
    assert whole.cards[0].clash == whole.cards[1].clash == ()
    assert whole.ways_out == ()


def test_fp8_and_a_forge_of_eight_do_not_fit_24(tmp_path: Path) -> None:
    whole = judged(tmp_path, "greedy")
    assert whole.verdict == "refused"
    (shared,) = [one for one in whole.cards if one.gpu_uuid == BIG.uuid]
    assert shared.clash == ("myia-turbo", "comfyui-qwen")
    assert isinstance(shared.need_bytes, int)
    assert isinstance(shared.available_bytes, int)
    assert shared.need_bytes > shared.available_bytes == 24 * GIB
    assert "myia-turbo and comfyui-qwen do not fit together on RTX 3090" in whole.reason
    assert "29.3 GiB" in whole.reason
    assert "24.0 GiB" in whole.reason
    assert {way.kind for way in whole.ways_out} == {"variant"}
    assert all("comfyui-qwen" in way.title for way in whole.ways_out)


def test_the_layouts_own_variant_makes_it_fit(tmp_path: Path) -> None:
    whole = judged(tmp_path, "dual")
    assert whole.verdict == "resident"
    assert whole.fits[-1].variant == "qwen-edit-2509-gguf-q4_0"
    for fit in whole.fits:
        assert isinstance(fit.need_bytes, int)
        assert isinstance(fit.available_bytes, int)
        assert fit.need_bytes <= fit.available_bytes


def test_the_layouts_own_card_counts(tmp_path: Path) -> None:
    whole = judged(tmp_path, "turned")
    assert whole.verdict == "resident"
    assert whole.fits[0].gpu_uuid == SMALL.uuid


def test_what_runs_now_does_not_matter_to_a_layout(tmp_path: Path) -> None:
    running = (
        *statuses(),
        service("stranger", on=BIG, budget=20, used=20),
    )
    whole = judged(tmp_path, "exclusive", SMALL, card(24, used=20), services=running)
    assert whole.verdict == "resident"


def test_a_card_of_the_layout_that_is_not_there(tmp_path: Path) -> None:
    whole = judged(tmp_path, "nowhere")
    assert whole.verdict == "refused"
    assert whole.fits[0].code == "no-card"


def test_a_service_whose_card_cannot_be_told(tmp_path: Path) -> None:
    whole = judged(tmp_path, "exclusive", services=statuses(on=None))
    assert isinstance(whole.verdict, Unknown)
    assert whole.reason == "comfyui-qwen: nothing tells which card it uses"


def test_a_service_of_which_nobody_knows_what_it_needs(tmp_path: Path) -> None:
    whole = judged(tmp_path, "exclusive", services=statuses(variant=""))
    assert isinstance(whole.verdict, Unknown)
    assert isinstance(whole.cards[1].need_bytes, Unknown)


def test_there_is_no_such_layout(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no layout 'duel'"):
        judged(tmp_path, "duel")


def test_the_matrix_has_every_variant_on_every_card(tmp_path: Path) -> None:
    snapshot = host(SMALL, BIG)
    fits = matrix(session(tmp_path), snapshot)
    assert len(fits) == 2 * len(packaged_catalog().variants)
    verdicts = {(fit.variant, fit.gpu_uuid): fit.verdict for fit in fits}
    assert verdicts["qwen-edit-2509-fp8", BIG.uuid] == "resident"
    assert verdicts["qwen-edit-2509-fp8", SMALL.uuid] == "offload"
    assert verdicts["qwen-edit-2509-bf16", SMALL.uuid] == "refused"
    assert verdicts["qwen-edit-2509-gguf-q4_k_m", SMALL.uuid] == "resident"
    assert verdicts["qwen-edit-2509-nunchaku-fp4-r32", BIG.uuid] == "refused"


@pytest.mark.parametrize(
    ("desktop", "quant", "verdict"),
    [
        (0.6, "gguf-q4_k_m", "resident"),
        (0.6, "gguf-q4_0", "resident"),
        (0.6, "nunchaku-int4-r32", "resident"),
        (0.6, "nunchaku-int4-r128", "resident"),
        (0.6, "gguf-q5_k_s", "offload"),
        (0.6, "gguf-q5_0", "offload"),
        (0.0, "gguf-q5_k_s", "resident"),
        (0.0, "gguf-q5_0", "resident"),
        (0.0, "fp8", "offload"),
        (0.0, "bf16", "refused"),
    ],
)
def test_what_a_sixteen_gigabyte_card_runs(
    tmp_path: Path, desktop: float, quant: str, verdict: str
) -> None:
    variant = f"qwen-edit-2509-{quant}"
    (fit,) = matrix(session(tmp_path), host(card(16, used=desktop)), (variant,), empty=True)
    assert fit.verdict == verdict


def test_an_empty_host_never_fits_less(tmp_path: Path) -> None:
    idle = service("myia-turbo", on=BIG, budget=8, used=7.6)
    snapshot = host(SMALL, card(24, used=8, kept=0.3), services=(idle,))
    opened = session(tmp_path)
    ranks = {"resident": 0, "offload": 1, "refused": 2}
    for now, empty in zip(
        matrix(opened, snapshot), matrix(opened, snapshot, empty=True), strict=True
    ):
        if isinstance(now.verdict, str):
            assert isinstance(empty.verdict, str)
            assert ranks[empty.verdict] <= ranks[now.verdict]


def test_more_pictures_need_more(tmp_path: Path) -> None:
    for one, three in zip(
        matrix(session(tmp_path), host(BIG)),
        matrix(session(tmp_path), host(BIG), task=Task(images=3)),
        strict=True,
    ):
        if isinstance(one.need_bytes, int):
            assert isinstance(three.need_bytes, int)
            assert three.need_bytes > one.need_bytes


def test_the_star_is_for_the_best_that_is_not_tight(tmp_path: Path) -> None:
    catalog = packaged_catalog()
    fits = matrix(session(tmp_path), host(SMALL, card(24, kept=0.3)))
    best = best_resident(fits, catalog)
    assert ("qwen-edit-2509-fp8-scaled-lightx2v", BIG.uuid) in best
    (tight,) = [
        fit
        for fit in fits
        if fit.gpu_uuid == BIG.uuid and fit.variant == "qwen-edit-2509-gguf-q8_0"
    ]
    assert tight.verdict == "resident"
    assert is_tight(tight)
    assert len([place for place in best if place[1] == BIG.uuid]) == 2  # one a family


def test_a_card_by_index_by_name_and_by_uuid(tmp_path: Path) -> None:
    opened, snapshot = session(tmp_path), host(SMALL, BIG)
    for word in ("1", "3090", "rtx 3090", BIG.uuid):
        (fit,) = matrix(opened, snapshot, ("qwen-edit-2509-fp8",), word)
        assert fit.gpu_uuid == BIG.uuid
    for word in ("7", "4090", "GeForce", ""):
        with pytest.raises(UsageError):
            matrix(opened, snapshot, (), word)


def test_no_cards_at_all(tmp_path: Path) -> None:
    blind = host(gpus=snapshots.gpu_snapshot(problem=snapshots.NO_DRIVER))
    with pytest.raises(UnreachableError, match="driver is not loaded"):
        matrix(session(tmp_path), blind)
