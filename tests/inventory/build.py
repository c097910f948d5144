"""Model files as they are on a disk: a true header, and a hole where the weights would be."""

import json
import struct
from pathlib import Path
from typing import Any

WIDTHS = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "I32": 4}
TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "q4_k": 12, "q6_k": 14, "bf16": 30}
BLOCKS = {"f32": (1, 4), "f16": (1, 2), "q4_0": (32, 18), "q8_0": (32, 34), "q4_k": (256, 144),
          "q6_k": (256, 210), "bf16": (1, 2)}  # fmt: skip

Tensors = dict[str, tuple[str, tuple[int, ...]]]


def safetensors(tensors: Tensors, notes: dict[str, str] | None = None) -> tuple[bytes, int]:
    """Give the header's bytes, and how many bytes of weights follow."""
    header: dict[str, Any] = {"__metadata__": notes} if notes else {}
    at = 0
    for name, (dtype, shape) in tensors.items():
        size = WIDTHS[dtype]
        for length in shape:
            size *= length
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text, at


def gguf(tensors: Tensors, notes: dict[str, str | int | list[str]]) -> tuple[bytes, int]:
    """Give the header's bytes with its padding, and how many bytes of weights follow."""
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(notes))
    for key, value in notes.items():
        out += _text(key)
        if isinstance(value, str):
            out += struct.pack("<I", 8) + _text(value)
        elif isinstance(value, int):
            out += struct.pack("<II", 4, value)
        else:
            out += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    at = 0
    for name, (dtype, shape) in tensors.items():
        out += _text(name) + struct.pack("<I", len(shape))
        out += b"".join(struct.pack("<Q", length) for length in reversed(shape))
        out += struct.pack("<IQ", TYPES[dtype], at)
        count = 1
        for length in shape:
            count *= length
        block, size = BLOCKS[dtype]
        at += count // block * size
        at += -at % 32
    out += b"\0" * (-len(out) % 32)
    return out, at


def put(path: Path, made: tuple[bytes, int], *, cut: int = 0, tail: bytes = b"") -> Path:
    """Write a file with a hole for its weights; `cut` bytes short, or with its last bytes set."""
    header, weights = made
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + weights - cut)
        if tail:
            file.seek(-len(tail), 2)
            file.write(tail)
    return path


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


# --------------------------------------------------------------------------------------------
# Headers shaped like real files: the names and shapes that tell them apart, fewer of each.

