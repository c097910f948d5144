"""Log files on disk, read in bounded memory: whole where they are small, else both their ends."""

import errno
import os
import select
import stat
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEAD = 2 << 20
_TAIL = 30 << 20
_HEAD_LINES = 20_000
_TAIL_LINES = 100_000
_LONGEST_LINE = 16 << 10
_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8 = b"\xef\xbb\xbf"
STREAM_SECONDS = 60.0
"""How long a stream is read that does not end."""
IDLE_SECONDS = 10.0
"""How long a stream may be silent once something came."""


class LogText(NamedTuple):
    """A log as far as it was read.

    Attributes:
        data: of it; where something was left out, its beginning and its end.
        size: of the whole in bytes, unpacked; as far as it was read where it comes from a pipe.
        left_out: bytes between beginning and end that were not read.
        cut: it is a stream that had not ended when the time for it was up.
    """

    data: bytes
    size: int
    left_out: int
    cut: bool = False


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
            return _shortened(LogText(data, len(data), 0))
        head = file.read(_HEAD)
        file.seek(kind.st_size - _TAIL)
        tail = file.read(_TAIL)
        left_out = max(kind.st_size - len(head) - len(tail), 0)
        return _shortened(LogText(head + b"\n" + tail, kind.st_size, left_out))


def read_stream(
    stream: BinaryIO, seconds: float = STREAM_SECONDS, idle: float = IDLE_SECONDS
) -> LogText:
    """Give what a stream holds, such as stdin; its middle is dropped as it comes.

    Args:
        stream: one with a file descriptor is read until its end, for at most `seconds`, or until
            it is silent for `idle`: `docker logs --follow` never ends. Any other to its end.
        seconds: see above.
        idle: see above.
    """
    try:
        handle = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return _gathered(iter(lambda: stream.read(_PIECE), b""))
    pieces = _Pieces(handle, seconds, idle)
    return _gathered(pieces)._replace(cut=pieces.cut)


class _Pieces:
    """What comes from a file descriptor, piece by piece, while there is time.

    Attributes:
        cut: it had not ended when the time was up.
    """

    def __init__(self, handle: int, seconds: float, idle: float) -> None:
        self._handle = handle
        self._seconds = seconds
        self._idle = idle
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        ends = time.monotonic() + self._seconds
        silent = self._seconds
        while True:
            left = ends - time.monotonic()
            ready = left > 0 and select.select([self._handle], [], [], min(left, silent))[0]
            silent = self._idle
            if not ready:
                self.cut = True
                return
            piece = os.read(self._handle, _PIECE)
            if not piece:
                return
            yield piece


def _shortened(log: LogText) -> LogText:
    """Give it as UTF-8; the middle of what has too many lines for a few seconds is left out."""
    data = log.data
    if data.startswith(_UTF16):
        # As PowerShell writes it. Where a part is left out, its pairs of bytes may be torn apart.
        data = data.replace(b"\x00", b"")[2:]
    log = log._replace(data=data.removeprefix(_UTF8))
    if data.count(b"\n") + data.count(b"\r") <= _HEAD_LINES + _TAIL_LINES:
        return log
    data = log.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    behind = data.split(b"\n", _HEAD_LINES)[-1]
    head = data[: len(data) - len(behind)]
    before = behind.rsplit(b"\n", _TAIL_LINES + 1)[0]
    tail = behind[len(before) + 1 :] if len(before) < len(behind) else behind
    return log._replace(data=head + tail, left_out=log.size - len(head) - len(tail))


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
    data = bytes(head) + (b"\n" if left_out else b"") + b"".join(tail)
    return _shortened(LogText(data, size, left_out))


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
