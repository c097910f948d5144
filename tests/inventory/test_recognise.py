"""Somebody has a folder of models with names that tell little: the header tells what each is."""

from pathlib import Path

import pytest

from console.models.catalog import packaged_catalog
from console.models.inventory.found import KINDS
from console.models.inventory.headers import header_from, read_header
from console.models.inventory.precision import parameters_of
from console.models.inventory.recognise import Recognised, recognise
from console.models.inventory.rules import rules
from tests.inventory import build


def told(made: tuple[bytes, int], name: str = "model.safetensors", folder: str = "") -> Recognised:
    """Say what a file is that was fetched from nowhere."""
    head, weights = made
    header = header_from(lambda start, stop: head[start:stop], len(head) + weights, name)
    assert header.problem is None
    assert header.promised_bytes == len(head) + weights
    return recognise(header, name, folder)


@pytest.mark.parametrize(
    ("tensors", "kind", "family", "precision"),
    [
        (build.QWEN, "diffusion_model", "qwen-image", "bf16"),
        (build.QWEN | {"__index_timestep_zero__": ("F32", (0,))}, "diffusion_model",
         "qwen-image-edit", "bf16"),
        (build.as_dtype(build.QWEN, "F8_E4M3"), "diffusion_model", "qwen-image", "fp8_e4m3fn"),
        (build.as_dtype(build.QWEN, "F8_E4M3", "scale_weight"), "diffusion_model", "qwen-image",
         "fp8_e4m3fn_scaled"),
        (build.as_dtype(build.QWEN, "F8_E4M3", "weight_scale", "comfy_quant"), "diffusion_model",
         "qwen-image", "fp8mixed"),
        (build.as_dtype(build.QWEN, "I8", "weight_scale"), "diffusion_model", "qwen-image", "int8"),
        (build.NUNCHAKU_INT4, "diffusion_model", "qwen-image", "svdq-int4_r32"),
        (build.NUNCHAKU_FP4, "diffusion_model", "qwen-image", "svdq-fp4_r128"),
        (build.SD15, "checkpoint", "sd15", "fp16"),
        (build.as_dtype(build.SD15, "F32"), "checkpoint", "sd15", "fp32"),
        (build.SDXL, "checkpoint", "sdxl", "fp16"),
        (build.FLUX, "diffusion_model", "flux", "bf16"),
        (build.as_dtype(build.FLUX, "F8_E5M2"), "diffusion_model", "flux", "fp8_e5m2"),
        (build.QWEN_VAE, "vae", "qwen-image", "bf16"),
        (build.FLUX_VAE, "vae", "flux", "fp32"),
        (build.SD_VAE, "vae", "", "fp32"),
        (build.QWEN_VL, "text_encoder", "qwen2.5-vl-7b", "bf16"),
        (build.as_dtype(build.QWEN_VL, "F8_E4M3", "scale_weight"), "text_encoder", "qwen2.5-vl-7b",
         "fp8_e4m3fn_scaled"),
        (build.CLIP_L, "text_encoder", "clip-l", "fp16"),
        (build.CLIP_G, "text_encoder", "clip-g", "fp16"),
        (build.T5, "text_encoder", "t5-xxl", "fp16"),
        (build.LORA_SD15, "lora", "sd15", "fp16"),
        (build.LORA_SDXL, "lora", "sdxl", "fp16"),
        (build.LORA_FLUX, "lora", "flux", "bf16"),
        (build.LORA_FLUX_KOHYA, "lora", "flux", "bf16"),
        (build.LORA_QWEN, "lora", "qwen-image", "bf16"),
        (build.as_dtype(build.LORA_QWEN, "F32"), "lora", "qwen-image", "fp32"),
        (build.LORA_QWEN_ATTENTION, "lora", "qwen-image", "bf16"),
        (build.CONTROL_SD15, "controlnet", "sd15", "fp16"),
        (build.CONTROL_SDXL, "controlnet", "sdxl", "fp16"),
        (build.CONTROL_FLUX, "controlnet", "flux", "bf16"),
        (build.CONTROL_QWEN, "controlnet", "qwen-image", "bf16"),
        (build.PATCH_QWEN, "model_patch", "qwen-image", "bf16"),
        ({"emb_params": ("F16", (4, 768))}, "embedding", "", "fp16"),
        ({"conv_first.weight": ("F32", (64, 3, 3, 3))}, "upscaler", "", "fp32"),
    ],
)  # fmt: skip
def test_the_tensors_tell_kind_family_and_precision(
    tensors: build.Tensors, kind: str, family: str, precision: str
) -> None:
    found = told(build.safetensors(tensors))
    assert (found.kind, found.family, found.precision) == (kind, family, precision)
    assert found.base == (family if kind in {"lora", "controlnet", "model_patch"} else "")


