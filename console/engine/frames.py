"""From the bytes of a log's answer to the messages in it, whatever way the network cut them."""

import re
import struct
from typing import NamedTuple

CONTINUED = 0x80
"""Added to a piece's stream where it goes on with the message of the piece before it."""

STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ")

Piece = tuple[int, bytes]
"""Stream (1 stdout, 2 stderr; maybe with CONTINUED) and bytes; one message, or a part of one."""

_LONGEST_STAMP = 36
_MESSAGE = 16_384
_SHORT = 32_768
_LARGEST_FRAME = 1 << 20
_HEADER = struct.Struct(">LL")
_STREAMS = {0: 1, 1 << 24: 1, 2 << 24: 2, 3 << 24: 3}
_ENGINE = 3


class Batch(NamedTuple):
    """What came at once: pieces, and whether each is one short message ended by a line feed."""

    pieces: list[Piece]
    plain: bool


class Chunked:
    """Takes HTTP's chunks apart; `over` after the last, without which an answer is cut off."""

    def __init__(self) -> None:
        self.over = False
        self.bounded = True
        self._rest = b""
        self._left = 0
        self._body_ended = False

    def feed(self, data: bytes) -> bytes:
        """Give the content in the next bytes of the connection.

        Raises:
            ValueError: these are no chunks.
        """
        if self._rest:
            data = self._rest + data
        content = []
        at, size, left = 0, len(data), self._left
        find = data.find
        while not self.over:
            if left:
                end = at + left
                content.append(data[at:end])
                if end > size:
                    left, at = end - size, size
                    break
                at, left, self._body_ended = end, 0, True
            begin = at + 2 if self._body_ended else at
            end = find(b"\r\n", begin)
            if end < 0:
                if size - begin > _LONGEST_STAMP * 100:
                    raise ValueError("a chunk without a size")
                break
            left = int(data[begin:end].partition(b";")[0], 16)
            at, self._body_ended = end + 2, False
            self.over = not left
        self._rest, self._left = data[at:], left
        return b"".join(content)


class Sized:
    """Takes as much as an answer said it has; what says nothing (None) goes on until it ends."""

    def __init__(self, length: int | None) -> None:
        self.bounded = length is not None
        self._left = length or 0

    @property
    def over(self) -> bool:
        """Tell whether all of it came."""
        return self.bounded and self._left <= 0

    def feed(self, data: bytes) -> bytes:
        """Give the content in the next bytes of the connection."""
        if not self.bounded:
            return data
        content = data[: self._left]
        self._left -= len(content)
        return content


class Frames:
    """Takes apart the frames of a container without a terminal: stream, length, message.

    What does not begin with a frame is taken for a terminal's raw bytes. `problems` collects what
    the engine itself says in between.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._torn = 0
        self._rest = b""
        self._long: tuple[int, int] = (0, 0)
        self._raw: Raw | None = None

    @property
    def torn(self) -> int:
        """Give how many bytes of a message were given whose rest has not come yet."""
        if self._raw is not None:
            return self._raw.torn
        return self._torn if self._long[1] else 0

    def feed(self, data: bytes) -> Batch:
        """Give the messages that are complete now."""
        if self._raw is not None:
            return self._raw.feed(data)
        if self._rest:
            data = self._rest + data
        pieces: list[Piece] = []
        at, size, plain = 0, len(data), True
        stream, left = self._long
        if left:
            pieces.append((stream | CONTINUED, data[:left]))
            at, plain = min(left, size), False
            self._long = (stream, left - at)
            self._torn += at
        unpack, streams = _HEADER.unpack_from, _STREAMS
        while at + 8 <= size:
            word, length = unpack(data, at)
            kind = streams.get(word)
            if kind is None:
                return self._go_raw(pieces, data[at:])
            end = at + 8 + length
            if end > size:
                if length > _LARGEST_FRAME and size - at >= _LARGEST_FRAME:
                    pieces.append((kind, data[at + 8 :]))
                    self._long = (kind, end - size)
                    self._torn = size - at - 8
                    plain, at = False, size
                break
            message = data[at + 8 : end]
            at = end
            if kind == _ENGINE:
                self.problems.append(message.decode("utf-8", "replace"))
                continue
            pieces.append((kind, message))
            if length > _SHORT or message[-1:] != b"\n":
                plain = False
        self._rest = data[at:]
        return Batch(pieces, plain)

    def finish(self) -> Batch:
        """Give what is left at the end of an answer."""
        rest, self._rest = self._rest, b""
        if self._raw is not None:
            return self._raw.finish()
        if rest and not self._long[1] and _STREAMS.get(int.from_bytes(rest[:4], "big")) is None:
            return Batch([(1, rest)], plain=False)
        return Batch([(self._long[0] or 1, rest[8:])] if len(rest) > 8 else [], plain=False)

    def _go_raw(self, pieces: list[Piece], rest: bytes) -> Batch:
        self._raw, self._rest = Raw(), b""
        return Batch(pieces + self._raw.feed(rest).pieces, plain=False)


class Raw:
    """Finds the messages in a terminal's raw bytes, which have no frames around them.

    The engine keeps a long line in messages of 16 KiB and puts the time in front of each, so in
    the middle of the line too.
    """

    problems: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self._torn = 0

    @property
    def torn(self) -> int:
        """Give how many bytes of a message were given whose rest has not come yet."""
        return self._torn if self._left else 0

    def feed(self, data: bytes) -> Batch:
        """Give the messages, the last one as far as it came."""
        if self._rest:
            data = self._rest + data
        pieces: list[Piece] = []
        at, size, left, plain = 0, len(data), self._left, True
        find = data.find
        while at < size:
            stream, body = 1, at
            if left:
                stream, plain = 1 | CONTINUED, False
            else:
                if size - at < _LONGEST_STAMP and find(b"\n", at) < 0:
                    break
                found = STAMP.match(data, at)
                body = found.end() if found else at
                left = _MESSAGE
                self._torn = 0
            end = find(b"\n", body, body + left) + 1
            if end:
                left = 0
            else:
                end = min(body + left, size)
                left -= end - body
                plain = False
            pieces.append((stream, data[at:end]))
            self._torn += end - at
            at = end
        self._rest, self._left = data[at:], left
        return Batch(pieces, plain)

    def finish(self) -> Batch:
        """Give what is left at the end of an answer."""
        rest, self._rest = self._rest, b""
        return Batch([(1, rest)] if rest else [], plain=False)
