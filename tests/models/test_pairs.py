"""What does not go together is told before anybody downloads it, with what to take instead."""

import pytest

from actions.models.pairs import instead_of, pairs_of, warnings_of
from actions.models.versions import too_old, version_of
from console.models.catalog import Variant, packaged_catalog
from console.services.reading import Reading
from tests.fit.build import service

CATALOG = packaged_catalog()


def variant(ident: str) -> Variant:
    found = CATALOG.variant(ident)
    assert found is not None
    return found


def test_fp8_with_a_bf16_lightning_lora_gives_grids_take_the_scaled_one() -> None:
    fp8 = variant("qwen-edit-2509-fp8")
    (text,) = warnings_of(CATALOG, fp8, ["lightning-2509-4steps-bf16"])
    assert "grid" in text
    assert "qwen-edit-2509-fp8-scaled-lightx2v" in text
    assert warnings_of(CATALOG, fp8, ["lightning-2509-4steps-fp32"]) == ()
    scaled = variant("qwen-edit-2509-fp8-scaled-lightx2v")
    assert warnings_of(CATALOG, scaled, ["lightning-2509-4steps-bf16"]) == ()


@pytest.mark.parametrize("quant", ["int4-r32", "int4-r128", "fp4-r32", "fp4-r128"])
def test_a_lora_has_no_effect_on_nunchaku_take_the_fused_file(quant: str) -> None:
    base = variant(f"qwen-edit-2509-nunchaku-{quant}")
    (text,) = warnings_of(CATALOG, base, ["lightning-2509-8steps-fp32"])
    assert "no effect" in text
    ((pair, hit),) = pairs_of(CATALOG, base, ["lightning-2509-8steps-fp32"])
    assert [file.id for file in hit] == ["lightning-2509-8steps-fp32"]
    instead = instead_of(CATALOG, base, pair)
    assert len(instead) == 4
    for ident in instead:
        fused = variant(ident)
        assert fused.fused_lora
        assert fused.quant == base.quant


def test_another_lora_on_nunchaku_needs_another_node() -> None:
    (text,) = warnings_of(
        CATALOG, variant("qwen-edit-2509-nunchaku-int4-r32"), ["lora-2509-fusion"]
    )
    assert "ComfyUI-QwenImageLoraLoader" in text
    assert "take" not in text


def test_a_lora_made_for_another_model_is_named() -> None:
    (text,) = warnings_of(CATALOG, variant("qwen-edit-2511-bf16"), ["lightning-2509-4steps-bf16"])
    assert "made for qwen-image-edit-2509" in text


def test_gguf_goes_with_every_lora_of_its_model() -> None:
    assert warnings_of(CATALOG, variant("qwen-edit-2509-gguf-q4_0")) == ()


def test_whoever_chooses_is_told_of_every_pair_at_once() -> None:
    assert len(warnings_of(CATALOG, variant("qwen-edit-2509-fp8"))) == 1
    assert len(warnings_of(CATALOG, variant("qwen-edit-2509-nunchaku-fp4-r32"))) == 2


def test_what_a_pair_names_is_there() -> None:
    for pair in CATALOG.pairs:
        several = [one for one in CATALOG.files if CATALOG.selected(pair.a, one)]
        assert several, pair.id
        assert any(CATALOG.selected(pair.b, one) for one in CATALOG.files), pair.id


def test_a_comfyui_that_is_too_old_is_named() -> None:
    int8 = variant("qwen-edit-2511-int8-convrot")
    old = service("comfy", kind="comfyui", reading=Reading(answer="ready", version="0.3.64"))
    new = service("newer", kind="comfyui", reading=Reading(answer="ready", version="v0.28.0-3-g1"))
    silent = service("silent", kind="comfyui")
    (text,) = too_old(int8, (old, new, silent))
    assert text == "comfy runs ComfyUI 0.3.64: this needs 0.27.0 or newer"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.3.60", (0, 3, 60)),
        ("v0.28", (0, 28, 0)),
        ("1.2.3.4", (1, 2, 3)),
        ("", None),
        ("x", None),
    ],
)
def test_versions(text: str, value: tuple[int, int, int] | None) -> None:
    assert version_of(text) == value
