"""Before anything is fetched the plan says what speaks against it: cards, pairs, what is here."""

from pathlib import Path

import pytest

from actions.models import suits
from actions.models.suits import capable, suit_checks
from actions.session import Session
from console.gpu.snapshot import Gpu
from console.models.catalog import packaged_catalog
from console.unknown import Unknown
from tests.fit.build import BIG, SMALL, session
from tests.models.test_choosing import put
from tests.support import snapshots

FP4 = "qwen-edit-2509-nunchaku-fp4-r32"
BLACKWELL = snapshots.gpu(0, "NVIDIA GeForce RTX 5090", total=32, compute_capability="12.0")


@pytest.fixture
def where(tmp_path: Path) -> Session:
    (tmp_path / "models").mkdir()
    return session(tmp_path, f'[paths]\nmodels = "{tmp_path}/models"\n')


def cards(monkeypatch: pytest.MonkeyPatch, *has: Gpu) -> None:
    """Let the driver tell of these cards."""
    monkeypatch.setattr(suits, "_read_cards", lambda _session: has)


def test_fp4_is_refused_where_every_card_is_an_rtx_30(
    where: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(monkeypatch, SMALL, BIG)
    (check,) = suit_checks(where, FP4, {})
    assert (check.id, check.verdict) == ("models.no-card", "refuse")
    assert "an RTX 50 (compute capability 12.0 to 12.1)" in check.title
    assert "RTX 3090 (card 1) has 8.6" in check.detail
    assert suit_checks(where, "qwen-edit-2509-nunchaku-int4-r32", {}) == []


def test_bf16_is_warned_of_where_no_card_has_the_size_for_it(
    where: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    bf16 = "qwen-edit-2509-bf16"
    cards(monkeypatch, SMALL)
    (check,) = suit_checks(where, bf16, {})
    assert (check.id, check.verdict) == ("models.small-cards", "warn")
    assert "cards of less than 24 GB" in check.title
    cards(monkeypatch, SMALL, BIG)
    assert suit_checks(where, bf16, {}) == []


def test_by_its_name_on_the_hub_it_is_refused_as_well(
    where: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(monkeypatch, BIG)
    file = packaged_catalog().file(FP4)
    assert file is not None
    (check,) = suit_checks(where, f"hf:{file.repo}/{file.path}", {})
    assert (check.id, check.verdict) == ("models.no-card", "refuse")


def test_int4_is_refused_on_an_rtx_50_and_either_on_hopper(
    where: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    int4 = "qwen-edit-2509-nunchaku-int4-r128"
    cards(monkeypatch, BLACKWELL)
    (check,) = suit_checks(where, int4, {})
    assert "compute capability 7.5 to 8.9" in check.title
    cards(monkeypatch, snapshots.gpu(0, "NVIDIA H100", total=80, compute_capability="9.0"))
    for ident in (int4, FP4):
        assert [one.verdict for one in suit_checks(where, ident, {})] == ["refuse"]


def test_into_another_folder_it_is_only_warned_of(
    where: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(monkeypatch, BIG)
    (check,) = suit_checks(where, FP4, {"to": "/mnt/other"})
    assert check.verdict == "warn"


@pytest.mark.parametrize("has", [(), (SMALL, BLACKWELL), (BLACKWELL,)])
def test_one_card_that_can_is_enough_and_without_a_driver_nobody_knows(
    where: Session, monkeypatch: pytest.MonkeyPatch, has: tuple[Gpu, ...]
) -> None:
    cards(monkeypatch, *has)
    assert suit_checks(where, FP4, {}) == []


def test_a_card_whose_generation_is_not_told_is_not_judged() -> None:
    variant = packaged_catalog().variant(FP4)
    assert variant is not None
    silent = snapshots.gpu(0, "?", total=8, compute_capability=Unknown("gpu.x", "not told"))
    assert capable(variant, silent) is None
    assert capable(variant, BIG) is False
    assert capable(variant, BLACKWELL) is True


def test_a_lightning_lora_that_lies_here_is_warned_of(where: Session, tmp_path: Path) -> None:
    assert suit_checks(where, "qwen-edit-2509-fp8", {}) == []
    put(tmp_path / "models", "lightning-2509-4steps-bf16")
    (check,) = suit_checks(where, "qwen-edit-2509-fp8", {})
    assert (check.id, check.verdict) == ("models.pair", "warn")
    assert "grid" in check.title
    assert "qwen-edit-2509-fp8-scaled-lightx2v" in check.title
    assert suit_checks(where, "qwen-edit-2509-fp8-scaled-lightx2v", {}) == []


def test_a_lora_is_told_the_models_here_that_it_does_nothing_for(
    where: Session, tmp_path: Path
) -> None:
    put(tmp_path / "models", "qwen-edit-2509-nunchaku-int4-r32")
    (check,) = suit_checks(where, "lightning-2509-4steps-bf16", {})
    assert "no effect" in check.title
    assert "qwen-edit-2509-nunchaku-int4-r32-lightning" in check.title


def test_a_gguf_encoder_is_told_its_vision_tower(where: Session, tmp_path: Path) -> None:
    (check,) = suit_checks(where, "qwen2.5-vl-7b-gguf-q8_0", {})
    assert (check.id, check.verdict) == ("models.beside", "warn")
    assert "qwen2.5-vl-7b-mmproj-bf16" in check.title
    put(tmp_path / "models", "qwen2.5-vl-7b-mmproj-bf16")
    assert suit_checks(where, "qwen2.5-vl-7b-gguf-q8_0", {}) == []


def test_what_the_catalogue_does_not_know_has_no_checks(where: Session) -> None:
    assert suit_checks(where, "hf:org/name/file.safetensors", {}) == []