def test_a_whole_model_in_one_file_is_a_checkpoint() -> None:
    whole: build.Tensors = {
        **{f"model.diffusion_model.{name}": what for name, what in build.FLUX.items()},
        "text_encoders.t5xxl.transformer.shared.weight": ("F16", (32128, 4096)),
        "vae.decoder.conv_in.weight": ("F32", (512, 16, 3, 3)),
    }
    assert told(build.safetensors(whole))[:2] == ("checkpoint", "flux")


def test_a_bare_unet_is_what_its_folder_is_for() -> None:
    bare = {name: what for name, what in build.SDXL.items() if "diffusion_model" in name}
    made = build.safetensors(bare)
    assert told(made, folder="checkpoint")[:2] == ("checkpoint", "sdxl")
    assert told(made, folder="diffusion_model")[:2] == ("diffusion_model", "sdxl")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("qwen_image_edit_2509_fp8_e4m3fn.safetensors", "qwen-image-edit"),
        ("Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors", "qwen-image-edit"),
        ("qwen_image_fp8_e4m3fn.safetensors", "qwen-image"),
    ],
)
def test_weights_alone_differ_between_qwen_image_and_its_edit_so_the_name_tells(
    name: str, family: str
) -> None:
    assert told(build.safetensors(build.QWEN), name).family == family
    lora = told(build.safetensors(build.LORA_QWEN), name)
    assert (lora.kind, lora.base) == ("lora", family)


