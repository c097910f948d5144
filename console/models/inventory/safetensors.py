"""The header of a safetensors file: JSON behind eight bytes that tell its length.

What the safetensors library refuses is refused here too: ComfyUI could not load it. Offsets have to
cover the data without holes, in any order, and each has to fit its type and shape.
"""

from typing import Annotated

import msgspec

from console.models.inventory.header import (
    CutHeaderError,
    Header,
    Read,
    Tensor,
    WrongHeaderError,
    formats,
)

LARGEST_HEADER = 32 << 20
"""The library takes up to 100 MB; the largest that are seen, with training notes, have some MB."""

_LARGEST_LIBRARY = 100_000_000
_MOST_DIMENSIONS = 8
_MOST = 1 << 53
_NOTE = 65_536

_Number = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]


class _Entry(msgspec.Struct):
    dtype: str
    shape: Annotated[list[_Number], msgspec.Meta(max_length=_MOST_DIMENSIONS)]
    data_offsets: tuple[_Number, _Number]


_ENTRIES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRY = msgspec.json.Decoder(_Entry)


def is_safetensors(first: bytes) -> bool:
    """Tell by the first nine bytes; the name is not asked."""
    return len(first) > 8 and first[8:9] == b"{" and 2 <= _length(first) <= _LARGEST_LIBRARY


def read_safetensors(read: Read, size: int) -> Header:
    """Give the header of a safetensors file.

    Args:
        read: of the file.
        size: its bytes.

    Raises:
        CutHeaderError: the file ends before its header does.
        WrongHeaderError: it does not hold together.
    """
    length = _length(read(0, 8))
    if 8 + length > size:
        raise CutHeaderError(8 + length)
    if length > LARGEST_HEADER:
        raise WrongHeaderError(f"it has {length} bytes, of which no model needs as many")
    text = read(8, 8 + length)
    if len(text) < length:
        raise CutHeaderError(8 + length)
    tensors, notes, end = _decode(text)
    return Header(
        format="safetensors",
        size=size,
        tensors=tensors,
        metadata=notes,
        promised_bytes=8 + length + end,
    )


def _decode(text: bytes) -> tuple[tuple[Tensor, ...], dict[str, str], int]:
    """Give tensors, notes, and where the data of the last tensor ends."""
    try:
        entries = _ENTRIES.decode(text)
        raw = entries.pop("__metadata__", None)
        notes = _notes(raw)
        found = [(name, _ENTRY.decode(entry)) for name, entry in entries.items()]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise WrongHeaderError("it is not the JSON that safetensors want") from None
    bits = formats()["safetensors_bits"]
    tensors = tuple(_tensor(name, entry, bits) for name, entry in found)
    return tensors, notes, _end([entry.data_offsets for _, entry in found])


def _notes(raw: msgspec.Raw | None) -> dict[str, str]:
    """Give the metadata that are texts; long ones are cut."""
    if raw is None:
        return {}
    notes = msgspec.json.decode(raw)
    if not isinstance(notes, dict):
        return {}
    return {key: value[:_NOTE] for key, value in notes.items() if isinstance(value, str)}


def _tensor(name: str, entry: _Entry, bits: dict[str, int]) -> Tensor:
    begin, end = entry.data_offsets
    tensor = Tensor(name, entry.dtype.lower()[:32], tuple(entry.shape), end - begin)
    width = bits.get(entry.dtype)
    if tensor.count > _MOST:
        raise WrongHeaderError("a tensor holds more numbers than any disk does")
    if begin > end or (width is not None and (tensor.count * width + 7) // 8 != end - begin):
        raise WrongHeaderError("a tensor's place does not fit its type and shape")
    return tensor


def _end(places: list[tuple[int, int]]) -> int:
    """Give where the data end, having looked that they leave no hole and share no byte."""
    at = 0
    for begin, end in sorted(places):
        if begin != at:
            raise WrongHeaderError("its tensors overlap, or leave holes")
        at = end
    return at


def _length(first: bytes) -> int:
    return int.from_bytes(first[:8], "little")
