"""The map beside a part: which of its MiB are there, and which of them survive a reboot.

4 KiB of header (one line of JSON with its checksum, the rest zeros), then two bitmaps of the same
length, each rounded up to 4 KiB. In the first a bit is set after that MiB was written: it holds for
as long as this kernel runs, however the process ends. In the second it is set after the disk has
confirmed that MiB: after a reboot only this one counts.
"""

import os
import zlib
from pathlib import Path

import msgspec

CHUNK = 1024 * 1024
"""Bytes that one bit stands for."""

_PAGE = 4096

WRITTEN_AT = _PAGE
"""Where the first bitmap begins."""


VERSION = 1
"""Of this layout; a map of another one is none, and its part is begun anew."""


class MapHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Which file a part is to become.

    Attributes:
        origin, size, sha256, git_oid: as in `Wanted`.
        name: the final name.
        boot_id: of the kernel under which the first bitmap was written.
        pid: of the process that fetches, or was the last to.
        version: of the map's layout.
    """

    origin: str
    size: int
    sha256: str
    git_oid: str
    name: str
    boot_id: str
    pid: int
    version: int = VERSION


class Bits:
    """One bit for each MiB of a file."""

    def __init__(self, size: int, data: bytes = b"") -> None:
        self.size = size
        self.count = chunk_count(size)
        self._data = bytearray(data[: bitmap_bytes(size)].ljust(bitmap_bytes(size), b"\0"))

    def __contains__(self, chunk: int) -> bool:
        return bool(self._data[chunk >> 3] & (1 << (chunk & 7)))

    def add(self, chunk: int) -> tuple[int, bytes]:
        """Set a chunk's bit, and give where that byte is in the bitmap, with its new value."""
        self._data[chunk >> 3] |= 1 << (chunk & 7)
        return chunk >> 3, bytes((self._data[chunk >> 3],))

    def missing(self) -> list[tuple[int, int]]:
        """Give the runs of chunks that are not there, each as first and behind the last."""
        runs: list[tuple[int, int]] = []
        first: int | None = None
        for chunk in range(self.count):
            if chunk in self:
                if first is not None:
                    runs.append((first, chunk))
                    first = None
            elif first is None:
                first = chunk
        if first is not None:
            runs.append((first, self.count))
        return runs

    def bytes_there(self) -> int:
        """Give the bytes that the set bits stand for; the last chunk may be a short one."""
        there = sum(byte.bit_count() for byte in self._data) * CHUNK
        if self.count and self.count - 1 in self:
            there -= self.count * CHUNK - self.size
        return there

    def copy(self) -> "Bits":
        """Give another one with the same bits."""
        return Bits(self.size, bytes(self._data))

    def data(self) -> bytes:
        """Give it as it stands in the file."""
        return bytes(self._data)


def chunk_count(size: int) -> int:
    """Give how many MiB a file has, the last one perhaps a short one."""
    return -(-size // CHUNK)


def bitmap_bytes(size: int) -> int:
    """Give how many bytes a bitmap takes."""
    return -(-chunk_count(size) // 8)


def durable_at(size: int) -> int:
    """Give where the second bitmap begins."""
    return _PAGE + _pages(bitmap_bytes(size))


def map_length(size: int) -> int:
    """Give how long the whole map is."""
    return durable_at(size) + _pages(bitmap_bytes(size))


def encode_header(header: MapHeader) -> bytes:
    """Give the header's page; written in one call, so that it is there or is not."""
    line = msgspec.json.encode(header)
    return (b"%08x " % zlib.crc32(line) + line + b"\n").ljust(_PAGE, b"\0")


def decode_header(page: bytes) -> MapHeader | None:
    """Read a header; None where it is none, or only a piece of one."""
    checksum, _, rest = page.partition(b"\n")[0].partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(rest):
            return None
        header = msgspec.json.decode(rest, type=MapHeader)
    except (ValueError, msgspec.DecodeError):
        return None
    return header if header.size >= 0 and header.version == VERSION else None


def read_map(handle: int) -> MapHeader | None:
    """Read the header of an open map; None where it is not one or not as long as it should be."""
    header = decode_header(os.pread(handle, _PAGE, 0))
    if header is None or os.fstat(handle).st_size != map_length(header.size):
        return None
    return header


def read_bits(handle: int, header: MapHeader, boot_id: str) -> Bits:
    """Give what is there of a part: by the first bitmap, after a reboot by the second."""
    same = bool(boot_id) and header.boot_id == boot_id
    at = WRITTEN_AT if same else durable_at(header.size)
    return Bits(header.size, os.pread(handle, bitmap_bytes(header.size), at))


def write_map(handle: int, header: MapHeader, there: Bits) -> None:
    """Write a whole map anew, `there` being what the disk itself has.

    The header comes last, and without it the rest means nothing.
    """
    os.ftruncate(handle, 0)
    for at in (WRITTEN_AT, durable_at(header.size)):
        os.pwrite(handle, there.data().ljust(_pages(bitmap_bytes(header.size)), b"\0"), at)
    os.pwrite(handle, encode_header(header), 0)


def this_boot() -> str:
    """Give the id of this boot of the kernel; empty where it cannot be told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _pages(length: int) -> int:
    return -(-length // _PAGE) * _PAGE
