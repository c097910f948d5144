"""Log files on disk, read in bounded memory: whole where they are small, else both their ends."""

import errno
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEAD = 2 << 20
_TAIL = 30 << 20
_LONGEST_LINE = 16 << 10
_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"


class LogText(NamedTuple):
    """A log as far as it was read.

    Attributes:
        data: of it; where something was left out, its beginning and its end.
        size: of the whole in bytes, unpacked; as far as it was read where it comes from a pipe.
        left_out: bytes between beginning and end that were not read.
    """

    data: bytes
    size: int
    left_out: int


def read_log(path: Path) -> LogText:
    """Give a log file, unpacked where it is gzip's.

    Raises:
        OSError: missing, unreadable, a directory (`EISDIR`), or no file at all (`EINVAL`): a pipe
            by name could keep its reader waiting for ever.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as file:
        kind = os.fstat(file.fileno())
        if stat.S_ISDIR(kind.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if file.read(2) == _GZIP:
            file.seek(0)
            return _gathered(_unpacked(file))
        file.seek(0)
        if kind.st_size <= _HEAD + _TAIL:
            data = file.read(_HEAD + _TAIL)
            return LogText(data, len(data), 0)
        head = file.read(_HEAD)
        file.seek(kind.st_size - _TAIL)
        tail = file.read(_TAIL)
        return LogText(
            head + b"\n" + tail, kind.st_size, max(kind.st_size - len(head) - len(tail), 0)
        )


def read_stream(stream: BinaryIO) -> LogText:
    """Give what a stream holds until its end, such as stdin; its middle is dropped as it comes."""
    return _gathered(iter(lambda: stream.read(_PIECE), b""))


def _gathered(pieces: Iterable[bytes]) -> LogText:
    head = bytearray()
    tail: list[bytes] = []
    size = kept = 0
    for piece in pieces:
        size += len(piece)
        rest = piece
        if len(head) < _HEAD:
            room = _HEAD - len(head)
            head += rest[:room]
            rest = rest[room:]
        if rest:
            tail.append(rest)
            kept += len(rest)
        while kept - len(tail[0] if tail else b"") >= _TAIL:
            kept -= len(tail.pop(0))
    left_out = size - len(head) - kept
    return LogText(bytes(head) + (b"\n" if left_out else b"") + b"".join(tail), size, left_out)


def lines_in(log: LogText) -> Iterator[str]:
    """Give the lines of a log; bytes that are no UTF-8 are replaced, endless lines cut in pieces.

    A carriage return ends a line too: progress bars write with it.
    """
    raws = log.data.replace(b"\r", b"\n").split(b"\n")
    if raws and not raws[-1]:
        del raws[-1]
    for raw in raws:
        for begin in range(0, max(len(raw), 1), _LONGEST_LINE):
            yield raw[begin : begin + _LONGEST_LINE].decode("utf-8", "replace")


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """Give the unpacked content in pieces; what is damaged or cut off ends it there."""
    while packed := file.read(1):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            while packed and not unpacker.eof:
                yield unpacker.decompress(packed, _PIECE)
                packed = unpacker.unconsumed_tail or file.read(_PIECE)
        except zlib.error:
            return
        # Rotated logs may be several packed ones, one after another.
        file.seek(file.tell() - len(unpacker.unused_data) - len(unpacker.unconsumed_tail))
