"""Hashes of files: of one that is there, and of one while it is being fetched."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

_PIECE = 1024 * 1024


class Digest:
    """The hashes of one file, fed from its first byte to its last."""

    def __init__(self, size: int, *, git: bool = False) -> None:
        self._sha256 = hashlib.sha256()
        # SHA-1 is how git names a file's bytes, not a protection.
        self._git = hashlib.sha1(usedforsecurity=False) if git else None
        if self._git is not None:
            self._git.update(b"blob %d\0" % size)

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(data)
        if self._git is not None:
            self._git.update(data)

    @property
    def sha256(self) -> str:
        """Give the hash so far, in hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def git_oid(self) -> str:
        """Give git's id of the file; empty where it was not asked for."""
        return "" if self._git is None else self._git.hexdigest()


class HashThread:
    """Hashes a file behind those who write it, while its bytes are still in memory.

    Attributes:
        done: bytes hashed so far; only the thread changes it.
        error: what reading met; None while all is well.
        ended: set at the last byte, at an error, or when it was closed.
    """

    def __init__(self, handle: int, size: int, *, git: bool, ended: Callable[[], None]) -> None:
        self._handle = handle
        self._size = size
        self._ready = 0
        self._closed = False
        self._turn = threading.Condition()
        self._tell = ended
        self.digest = Digest(size, git=git)
        self.done = 0
        self.error: OSError | None = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="transfer-hash", daemon=True)
        self._thread.start()

    def advance(self, ready: int) -> None:
        """Say that all bytes before `ready` are written."""
        with self._turn:
            if ready > self._ready:
                self._ready = ready
                self._turn.notify()

    def close(self) -> None:
        """End it, at the next piece."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._thread.join()

    def _run(self) -> None:
        buffer = memoryview(bytearray(min(_PIECE, max(self._size, 1))))
        try:
            while self.done < self._size:
                with self._turn:
                    while self._ready <= self.done and not self._closed:
                        self._turn.wait()
                    if self._closed:
                        return
                    stop = min(self._ready, self.done + len(buffer))
                self._take(buffer[: stop - self.done])
        except OSError as error:
            self.error = error
        finally:
            self.ended.set()
            self._tell()

    def _take(self, buffer: memoryview) -> None:
        count = os.preadv(self._handle, [buffer], self.done)
        if count == 0:
            raise OSError(5, "the part became shorter while it was read")
        self.digest.update(buffer[:count])
        self.done += count


def sha256_of(
    path: Path,
    *,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], str] | None = None,
) -> str:
    """Give the sha256 of a file's bytes in hexadecimal.

    Args:
        path: of the file.
        report: is told bytes read and the size, at most every 16 MiB.
        stop: asked as often; anything but an empty text ends it.

    Raises:
        Stopped: `stop` said so.
        OSError: it cannot be read.
    """
    return digest_of(path, report=report, stop=stop).sha256


def git_blob_oid(path: Path) -> str:
    """Give the id under which git keeps a file's bytes: sha1 with a header in front.

    Raises:
        OSError: it cannot be read.
    """
    return digest_of(path, git=True).git_oid


def digest_of(
    path: Path,
    *,
    git: bool = False,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], str] | None = None,
) -> Digest:
    """Give the hashes of a file's bytes, with git's where `git`; else as `sha256_of`."""
    from console.transfer.faults import Stopped

    buffer = memoryview(bytearray(_PIECE))
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        digest, done = Digest(size, git=git), 0
        while count := os.readv(handle, [buffer]):
            digest.update(buffer[:count])
            done += count
            if done % (16 * _PIECE) < count:
                if report is not None:
                    report(done, size)
                if stop is not None and (how := stop()):
                    raise Stopped(how)
    finally:
        os.close(handle)
    return digest
