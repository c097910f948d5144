"""Width and height of a picture by its own header, without a picture library."""

from collections.abc import Callable

from console.edits.result import GIF, JPEG, PNG, WEBP, media_of

_MOST_MARKERS = 2000
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def measure(data: bytes) -> tuple[int, int] | None:
    """Give width and height in pixels as stored; None where the header makes no sense.

    The data after the header is not looked at, so that it may still be damaged. Layouts: PNG 11.2.1
    (IHDR), JPEG B.2.2 (frame header), GIF89a 18 (screen descriptor), WebP container (VP8, VP8L,
    VP8X).
    """
    readers: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
        PNG: _png, JPEG: _jpeg, WEBP: _webp, GIF: _gif,
    }  # fmt: skip
    reader = readers.get(media_of(data))
    size = reader(data) if reader else None
    return size if size and min(size) > 0 else None


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _gif(data: bytes) -> tuple[int, int] | None:
    if len(data) < 10:
        return None
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MOST_MARKERS):
        if data[at : at + 1] != b"\xff" or at + 9 > len(data):
            return None
        kind = data[at + 1]
        if kind == 0xFF:  # a marker may be filled up with any number of them
            at += 1
        elif kind in _FRAMES:
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return width, height
    return None