def test_notes_tell_the_base_of_a_lora_whose_tensors_do_not() -> None:
    lycoris: build.Tensors = {"lora_unet_mid_block_conv.lokr_w1": ("F16", (4, 4))}
    notes = {"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}
    assert told(build.safetensors(lycoris, notes)).base == "sdxl"
    assert told(build.safetensors(lycoris, {"ss_base_model_version": "sd_v1"})).base == "sd15"
    assert told(build.safetensors(lycoris), "ink_flux.safetensors").base == "flux"
    assert told(build.safetensors(lycoris)).base == ""


GGUF_QWEN: build.Tensors = {
    "transformer_blocks.0.attn.to_q.weight": ("q4_k", (3072, 3072)),
    "transformer_blocks.0.img_mlp.net.0.proj.weight": ("q4_k", (12288, 3072)),
    "txt_norm.weight": ("f32", (3584,)),
}


@pytest.mark.parametrize(
    ("notes", "name", "precision"),
    [
        ({"general.file_type": 15}, "model.gguf", "q4_k_m"),
        ({"general.file_type": 14}, "model.gguf", "q4_k_s"),
        ({}, "Qwen-Image-Edit-2509-Q4_K_M.gguf", "q4_k_m"),
        ({}, "model.gguf", "q4_k"),
        # Left from the file that it was made of.
        ({"general.file_type": 1}, "model-Q4_K_S.gguf", "q4_k_s"),
    ],
)
def test_gguf_says_what_it_is(notes: dict[str, str | int], name: str, precision: str) -> None:
    made = build.gguf(GGUF_QWEN, {"general.architecture": "qwen_image", **notes})
    found = told(made, name)
    assert (found.kind, found.precision) == ("diffusion_model", precision)
    assert found.family == ("qwen-image-edit" if "Edit" in name else "qwen-image")


def test_a_gguf_encoder_and_its_vision_tower_are_told_apart() -> None:
    words = [f"word{number}" for number in range(50_000)]
    encoder = build.gguf(
        {"token_embd.weight": ("q8_0", (152064, 3584))},
        {"general.architecture": "qwen2vl", "general.file_type": 7, "tokenizer.tokens": words},
    )
    tower = build.gguf(
        {"v.blk.0.attn_q.weight": ("f16", (1280, 1280))},
        {"general.architecture": "clip", "general.file_type": 1},
    )
    assert told(encoder, "e.gguf") == ("text_encoder", "qwen2.5-vl-7b", "", "q8_0")
    assert told(tower, "anything.gguf") == ("mmproj", "", "", "fp16")


def test_a_pickle_is_what_its_folder_is_for_and_never_opened_as_one(tmp_path: Path) -> None:
    evil = tmp_path / "old.ckpt"
    evil.write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    header = read_header(evil)
    assert header.format == "pickle"
    assert recognise(header, "old.ckpt", "checkpoint").kind == "checkpoint"
    assert recognise(header, "v1-5-pruned.ckpt", "checkpoint").family == "sd15"


_LINEAR = "double_blocks.0.img_attn.qkv"


@pytest.mark.parametrize(
    ("tensors", "whole"),
    [
        (
            build.NUNCHAKU_INT4,
            9216 * 3072 + 12288 * 3072 + 3072 * 64 + 3584 + 3072 * 32 + 9216 * 32,
        ),
        (  # weights of four bits only: eight in one number
            {
                "transformer_blocks.0.img_mod.1.qweight": ("I32", (18432 // 4, 3072 // 2)),
                "transformer_blocks.0.img_mod.1.wscales": ("BF16", (48, 18432)),
                "transformer_blocks.0.img_mod.1.wzeros": ("BF16", (48, 18432)),
                "transformer_blocks.0.img_mod.1.bias": ("BF16", (18432,)),
            },
            18432 * 3072 + 18432,
        ),
        (
            {
                f"{_LINEAR}.weight": ("F8_E4M3", (9216, 3072)),
                f"{_LINEAR}.weight_scale": ("F32", ()),
                f"{_LINEAR}.input_scale": ("F32", ()),
                f"{_LINEAR}.bias": ("BF16", (9216,)),
            },
            9216 * 3072 + 9216,
        ),
        (
            {
                f"{_LINEAR}.weight": ("U8", (9216 * 3072 // 2, 1)),
                f"{_LINEAR}.weight.absmax": ("F32", (9216 * 3072 // 64,)),
                f"{_LINEAR}.weight.quant_map": ("F32", (16,)),
                f"{_LINEAR}.weight.quant_state.bitsandbytes__nf4": ("U8", (80,)),
            },
            9216 * 3072,
        ),
    ],
)
def test_packed_weights_count_as_what_they_hold(tensors: build.Tensors, whole: int) -> None:
    head, weights = build.safetensors(tensors)
    header = header_from(lambda start, stop: head[start:stop], len(head) + weights, "a.safetensors")
    assert parameters_of(header) == whole


def test_every_rule_names_kinds_and_groups_that_there_are() -> None:
    table = rules()
    for rule in table.rules:
        assert set(rule.kinds) <= set(KINDS)
        assert not rule.group or rule.group in table.groups
    families = {rule.family for rule in table.rules} | {one.becomes for one in table.refine}
    assert {"sd15", "sdxl", "flux", "qwen-image", "qwen-image-edit"} <= families


def test_names_of_the_catalogue_tell_the_family_where_a_header_does_not() -> None:
    for file in packaged_catalog().files:
        if file.kind in {"diffusion_model", "lora"} and "Qwen-Image-Edit" in file.repo:
            pickle = header_from(lambda _start, _stop: b"PK\x03\x04", 4, file.name + ".pt")
            if "edit" in file.name.lower():
                found = recognise(pickle, file.name, file.kind)
                assert found.family == "qwen-image-edit", file.name
