"""Picture files for tests, made by Pillow or byte by byte where Pillow would not make such."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

CORNERS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 220, 30))
"""Red, green, blue, yellow: of the quarters, from the upper left to the lower right."""


def quarters(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """A picture whose four quarters have other colours, so that every turn is seen."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for number, colour in enumerate(CORNERS):
        x, y = number % 2 * (width // 2), number // 2 * (height // 2)
        draw.rectangle((x, y, x + width // 2 - 1, y + height // 2 - 1), fill=colour)
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(
    width: int,
    height: int,
    packed: bytes,
    *,
    bits: int = 8,
    colour: int = 2,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A PNG with whatever header and data; `before` and `after` are chunks around the data."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + before
        + chunk(b"IDAT", packed)
        + after
        + chunk(b"IEND", b"")
    )


def pixel(rgb: bytes, width: int, x: int, y: int) -> tuple[int, int, int]:
    at = (y * width + x) * 3
    return rgb[at], rgb[at + 1], rgb[at + 2]


def corners_of(rgb: bytes, width: int, height: int) -> tuple[tuple[int, int, int], ...]:
    """The colours in the middle of the four quarters."""
    places = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    return tuple(pixel(rgb, width, x, y) for x, y in places)


def like(found: tuple[int, int, int], wanted: tuple[int, int, int], by: int = 40) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))