QWEN: Tensors = {
    "img_in.weight": ("BF16", (3072, 64)),
    "txt_in.weight": ("BF16", (3072, 3584)),
    "txt_norm.weight": ("BF16", (3584,)),
    "transformer_blocks.0.attn.add_q_proj.weight": ("BF16", (3072, 3072)),
    "transformer_blocks.0.attn.to_q.weight": ("BF16", (3072, 3072)),
    "transformer_blocks.0.img_mlp.net.0.proj.weight": ("BF16", (12288, 3072)),
    "transformer_blocks.59.txt_mod.1.weight": ("BF16", (18432, 3072)),
}
SD15: Tensors = {
    "model.diffusion_model.input_blocks.0.0.weight": ("F16", (320, 4, 3, 3)),
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight":
        ("F16", (320, 768)),
    "first_stage_model.decoder.conv_in.weight": ("F16", (512, 4, 3, 3)),
    "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight":
        ("F16", (3072, 768)),
}  # fmt: skip
SDXL: Tensors = {
    "model.diffusion_model.input_blocks.0.0.weight": ("F16", (320, 4, 3, 3)),
    "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight":
        ("F16", (640, 2048)),
    "first_stage_model.decoder.conv_in.weight": ("F16", (512, 4, 3, 3)),
    "conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight":
        ("F16", (3072, 768)),
    "conditioner.embedders.1.model.ln_final.weight": ("F16", (1280,)),
}  # fmt: skip
FLUX: Tensors = {
    "img_in.weight": ("BF16", (3072, 64)),
    "guidance_in.in_layer.weight": ("BF16", (3072, 256)),
    "double_blocks.0.img_attn.norm.key_norm.scale": ("BF16", (128,)),
    "double_blocks.0.img_attn.qkv.weight": ("BF16", (9216, 3072)),
    "single_blocks.37.linear1.weight": ("BF16", (21504, 3072)),
}
QWEN_VAE: Tensors = {
    "conv1.weight": ("BF16", (32, 32, 1, 1, 1)),
    "encoder.downsamples.0.residual.0.gamma": ("BF16", (96, 1, 1, 1)),
    "decoder.middle.0.residual.0.gamma": ("BF16", (384, 1, 1, 1)),
}
SD_VAE: Tensors = {
    "encoder.conv_in.weight": ("F32", (128, 3, 3, 3)),
    "decoder.conv_in.weight": ("F32", (512, 4, 3, 3)),
    "quant_conv.weight": ("F32", (8, 8, 1, 1)),
}
FLUX_VAE: Tensors = {
    "encoder.conv_in.weight": ("F32", (128, 3, 3, 3)),
    "decoder.conv_in.weight": ("F32", (512, 16, 3, 3)),
}
QWEN_VL: Tensors = {
    "model.embed_tokens.weight": ("BF16", (152064, 3584)),
    "model.layers.0.self_attn.k_proj.bias": ("BF16", (512,)),
    "model.layers.0.self_attn.q_proj.weight": ("BF16", (3584, 3584)),
    "visual.blocks.0.attn.qkv.weight": ("BF16", (3840, 1280)),
}
CLIP_L: Tensors = {
    "text_model.embeddings.token_embedding.weight": ("F16", (49408, 768)),
    "text_model.encoder.layers.0.mlp.fc1.weight": ("F16", (3072, 768)),
}
CLIP_G: Tensors = {
    "text_model.embeddings.token_embedding.weight": ("F16", (49408, 1280)),
    "text_model.encoder.layers.31.mlp.fc1.weight": ("F16", (5120, 1280)),
}
T5: Tensors = {
    "shared.weight": ("F16", (32128, 4096)),
    "encoder.block.23.layer.1.DenseReluDense.wi_1.weight": ("F16", (10240, 4096)),
    "encoder.block.0.layer.0.SelfAttention.k.weight": ("F16", (4096, 4096)),
}
LORA_SD15: Tensors = {
    "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": ("F16", (8, 768)),
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight":
        ("F16", (8, 768)),
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight":
        ("F16", (320, 8)),
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.alpha": ("F16", ()),
}  # fmt: skip
LORA_SDXL: Tensors = {
    "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": ("F16", (8, 768)),
    "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": ("F16", (8, 1280)),
    "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight":
        ("F16", (8, 2048)),
}  # fmt: skip
LORA_FLUX_KOHYA: Tensors = {
    "lora_unet_double_blocks_0_img_attn_proj.lora_down.weight": ("BF16", (16, 3072)),
    "lora_unet_single_blocks_37_linear1.lora_up.weight": ("BF16", (21504, 16)),
}
LORA_FLUX: Tensors = {
    "transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": ("BF16", (16, 3072)),
    "transformer.transformer_blocks.18.attn.add_k_proj.lora_A.weight": ("BF16", (16, 3072)),
}
LORA_QWEN: Tensors = {
    "transformer_blocks.0.attn.add_k_proj.lora_down.weight": ("BF16", (64, 3072)),
    "transformer_blocks.0.attn.add_k_proj.lora_up.weight": ("BF16", (3072, 64)),
    "transformer_blocks.59.img_mlp.net.2.lora_down.weight": ("BF16", (64, 12288)),
}
LORA_QWEN_ATTENTION: Tensors = {
    f"transformer_blocks.{number}.attn.add_k_proj.lora_A.default.weight": ("BF16", (32, 3072))
    for number in (0, 59)
}
CONTROL_SD15: Tensors = {
    "control_model.input_hint_block.0.weight": ("F16", (16, 3, 3, 3)),
    "control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": ("F16", (320, 768)),
}
CONTROL_SDXL: Tensors = {
    "controlnet_cond_embedding.conv_in.weight": ("F16", (16, 3, 3, 3)),
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight": ("F16", (640, 2048)),
}
CONTROL_FLUX: Tensors = {
    "controlnet_x_embedder.weight": ("BF16", (3072, 64)),
    "controlnet_blocks.0.weight": ("BF16", (3072, 3072)),
    "single_transformer_blocks.0.attn.to_k.weight": ("BF16", (3072, 3072)),
    "transformer_blocks.0.ff_context.net.2.weight": ("BF16", (3072, 12288)),
}
CONTROL_QWEN: Tensors = {
    "controlnet_x_embedder.weight": ("BF16", (3072, 64)),
    "controlnet_blocks.0.weight": ("BF16", (3072, 3072)),
    "transformer_blocks.0.img_mlp.net.0.proj.weight": ("BF16", (12288, 3072)),
}
PATCH_QWEN: Tensors = {
    "controlnet_blocks.0.input_proj.weight": ("BF16", (3072, 3072)),
    "controlnet_blocks.0.x_rms.weight": ("BF16", (3072,)),
    "controlnet_blocks.0.y_rms.weight": ("BF16", (3072,)),
    "img_in.weight": ("BF16", (3072, 64)),
}
NUNCHAKU_INT4: Tensors = {
    "transformer_blocks.0.attn.to_qkv.qweight": ("I8", (9216, 1536)),
    "transformer_blocks.0.attn.to_qkv.wscales": ("BF16", (48, 9216)),
    "transformer_blocks.0.attn.to_qkv.proj_down": ("BF16", (3072, 32)),
    "transformer_blocks.0.attn.to_qkv.proj_up": ("BF16", (9216, 32)),
    "transformer_blocks.0.attn.to_qkv.smooth_factor": ("BF16", (3072,)),
    "transformer_blocks.0.img_mlp.net.0.proj.qweight": ("I8", (12288, 1536)),
    "img_in.weight": ("BF16", (3072, 64)),
    "txt_norm.weight": ("BF16", (3584,)),
}
NUNCHAKU_FP4: Tensors = {
    **{name: what for name, what in NUNCHAKU_INT4.items() if not name.endswith("wscales")},
    "transformer_blocks.0.attn.to_qkv.wscales": ("F8_E4M3", (192, 9216)),
    "transformer_blocks.0.attn.to_qkv.wcscales": ("BF16", (9216,)),
    "transformer_blocks.0.attn.to_qkv.proj_down": ("BF16", (3072, 128)),
}


def as_dtype(tensors: Tensors, dtype: str, *beside: str) -> Tensors:
    """Give the same tensors with other weights, and one more of each name in `beside`."""
    made = {
        name: (dtype if len(shape) > 1 else kept, shape) for name, (kept, shape) in tensors.items()
    }
    first = next(iter(tensors)).rpartition(".")[0]
    return made | {f"{first}.{name}": ("F32", ()) for name in beside}
