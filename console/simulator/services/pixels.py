"""Small pictures without a library: PNG read and written, flat JPEG previews.

A rehearsed edit has to give back another picture than it got, of the same size. Truecolour PNGs of
moderate size are really changed; of any other picture only the size is taken over.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 24_000_000
_MOST_READ = 300_000
"""Pixels up to which a PNG is read back: row filters in plain Python are slow."""

_CHANNELS = {0: 1, 2: 3, 6: 4}
_NEGATIVE = bytes(255 - value for value in range(256))


def write_png(
    width: int, height: int, rows: Iterator[bytes], text: dict[str, str] | None = None
) -> bytes:
    """Give a PNG of 8-bit RGB rows, with texts in it as ComfyUI writes its recipe."""
    raw = b"".join(b"\0" + row for row in rows)
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    for key, value in (text or {}).items():
        chunks.append(_chunk(b"tEXt", key.encode("latin-1") + b"\0" + value.encode("latin-1")))
    chunks += [_chunk(b"IDAT", zlib.compress(raw, 1)), _chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(chunks)


def edited(source: bytes, shade: int, text: dict[str, str]) -> bytes | None:
    """Give an edited picture: the negative of one that can be read, else a painted one.

    None where `source` is no picture at all. `shade` of 0 to 255 tells one edit from another.
    """
    size = size_of(source)
    if size is None:
        return None
    width, height = size
    rows = _read_png(source) if source.startswith(_SIGNATURE) else None
    if rows is None:
        return painted(min(width, 4096), min(height, 4096), shade, text)
    tint = bytes((value + shade) % 256 for value in range(256))
    return write_png(
        width, height, (row.translate(_NEGATIVE).translate(tint) for row in rows), text
    )


def painted(width: int, height: int, shade: int, text: dict[str, str]) -> bytes:
    """Give a picture of slanted bands in the colours of a shade."""
    band = bytes(
        part
        for x in range(width + 64)
        for part in (((x // 8) * 13 + shade) % 256, (x // 4 + 2 * shade) % 256, 255 - shade)
    )
    rows = (band[3 * (y % 64) :][: 3 * width] for y in range(height))
    return write_png(width, height, rows, text)


def absurd_png() -> bytes:
    """Give a small file that says it is a picture of two thousand megapixels."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 40_000, 8, 2, 0, 0, 0))
    return _SIGNATURE + head + _chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + _chunk(b"IEND", b"")


def size_of(data: bytes) -> tuple[int, int] | None:
    """Give width and height of a PNG, JPEG or GIF; None where it is none or absurdly large."""
    size = None
    if data.startswith(_SIGNATURE) and len(data) >= 33 and data[12:16] == b"IHDR":
        size = struct.unpack_from(">II", data, 16)
    elif data.startswith(b"\xff\xd8"):
        size = _jpeg_size(data)
    elif data[:4] == b"GIF8" and len(data) >= 10:
        size = struct.unpack_from("<HH", data, 6)
    if size is None or not 0 < size[0] * size[1] <= _LARGEST:
        return None
    return int(size[0]), int(size[1])


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    return None


def _read_png(data: bytes) -> list[bytes] | None:
    """Give the RGB rows of a plain PNG; None where it is of another kind, damaged or too large."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    channels = _CHANNELS.get(colour)
    if depth != 8 or channels is None or interlaced or width * height > _MOST_READ:
        return None
    try:
        raw = zlib.decompress(b"".join(_bodies(data, b"IDAT")))
    except zlib.error:
        return None
    stride = width * channels
    if len(raw) < height * (stride + 1):
        return None
    before, rows = bytearray(stride), []
    for y in range(height):
        at = y * (stride + 1)
        before = _unfiltered(raw[at], bytearray(raw[at + 1 : at + 1 + stride]), before, channels)
        rows.append(_rgb(bytes(before), channels))
    return rows


def _bodies(data: bytes, kind: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        if data[at + 4 : at + 8] == kind:
            yield data[at + 8 : at + 8 + length]
        at += length + 12


def _unfiltered(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    for x in range(len(row) if kind else 0):
        left = row[x - step] if x >= step else 0
        corner = above[x - step] if x >= step else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[x]
        elif kind == 3:
            guess = (left + above[x]) // 2
        else:
            guess = _paeth(left, above[x], corner)
        row[x] = (row[x] + guess) & 255
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    to = left + above - corner
    by = {left: abs(to - left), above: abs(to - above), corner: abs(to - corner)}
    if by[left] <= by[above] and by[left] <= by[corner]:
        return left
    return above if by[above] <= by[corner] else corner


def _rgb(row: bytes, channels: int) -> bytes:
    if channels == 3:
        return row
    picked = bytearray(len(row) // channels * 3)
    for place in range(3):
        picked[place::3] = row[place if channels == 4 else 0 :: channels]
    return bytes(picked)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def flat_jpeg(width: int, height: int, light: int) -> bytes:
    """Give a grey JPEG that brightens downwards from `light` of 0 to 255, of 8-pixel blocks."""
    across, down = -(-width // 8), -(-height // 8)
    levels = [min(255, light + 96 * y // max(1, down)) - 128 for y in range(down)]
    bits = []
    for above, level in pairwise([0, *levels]):
        bits.append(_difference(level - above) + "00")
        bits.append("00" * 2 * (across - 1))
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    # One step of the quantiser is one shade of a whole block; no detail within blocks is coded.
    table = b"\0" + b"\x08" * 64
    lengths = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)) + bytes(range(12))
    only_end = bytes((0, 1, *([0] * 14))) + b"\0"
    return b"".join((
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        b"\xff\xdb\x00\x43" + table,
        b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00",
        b"\xff\xc4" + struct.pack(">H", 3 + len(lengths)) + b"\x00" + lengths,
        b"\xff\xc4" + struct.pack(">H", 3 + len(only_end)) + b"\x10" + only_end,
        b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00",
        packed,
        b"\xff\xd9",
    ))  # fmt: skip


_DC_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110")


def _difference(value: int) -> str:
    """Give the code of a difference of two blocks' shades, by the standard's table."""
    count = abs(value).bit_length()
    if not count:
        return _DC_CODES[0]
    bits = value if value > 0 else value + (1 << count) - 1
    return _DC_CODES[count] + format(bits, f"0{count}b")
