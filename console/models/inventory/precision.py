"""How the weights of a model are stored, and how many there are."""

import re
from collections import Counter
from collections.abc import Iterable

from console.models.inventory.header import Header, Tensor, formats

_PLAIN = {
    "f32": "fp32",
    "f16": "fp16",
    "f64": "fp64",
    "f8_e4m3": "fp8_e4m3fn",
    "f8_e5m2": "fp8_e5m2",
    "i8": "int8",
    "u8": "uint8",
}
_SCALES = ("scale_weight", "weight_scale", "scaled_fp8", "scale_input", "comfy_quant")
_BESIDE = frozenset(
    {
        *_SCALES,
        "input_scale",
        "weight_scale_2",
        # Nunchaku's, of its layers with four bits throughout (SVDQ) and of weights only (AWQ)
        "wscales",
        "wcscales",
        "wtscale",
        "wzeros",
        "smooth_factor",
        "smooth_factor_orig",
        # those of bitsandbytes
        "absmax",
        "quant_map",
        "nested_absmax",
        "nested_quant_map",
    }
)
_FOUR_BITS = "bitsandbytes__"
_IN_ONE = {"i8": 2, "u8": 2, "i32": 8}
"""Weights of four bits in one number of a type."""
_SUFFIX = re.compile(r"[-_.](i?q\d(?:_[0-9a-z]{1,3}){1,2})$")
_FULL = frozenset({"bf16", "f16", "f32"})


def precision_of(header: Header, stem: str) -> str:
    """Tell how the weights are stored, such as `fp8_e4m3fn_scaled`, `q4_k_m`, `svdq-int4_r32`.

    Args:
        header: as it was read.
        stem: the file's name in small letters, without its ending; used only where the header
            leaves two answers open.

    Returns:
        The precision of most bytes; empty where the header lists no tensors.
    """
    if header.format == "gguf":
        return _of_gguf(header, stem)
    by_type: Counter[str] = Counter()
    for tensor in header.tensors:
        by_type[tensor.dtype] += tensor.size
    if not by_type:
        return ""
    ends = {_end(tensor) for tensor in header.tensors}
    if "qweight" in ends and ends & {"wscales", "proj_down", "smooth_factor"}:
        return _of_nunchaku(header.tensors)
    most = by_type.most_common(1)[0][0]
    if most == "u8":
        return _of_packed(ends)
    plain = _PLAIN.get(most, most)
    if most.startswith("f8_") and ends.intersection(_SCALES):
        mixed = "comfy_quant" in ends or "mixed" in stem
        return "fp8mixed" if mixed else f"{plain}_scaled"
    if most == "i8":
        return "int8_convrot" if "convrot" in stem or _says(header, "convrot") else "int8"
    return plain


def parameters_of(header: Header) -> int | None:
    """Give the number of weights; None where the header lists no tensors.

    Packed weights count as what they hold, scales and the like not at all.
    """
    if not header.tensors:
        return None
    ends = {_end(tensor) for tensor in header.tensors}
    packed = bool(ends & {"wscales", "weight_scale_2"}) or any(map(_is_bitsandbytes, ends))
    total = 0
    for tensor in header.tensors:
        end = _end(tensor)
        if end in _BESIDE or _is_bitsandbytes(end):
            continue
        several = packed and len(tensor.shape) > 1
        total += tensor.count * (_IN_ONE.get(tensor.dtype, 1) if several else 1)
    return total


def _end(tensor: Tensor) -> str:
    return tensor.name.rpartition(".")[2]


def _is_bitsandbytes(end: str) -> bool:
    """Tell whether a name's end is that of the note beside four-bit weights: `nf4` or `fp4`."""
    return end.startswith(_FOUR_BITS)


def _of_gguf(header: Header, stem: str) -> str:
    """By the note a quantizer leaves; else by the type of most bytes, and the name."""
    noted: str = formats()["gguf_file_types"].get(header.metadata.get("general.file_type", ""), "")
    by_type: Counter[str] = Counter()
    for tensor in header.tensors:
        by_type[tensor.dtype] += tensor.size
    if not by_type:
        return _PLAIN.get(noted, noted)
    most = by_type.most_common(1)[0][0]
    # A note that was left from before the weights were made smaller tells nothing.
    if noted and (noted.startswith(most[:3]) or not (noted in _FULL and most not in _FULL)):
        return _PLAIN.get(noted, noted)
    named = _SUFFIX.search(stem)
    if named and named[1].startswith(most):
        return named[1]
    return _PLAIN.get(most, most)


def _of_nunchaku(tensors: Iterable[Tensor]) -> str:
    """SVDQuant: four bits and a low-rank branch, whose rank is part of its name."""
    rank, four = 0, "int4"
    for tensor in tensors:
        end = _end(tensor)
        if end in {"proj_down", "lora_down"} and len(tensor.shape) == 2:
            rank = rank or min(tensor.shape)
        if end == "wcscales" or (end == "wscales" and tensor.dtype.startswith("f8")):
            four = "fp4"
    return f"svdq-{four}_r{rank}" if rank else f"svdq-{four}"


def _of_packed(ends: set[str]) -> str:
    if "weight_scale_2" in ends:
        return "nvfp4"
    if f"{_FOUR_BITS}nf4" in ends:
        return "nf4"
    if f"{_FOUR_BITS}fp4" in ends:
        return "bnb-fp4"
    return "uint8"


def _says(header: Header, word: str) -> bool:
    return any(word in text for text in header.metadata.values())
