"""What a PNG's chunks say, by walking over them: Pillow would decode it to tell as much."""

import struct
from typing import IO, NamedTuple

_BEGIN = 8
_HEAD = 8
_CHECK = 4
_MOST_CHUNKS = 200_000
_LONGEST_EXIF = 1 << 20


class Chunks(NamedTuple):
    """What was found on the way.

    Attributes:
        bits: of a channel.
        exif: the EXIF data; empty where there is none.
        ends: its last chunk is there.
    """

    bits: int
    exif: bytes
    ends: bool


def walked(file: IO[bytes]) -> Chunks:
    """Walk over the chunks of a PNG, and leave the file where it was; nothing hostile raises."""
    before = file.tell()
    try:
        return _walked(file)
    finally:
        file.seek(before)


def _walked(file: IO[bytes]) -> Chunks:
    bits, exif, at = 8, b"", _BEGIN
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(_HEAD)
        if len(head) < _HEAD:
            return Chunks(bits, exif, ends=False)
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return Chunks(bits, exif, ends=True)
        if kind == b"IHDR":
            bits = (file.read(9)[8:9] or b"\x08")[0]
        elif kind == b"eXIf" and length <= _LONGEST_EXIF:
            exif = file.read(length)
        at += _HEAD + length + _CHECK
    return Chunks(bits, exif, ends=True)
