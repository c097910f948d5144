"""The header of a GGUF file: key-value pairs and the list of tensors, as gguf.h describes them.

Counts and lengths come from the file and are believed only as far as its size goes.
"""

import struct
from typing import Any

from console.models.inventory.header import (
    CutHeaderError,
    Header,
    Read,
    Tensor,
    WrongHeaderError,
    formats,
)

MAGIC = b"GGUF"
LARGEST_HEADER = 64 << 20
"""A text encoder brings its vocabulary along, some MiB."""

_VERSIONS = (2, 3)
_MOST_TENSORS = 1 << 17
_MOST_PAIRS = 1 << 14
_MOST_DIMENSIONS = 8
_MOST = 1 << 53
_ALIGNMENT = 32
_NOTE = 4_096
_FIRST_READ = 1 << 18

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_SCALARS = {kind: struct.Struct(f"<{letter}") for kind, letter in enumerate("BbHhIif?")} | {
    10: _U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING, _ARRAY = 8, 9


class _Cursor:
    """A place in the file, read ahead in growing pieces."""

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._size = size
        self._held = b""
        self.at = 0

    def want(self, count: int) -> bytes:
        """Hold `count` bytes from here on, and give all that is held."""
        end = self.at + count
        if end > len(self._held):
            if end > self._size:
                raise CutHeaderError(min(end, _MOST))
            if end > LARGEST_HEADER:
                raise WrongHeaderError("it is larger than that of any model")
            upto = min(self._size, max(end, 2 * len(self._held), _FIRST_READ), LARGEST_HEADER)
            self._held += self._read(len(self._held), upto)
            if end > len(self._held):
                raise CutHeaderError(end)
        return self._held

    def number(self, kind: struct.Struct) -> Any:
        """Take one number."""
        (value,) = kind.unpack_from(self.want(kind.size), self.at)
        self.at += kind.size
        return value

    def text(self) -> bytes:
        """Take a text: its length, then its bytes."""
        length = self.number(_U64)
        held = self.want(length)
        self.at += length
        return held[self.at - length : self.at]

    def skip(self, count: int) -> None:
        """Go past bytes that tell nothing here."""
        self.want(count)
        self.at += count


def read_gguf(read: Read, size: int) -> Header:
    """Give the header of a GGUF file.

    Args:
        read: of the file.
        size: its bytes.

    Raises:
        CutHeaderError: the file ends before its header does.
        WrongHeaderError: it does not hold together.
    """
    cursor = _Cursor(read, size)
    cursor.skip(len(MAGIC))
    version = cursor.number(_U32)
    if version not in _VERSIONS:
        raise WrongHeaderError("its version of GGUF is none that ComfyUI reads")
    count, pairs = cursor.number(_U64), cursor.number(_U64)
    if count > _MOST_TENSORS or pairs > _MOST_PAIRS:
        raise WrongHeaderError("it promises more tensors or notes than any model has")
    notes = dict(_pair(cursor) for _ in range(pairs))
    listed = [_tensor(cursor) for _ in range(count)]
    if len({tensor.name for tensor, _ in listed}) != count:
        raise WrongHeaderError("it lists a tensor twice")
    return Header(
        format="gguf",
        size=size,
        tensors=tuple(tensor for tensor, _ in listed),
        metadata={key: value for key, value in notes.items() if value is not None},
        promised_bytes=_promised(cursor.at, notes, listed),
    )


def _pair(cursor: _Cursor) -> tuple[str, str | None]:
    """Take a key and its value; lists are passed over and give None."""
    key = cursor.text()[:_NOTE].decode("utf-8", "replace")
    return key, _value(cursor, cursor.number(_U32))


def _value(cursor: _Cursor, kind: int) -> str | None:
    if kind == _STRING:
        return cursor.text()[:_NOTE].decode("utf-8", "replace")
    if kind in _SCALARS:
        return str(cursor.number(_SCALARS[kind]))
    if kind != _ARRAY:
        raise WrongHeaderError("it holds a value of a kind that is not known")
    inner, count = cursor.number(_U32), cursor.number(_U64)
    if inner in _SCALARS:
        cursor.skip(count * _SCALARS[inner].size)
    elif inner == _STRING:
        _skip_texts(cursor, count)
    else:
        raise WrongHeaderError("it holds a list of lists, which no program reads")
    return None


def _skip_texts(cursor: _Cursor, count: int) -> None:
    """Go past a list of texts; a vocabulary has 150 000."""
    held = cursor.want(count * _U64.size)
    at, length_at = cursor.at, _U64.unpack_from
    for _ in range(count):
        if at + 8 > len(held):
            cursor.at = at
            held = cursor.want(8)
        at += 8 + length_at(held, at)[0]
    cursor.at = at
    cursor.want(0)


def _tensor(cursor: _Cursor) -> tuple[Tensor, int | None]:
    """Take one tensor; with it where its data end, None where its type is not known."""
    name = cursor.text()[:_NOTE].decode("utf-8", "replace")
    dimensions = cursor.number(_U32)
    if dimensions > _MOST_DIMENSIONS:
        raise WrongHeaderError("a tensor has more dimensions than there are")
    shape = tuple(cursor.number(_U64) for _ in range(dimensions))
    kind, offset = cursor.number(_U32), cursor.number(_U64)
    if offset > _MOST or any(length > _MOST for length in shape):
        raise WrongHeaderError("a tensor lies further on than any disk goes")
    known = formats()["gguf_types"].get(str(kind))
    label, block, block_bytes = known or (f"type-{kind}", 1, 0)
    tensor = Tensor(name, label, shape[::-1], 0)
    if tensor.count > _MOST or (shape and shape[0] % block):
        raise WrongHeaderError("a tensor's shape does not fit its type")
    if known is None:
        return tensor, None
    size = tensor.count // block * block_bytes
    return Tensor(name, label, shape[::-1], size), offset + size


def _promised(
    at: int, notes: dict[str, str | None], listed: list[tuple[Tensor, int | None]]
) -> int | None:
    """Give the size the file must have; None where a tensor is of a type that is not known."""
    ends = [end for _, end in listed]
    told = notes.get("general.alignment") or ""
    alignment = (int(told) if told.isdecimal() and len(told) < 10 else 0) or _ALIGNMENT
    data = -(-at // alignment) * alignment
    if any(end is None for end in ends):
        return None
    return data + max((end for end in ends if end is not None), default=0) if ends else at
