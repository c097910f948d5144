"""Headers of model files: real ones, for files that have nothing but zeros after them.

Both formats as their descriptions have them: safetensors (eight bytes of length, JSON) and GGUF
version 3 (metadata, tensors with their types and offsets, data from a multiple of 32).
"""

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Tensor = tuple[str, tuple[int, ...], str]
"""A name, a shape, and a type where it has one of its own."""

_BYTES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "I8": 1, "U8": 1}
_GGML = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    24: (1, 1),
    30: (1, 2),
}
"""Types of ggml that are used here: weights in a block, bytes of a block."""

_ALIGNMENT = 32
_TEXT, _NUMBER = 8, 4
_F32, _I8 = 0, 24
_REST = "rehearsal.rest"


def tensors_of(names: Iterable[Sequence[Any]], blocks: int, rank: int = 0) -> list[Tensor]:
    """Give the tensors of a shape: a name with `{}` once for each block.

    Each is a name, a shape (with the word `rank` for a low rank) and maybe a type of its own.
    """
    plain: list[Tensor] = []
    blocked: list[Tensor] = []
    for name, shape, *own in names:
        sizes = tuple(rank if size == "rank" else int(size) for size in shape)
        (blocked if "{}" in name else plain).append((name, sizes, own[0] if own else ""))
    for number in range(blocks):
        plain += [(name.format(number), shape, own) for name, shape, own in blocked]
    return plain


def safetensors_header(
    tensors: Iterable[Tensor],
    dtype: str,
    size: int,
    metadata: Mapping[str, str],
    rest: str = "F32",
) -> bytes:
    """Give the header of a file that is `size` bytes long, with as many tensors as it has room for.

    `rest` is the type of the one that takes what is left.

    Raises:
        ValueError: it is too short for any.
    """
    kept = list(tensors)
    while True:
        header = _safetensors(kept, dtype, size, metadata, rest)
        if header is not None:
            return header
        if not kept:
            raise ValueError(f"no header fits a file of {size} bytes")
        kept = kept[: len(kept) * 9 // 10]


def _safetensors(
    tensors: list[Tensor], dtype: str, size: int, metadata: Mapping[str, str], rest: str
) -> bytes | None:
    """Give the header; None where there is no room for all of them."""
    table: dict[str, object] = {"__metadata__": {"format": "pt", **metadata}}
    at = 0
    for name, shape, own in tensors:
        kind = own or (dtype if len(shape) > 1 else "F32")
        end = at + math.prod(shape) * _BYTES[kind]
        table[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    width = _BYTES[rest]
    last = {"dtype": rest, "shape": [size // width], "data_offsets": [at, size]}
    longest = len(_json({**table, _REST: last})) + 8
    left = (size - 8 - longest - at) // width
    if left < 1:
        return None
    end = at + left * width
    table[_REST] = {"dtype": rest, "shape": [left], "data_offsets": [at, end]}
    text = _json(table).ljust(size - 8 - end)
    return struct.pack("<Q", len(text)) + text


def _json(table: Mapping[str, object]) -> bytes:
    return json.dumps(table, separators=(",", ":")).encode()


def gguf_header(
    tensors: Iterable[Tensor], ggml: int, size: int, architecture: str, text: Mapping[str, str]
) -> bytes:
    """Give the header of a file that is `size` bytes long, with as many tensors as it has room for.

    Raises:
        ValueError: it is too short for any.
    """
    kept = list(tensors)
    while True:
        header = _gguf(kept, ggml, size, {"general.architecture": architecture, **text})
        if header is not None:
            return header
        if not kept:
            raise ValueError(f"no header fits a file of {size} bytes")
        kept = kept[: len(kept) * 9 // 10]


def _gguf(tensors: list[Tensor], ggml: int, size: int, text: Mapping[str, str]) -> bytes | None:
    """Give the header; None where there is no room for all of them."""
    infos: list[bytes] = []
    at = 0
    for name, shape, _ in tensors:
        weights = math.prod(shape)
        block, held = _GGML[ggml]
        fits = len(shape) > 1 and shape[-1] % block == 0
        kind, (block, held) = (ggml, (block, held)) if fits else (_F32, _GGML[_F32])
        infos.append(_info(name, shape, kind, at))
        at = _aligned(at + weights // block * held)
    facts = [_pair(name, value) for name, value in text.items()]
    facts.append(_string("general.quantization_version") + struct.pack("<II", _NUMBER, 2))
    start = b"GGUF" + struct.pack("<IQQ", 3, len(infos) + 1, len(facts)) + b"".join(facts)
    begin = _aligned(len(start) + sum(map(len, infos)) + len(_info(_REST, (1,), _I8, 0)))
    left = size - begin - at
    if left < 1:
        return None
    kind, count = (_F32, left // 4) if left % 4 == 0 else (_I8, left)
    infos.append(_info(_REST, (count,), kind, at))
    return (start + b"".join(infos)).ljust(begin, b"\0")


def _info(name: str, shape: tuple[int, ...], kind: int, at: int) -> bytes:
    sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
    return _string(name) + sizes + struct.pack("<IQ", kind, at)


def _pair(name: str, value: str) -> bytes:
    return _string(name) + struct.pack("<I", _TEXT) + _string(value)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _aligned(at: int) -> int:
    return -(-at // _ALIGNMENT) * _ALIGNMENT
