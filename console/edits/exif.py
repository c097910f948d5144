"""Recipes in the EXIF data of JPEG and WebP files, where those programs have no text chunks.

Forge writes its parameters as the user's comment; ComfyUI's WebP nodes write `prompt:{…}` and
`workflow:{…}` as camera model and maker. Layouts: EXIF 2.32 (4.6), TIFF 6.0 (section 2), JPEG
(B.1.1.4), the WebP container's RIFF chunks. Nothing of a file is believed.
"""

import os
from collections.abc import Iterator
from typing import IO, Literal

_MOST = 16 << 20
_MOST_PARTS = 10_000
_MOST_ENTRIES = 1_000
_EXIF = b"Exif\0\0"
_TO_EXIF, _COMMENT = 0x8769, 0x9286
_BYTE, _ASCII, _LONG, _UNDEFINED = 1, 2, 4, 7
_KINDS = frozenset({_BYTE, _ASCII, _LONG, _UNDEFINED})
_KEYS = ("prompt", "workflow", "gpuconsole")
_COMMENT_NAME = "parameters"


def exif_texts(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Give the texts that recipes are kept in, by their names; none of what is neither file."""
    data = _exif_in(file)
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if data[:4] not in {b"II*\0", b"MM\0*"}:
        return
    for at in (int.from_bytes(data[4:8], order), *_pointers(data, order)):
        for tag, kind, value in _entries(data, at, order):
            text = _text(tag, kind, value)
            name, found, rest = text.partition(":")
            if tag == _COMMENT:
                yield _COMMENT_NAME, text
            elif found and name in _KEYS:
                yield name, rest


def _exif_in(file: IO[bytes]) -> bytes:
    file.seek(0)
    head = file.read(12)
    if head.startswith(b"\xff\xd8\xff"):
        return _of_jpeg(file)
    return _of_webp(file) if head[:4] == b"RIFF" and head[8:] == b"WEBP" else b""


def _of_jpeg(file: IO[bytes]) -> bytes:
    file.seek(2)
    for _ in range(_MOST_PARTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in {0xD9, 0xDA}:  # its end, or its data
            return b""
        size = int.from_bytes(head[2:], "big") - 2
        body = file.read(max(size, 0))
        if head[1] == 0xE1 and body.startswith(_EXIF):
            return body[len(_EXIF) :]
    return b""


def _of_webp(file: IO[bytes]) -> bytes:
    for _ in range(_MOST_PARTS):
        head = file.read(8)
        size = int.from_bytes(head[4:], "little")
        if len(head) < 8:
            return b""
        if head[:4] == b"EXIF":
            return file.read(min(size, _MOST)).removeprefix(_EXIF)
        file.seek(size + size % 2, os.SEEK_CUR)
    return b""


def _pointers(data: bytes, order: Literal["little", "big"]) -> list[int]:
    """Give where the second table is, with the comment in it."""
    first = int.from_bytes(data[4:8], order)
    return [int.from_bytes(value, order) for tag, kind, value in _entries(data, first, order)
            if tag == _TO_EXIF and kind == _LONG]  # fmt: skip


def _entries(
    data: bytes, at: int, order: Literal["little", "big"]
) -> Iterator[tuple[int, int, bytes]]:
    """Give the entries of a table that hold text or a pointer: tag, kind and value."""
    count = int.from_bytes(data[at : at + 2], order)
    for number in range(min(count, _MOST_ENTRIES)):
        entry = data[at + 2 + 12 * number :][:12]
        tag, kind = (int.from_bytes(entry[i : i + 2], order) for i in (0, 2))
        size = int.from_bytes(entry[4:8], order) * (4 if kind == _LONG else 1)
        if len(entry) < 12 or kind not in _KINDS or size > len(data):
            continue
        start = int.from_bytes(entry[8:], order)
        yield tag, kind, entry[8 : 8 + size] if size <= 4 else data[start : start + size]


def _text(tag: int, kind: int, value: bytes) -> str:
    """Give an entry's text; a comment begins with its character set, UTF-16 in either order."""
    if tag != _COMMENT:
        return value.rstrip(b"\0").decode("utf-8", "replace") if kind == _ASCII else ""
    charset, words = value[:8], value[8:]
    if charset.startswith(b"UNICODE"):
        little = len(words) > 1 and words[1] == 0 and words[0] != 0
        return words.decode("utf-16-le" if little else "utf-16-be", "replace").rstrip("\0")
    return words.decode("utf-8", "replace").rstrip("\0")
