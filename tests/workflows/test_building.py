"""Graphs for variants: which loaders, LoRA and settings an edit is sent with."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.workflows.building import Wish, build
from actions.workflows.graphs import link
from console.errors import UsageError
from tests.workflows.build import (
    CATALOG,
    EDITS,
    FP8,
    FP8_2511,
    GGUF,
    NUNCHAKU,
    SCALED,
    WORKFLOWS,
    built,
    chain,
    variant,
)

GRAPHS = Path(__file__).parents[3] / "shared" / "graphs"
MADE_BY = {
    "edit_single": "edit-single",
    "merge_2": "merge-2",
    "merge_3": "merge-3",
    "edit_2511_merge_2": "merge-2",
    "pose_transfer_skeleton": "pose-transfer",
    "pose_transfer_dwpose": "pose-from-photo",
    "product_showcase": "product-showcase",
    "product_showcase_scene": "product-showcase",
    "controlnet_instantx_on_edit2509": "controlnet-edit",
    "controlnet_diffsynth_patch_on_edit2509": "controlnet-patch",
}


def accepted() -> list[str]:
    """Give the graphs beside the clone that a real server accepted and a workflow makes."""
    names = [file.stem for file in sorted(GRAPHS.glob("*.json"))]
    return [name for name in names if base_of(name) in MADE_BY]


def base_of(name: str) -> str:
    for part in ("_lightning4", "_20steps", "_40steps", "_gguf", "_nunchaku"):
        name = name.replace(part, "")
    return name


def variant_of(name: str) -> str:
    if "2511" in name:
        return FP8_2511
    if "_nunchaku" in name:
        return NUNCHAKU + ("-lightningv2.0-4steps" if "lightning" in name else "")
    return GGUF if "_gguf" in name else FP8


@pytest.mark.skipif(not GRAPHS.is_dir(), reason=f"there are no graphs at {GRAPHS}")
def test_there_are_graphs_that_a_server_accepted_for_every_edit() -> None:
    assert {MADE_BY[base_of(name)] for name in accepted()} == set(EDITS)


@pytest.mark.parametrize("name", accepted())
def test_a_graph_is_the_one_that_a_real_server_accepted(name: str) -> None:
    wanted = json.loads((GRAPHS / f"{name}.json").read_text("utf-8"))
    pictures = [
        wanted[ident]["inputs"]["image"] for ident in ("78", "106", "108") if ident in wanted
    ]
    made = built(
        MADE_BY[base_of(name)],
        variant_of(name),
        images=tuple(pictures),
        prompt=wanted["111"]["inputs"]["prompt"],
        seed=wanted["3"]["inputs"]["seed"],
        lightning=4 if "lightning" in name else None,
        prefix=wanted["60"]["inputs"]["filename_prefix"],
    )

    def plain(graph: dict[str, Any]) -> dict[str, Any]:
        return {key: (one["class_type"], one["inputs"]) for key, one in graph.items()}

    assert plain(made.graph) == plain(wanted)


def test_an_edit_with_fp8_goes_through_shift_and_norm_to_the_sampler() -> None:
    made = built("edit-single", prompt="make it evening", seed=41)
    graph = made.graph
    assert chain(graph, "3", "model", "model", "model") == [
        "KSampler", "CFGNorm", "ModelSamplingAuraFlow", "UNETLoader",
    ]  # fmt: skip
    assert graph["66"]["inputs"]["shift"] == 3.0
    assert graph["111"]["inputs"]["prompt"] == "make it evening"
    assert graph["3"]["inputs"]["seed"] == 41
    assert (made.steps, made.cfg, made.seed, made.size) == (20, 4.0, 41, None)
    assert made.files == (FP8, "qwen2.5-vl-7b-fp8-scaled", "qwen-image-vae")
    assert made.warnings == ()


def test_a_lightning_lora_stands_before_the_shift_in_2509_and_after_the_norm_in_2511() -> None:
    early = built("edit-single", SCALED, lightning=8)
    assert chain(early.graph, "3", "model", "model", "model", "model") == [
        "KSampler", "CFGNorm", "ModelSamplingAuraFlow", "LoraLoaderModelOnly", "UNETLoader",
    ]  # fmt: skip
    assert (early.steps, early.cfg) == (8, 1.0)
    assert "lightning-2509-8steps-bf16" in early.files
    late = built("edit-single", FP8_2511, lightning=4)
    assert chain(late.graph, "3", "model", "model", "model", "model") == [
        "KSampler", "LoraLoaderModelOnly", "CFGNorm", "ModelSamplingAuraFlow", "UNETLoader",
    ]  # fmt: skip
    assert late.graph["66"]["inputs"]["shift"] == 3.1


def test_2511_says_how_its_references_are_numbered_on_both_conditionings() -> None:
    graph = built("controlnet-edit", FP8_2511).graph
    assert chain(graph, "3", "positive", "positive", "conditioning") == [
        "KSampler", "ControlNetApplyAdvanced", "FluxKontextMultiReferenceLatentMethod",
        "TextEncodeQwenImageEditPlus",
    ]  # fmt: skip
    assert graph[graph["85"]["inputs"]["negative"][0]]["inputs"] == {
        "conditioning": ["110", 0],
        "reference_latents_method": "index_timestep_zero",
    }
    assert built("edit-single", FP8_2511).steps == 40


def test_a_gguf_model_takes_either_text_encoder() -> None:
    own = built("edit-single", GGUF).graph
    assert own["37"] == {
        "class_type": "UnetLoaderGGUF",
        "inputs": {"unet_name": "Qwen-Image-Edit-2509-Q4_K_M.gguf"},
        "_meta": {"title": "Diffusion model"},
    }
    assert own["38"]["class_type"] == "CLIPLoader"
    other = built("edit-single", GGUF, text_encoder="qwen2.5-vl-7b-gguf-q4_k_m").graph
    assert other["38"]["class_type"] == "CLIPLoaderGGUF"
    assert other["38"]["inputs"] == {
        "type": "qwen_image",
        "clip_name": "Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf",
    }
    with pytest.raises(UsageError, match="no text encoder"):
        built("edit-single", GGUF, text_encoder="qwen3-vl-8b-int8-convrot")


@pytest.mark.parametrize(
    ("ident", "steps"),
    [
        (f"{NUNCHAKU}-lightningv2.0-4steps", 4),
        (f"{NUNCHAKU}-lightning-8steps-251115", 8),
        ("qwen-edit-2511-fp8-lightning-merged", 4),
    ],
)
def test_a_fused_lightning_runs_as_it_was_made_and_without_a_lora(ident: str, steps: int) -> None:
    made = built("merge-2", ident, lightning=4)
    assert (made.steps, made.cfg) == (steps, 1.0)
    assert all(one["class_type"] != "LoraLoaderModelOnly" for one in made.graph.values())


def test_a_lora_asked_for_beside_a_fused_one_is_told_of() -> None:
    (words,) = built("edit-single", f"{NUNCHAKU}-lightningv2.0-4steps", lightning=8).warnings
    assert "4 steps fused in" in words


def test_steps_that_are_asked_for_win_over_those_of_the_variant() -> None:
    made = built("edit-single", SCALED, lightning=4, steps=6, cfg=1.5)
    assert (made.steps, made.cfg) == (6, 1.5)


def test_pairs_that_do_not_go_together_are_warned_of() -> None:
    (grid,) = built("edit-single", FP8, lightning=4).warnings
    assert "grid" in grid
    assert SCALED in grid
    (nothing,) = built("edit-single", NUNCHAKU, lightning=4).warnings
    assert "no effect" in nothing
    assert built("edit-single", SCALED, lightning=4).warnings == ()


def test_a_picture_that_is_left_out_takes_its_loader_along() -> None:
    alone = built("product-showcase").graph
    assert "106" not in alone
    assert "image2" not in alone["111"]["inputs"]
    scene = built("product-showcase", images=("a.png", "b.png")).graph
    assert scene["110"]["inputs"]["image2"] == ["106", 0]
    assert scene["106"]["inputs"]["image"] == "b.png"
    assert "image2" in WORKFLOWS["product-showcase"].graph["111"]["inputs"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_merge_of_two_takes_two(count: int) -> None:
    with pytest.raises(UsageError, match="takes 2 pictures") as caught:
        built("merge-2", images=("a.png",) * count)
    assert caught.value.code == "workflow.images"
    assert "image 2" in caught.value.hint


def test_a_size_gives_an_edit_a_latent_of_its_own() -> None:
    made = built("edit-single", size=(1328, 800))
    assert made.size == (1328, 800)
    assert chain(made.graph, "3", "latent_image") == ["KSampler", "EmptySD3LatentImage"]
    assert "88" not in made.graph
    assert "117" in made.graph  # the prompt still looks at the scaled picture
    showcase = built("product-showcase", size=(1024, 1024))
    assert showcase.graph["112"]["inputs"] == {"width": 1024, "height": 1024, "batch_size": 1}
    (words,) = built("edit-single", size=(2048, 2048)).warnings
    assert "4.2 megapixels" in words


@pytest.mark.parametrize("size", [(1000, 1024), (0, 0), (16, 16), (8192, 1024), (-64, 64)])
def test_a_size_that_cannot_be_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError) as caught:
        built("edit-single", size=size)
    assert caught.value.code == "workflow.value"


@pytest.mark.parametrize(
    "fields",
    [
        {"steps": 0}, {"steps": 10**9}, {"cfg": float("nan")}, {"cfg": float("inf")},
        {"seed": -1}, {"seed": 2**64}, {"denoise": 1.5}, {"prompt": "x" * 100_001},
    ],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        built("edit-single", **fields)
    assert caught.value.code == "workflow.value"


def test_a_prompt_of_100_000_characters_and_an_empty_one_are_put_in_whole() -> None:
    text = "Ü\n\"'{}" + "x" * 90_000
    assert built("edit-single", prompt=text).graph["111"]["inputs"]["prompt"] == text
    assert built("edit-single", prompt="").graph["111"]["inputs"]["prompt"] == ""


def test_a_lora_that_is_not_in_the_catalogue_names_those_that_are() -> None:
    with pytest.raises(UsageError, match="no Lightning LoRA of 6 steps") as caught:
        built("edit-single", FP8, lightning=6)
    assert caught.value.hint == "There are some of 4 and 8 steps"


@pytest.mark.parametrize("name", EDITS)
def test_every_variant_of_the_catalogue_is_wired_whole(name: str) -> None:
    workflow = WORKFLOWS[name]
    for one in CATALOG.variants:
        if one.family not in workflow.families:
            continue
        for lightning in (None, 4):
            made = built(name, one.id, lightning=lightning)
            for node in made.graph.values():
                for value in node["inputs"].values():
                    to = link(value)
                    assert to is None or to[0] in made.graph
            assert made.variant == one.id
            assert made.files[0] == one.id
            missing = [file for file in workflow.extras if file not in made.files]
            assert not missing


def test_what_is_packaged_is_never_changed_by_building() -> None:
    before = json.dumps(WORKFLOWS["merge-3"].graph)
    built("merge-3", NUNCHAKU, size=(1024, 1024), lightning=4, prompt="x", seed=9)
    built("merge-3", FP8_2511, lightning=4)
    assert json.dumps(WORKFLOWS["merge-3"].graph) == before


def test_templates_fit_the_pictures_that_a_workflow_takes() -> None:
    for workflow in WORKFLOWS.values():
        assert workflow.templates
        for template in workflow.templates:
            for number in range(workflow.most_images + 1, 5):
                assert f"image {number}" not in template.prompt
        for ident in workflow.extras:
            assert CATALOG.file(ident) is not None


def test_forge_is_sent_a_request_of_its_own() -> None:
    wish = Wish(images=("iVBORw0",), prompt="a cat", seed=-1, size=(768, 1024), denoise=0.4)
    made = build(WORKFLOWS["forge-image-to-image"], CATALOG, wish)
    assert made.path == "/sdapi/v1/img2img"
    assert made.graph["init_images"] == ["iVBORw0"]
    assert made.graph["denoising_strength"] == 0.4
    assert (made.graph["width"], made.graph["height"], made.size) == (768, 1024, (768, 1024))
    with pytest.raises(UsageError, match="no input for denoise"):
        build(WORKFLOWS["forge-text-to-image"], CATALOG, Wish(denoise=0.4))
    assert WORKFLOWS["forge-image-to-image"].graph["init_images"] == ["picture-1.png"]


@settings(deadline=None)
@given(
    name=st.sampled_from(EDITS),
    ident=st.sampled_from([one.id for one in CATALOG.variants]),
    lightning=st.sampled_from([None, 4]),
    sized=st.booleans(),
)
def test_whatever_is_combined_every_node_serves_an_output(
    name: str, ident: str, lightning: int | None, sized: bool
) -> None:
    if variant(ident).family not in WORKFLOWS[name].families:
        return
    graph = built(name, ident, lightning=lightning, size=(1024, 1024) if sized else None).graph
    ends = [key for key, one in graph.items() if one["class_type"] in {"SaveImage", "PreviewImage"}]
    reached = set[str]()
    while ends:
        key = ends.pop()
        if key not in reached:
            reached.add(key)
            ends += [to[0] for value in graph[key]["inputs"].values() if (to := link(value))]
    assert reached == set(graph)
