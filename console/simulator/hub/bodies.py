"""What lies in a repository: bytes at hand, on disk, made up, or a header with nothing after it."""

import hashlib
import random
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol

LONGEST_PIECE = 1 << 20
"""No more than this is asked of a body at once."""

_PERIOD = (4 << 20) - 4099
"""How soon noise repeats; a multiple of nothing that a transfer counts in."""

_ZEROS = memoryview(bytes(LONGEST_PIECE))


class Body(Protocol):
    """Some bytes of a known length.

    Attributes:
        path: the file that has them, to be sent from there; None where they are only made.
    """

    @property
    def path(self) -> Path | None:
        """The file that has them, if one does."""
        ...

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    @property
    def sha256(self) -> str:
        """Hex digest; worked out when it is asked for first."""
        ...

    def piece(self, start: int, stop: int) -> memoryview:
        """Give at most `LONGEST_PIECE` bytes from `start` up to, not with, `stop`."""
        ...


def digest_of(size: int, piece: Callable[[int, int], memoryview], name: str, first: bytes) -> str:
    """Give a digest by its name over `first` and then all pieces."""
    digest = hashlib.new(name, first, usedforsecurity=False)
    for start in range(0, size, LONGEST_PIECE):
        digest.update(piece(start, min(size, start + LONGEST_PIECE)))
    return digest.hexdigest()


def git_oid(body: Body) -> str:
    """Give the sha1 that git has for a blob of these bytes."""
    return digest_of(body.size, body.piece, "sha1", b"blob %d\0" % body.size)


class Held:
    """Bytes at hand."""

    path = None

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    @cached_property
    def sha256(self) -> str:
        """Hex digest."""
        return hashlib.sha256(self._content).hexdigest()

    def piece(self, start: int, stop: int) -> memoryview:
        """Give a stretch of it."""
        return memoryview(self._content)[start:stop]


class OnDisk:
    """A file; it must not change while it is served."""

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self._file = path
        self.size = path.stat().st_size

    @cached_property
    def sha256(self) -> str:
        """Hex digest, read from the disk."""
        return digest_of(self.size, self.piece, "sha256", b"")

    def piece(self, start: int, stop: int) -> memoryview:
        """Give a stretch of it."""
        with self._file.open("rb") as file:
            file.seek(start)
            return memoryview(file.read(stop - start))


class Noise:
    """Bytes that look like weights: the same for the same seed, no stretch of them like the next.

    They repeat after some four million, and at no power of two: a MiB that lands in a wrong place
    is noticed.
    """

    path = None

    def __init__(self, size: int, seed: int = 0, sha256: str = "") -> None:
        self.size = size
        self._known = sha256
        block = random.Random(seed).randbytes(min(_PERIOD, max(1, size)))  # noqa: S311
        self._block = memoryview(block + block[:LONGEST_PIECE])
        self._period = len(block)
        self._hashing = threading.Lock()

    @property
    def sha256(self) -> str:
        """Hex digest; the first to ask waits for it."""
        with self._hashing:
            if not self._known:
                self._known = digest_of(self.size, self.piece, "sha256", b"")
            return self._known

    def piece(self, start: int, stop: int) -> memoryview:
        """Give a stretch of it."""
        begin = start % self._period
        return self._block[begin : begin + min(stop - start, LONGEST_PIECE)]


class Hollow:
    """A header and then zeros up to the full length: a model without its weights.

    `header` may be told later, by a function that is called when it is asked for first.
    """

    path = None

    def __init__(self, header: bytes | Callable[[], bytes], size: int, sha256: str = "") -> None:
        self._told = header
        self.size = size
        self._known = sha256

    @cached_property
    def header(self) -> bytes:
        """The bytes that it begins with."""
        return self._told if isinstance(self._told, bytes) else self._told()

    @property
    def sha256(self) -> str:
        """Hex digest, as it was told or else worked out."""
        if not self._known:
            self._known = digest_of(self.size, self.piece, "sha256", b"")
        return self._known

    def piece(self, start: int, stop: int) -> memoryview:
        """Give a stretch of it."""
        stop = min(stop, start + LONGEST_PIECE, self.size)
        own = self.header[start:stop]
        if not own:
            return _ZEROS[: stop - start]
        return memoryview(own + bytes(stop - start - len(own)))


class Bent:
    """Another body with one byte changed, as a new version of a file has it."""

    path = None

    def __init__(self, body: Body, at: int) -> None:
        self._body = body
        self._at = at
        self.size = body.size

    @cached_property
    def sha256(self) -> str:
        """Hex digest."""
        return digest_of(self.size, self.piece, "sha256", b"")

    def piece(self, start: int, stop: int) -> memoryview:
        """Give a stretch of it."""
        found = self._body.piece(start, stop)
        return flipped(found, self._at - start) if start <= self._at < stop else found


def flipped(piece: memoryview, at: int) -> memoryview:
    """Give a piece with every bit of one byte turned round."""
    bent = bytearray(piece)
    bent[at] ^= 0xFF
    return memoryview(bent)
