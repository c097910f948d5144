"""A part while it is fetched: its body and its map, open and locked by this process alone."""

import contextlib
import errno
import os
import threading
from pathlib import Path

from console.transfer import part as parts
from console.transfer.faults import exists, gone, in_use
from console.transfer.meddling import Meddling
from console.transfer.part_map import (
    CHUNK,
    WRITTEN_AT,
    Bits,
    MapHeader,
    bitmap_bytes,
    durable_at,
    encode_header,
    read_bits,
    read_map,
    this_boot,
    write_map,
)
from console.transfer.wanted import Wanted

_LONGEST_ORIGIN = 1000
_ZEROS = bytes(CHUNK)


class PartFile:
    """An open part; writing and marking are safe from several threads.

    Attributes:
        wanted: the file it becomes.
        handle: of the body, for `os.pread`.
        there: which MiB are there.
        resumed_from: bytes that an earlier attempt had fetched.
        meddling: whether somebody else writes to the body.
    """

    def __init__(self, wanted: Wanted, boot_id: str = "") -> None:
        """Open the part of a file, or begin one.

        Raises:
            TransferFault: `transfer.in-use`, or `transfer.exists` where a file has the final name.
            OSError: it cannot be made.
        """
        self.wanted = wanted
        folder, name = wanted.path.parent, wanted.path.name
        self.path = folder / parts.part_name(name)
        self.map = folder / parts.map_name(name)
        self._guard = threading.Lock()
        self._open = True
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(wanted.path) and not _is_same(wanted.path, self.path):
            raise exists(wanted.path)
        self._map_handle = _locked(self.map, wanted.path)
        try:
            self.handle = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644
            )
        except OSError:
            os.close(self._map_handle)
            raise
        self.meddling = Meddling(self.path)
        try:
            self.there, self._durable = self._begin(boot_id or this_boot())
        except BaseException:
            self.close()
            raise
        self.resumed_from = self.there.bytes_there()

    def write(self, data: bytes | memoryview, at: int) -> None:
        """Write bytes at their place; zeros where nothing was written yet stay a hole.

        Raises:
            TransferFault: somebody changed the body's length (`transfer.folder-gone`).
            OSError: no space, or worse.
        """
        if not self._open:
            return
        self.check_length()
        # Comparing memoryviews costs a hundred times what comparing bytes does.
        zeros = data[0] == 0 and _ZEROS.startswith(bytes(data))
        if zeros and _is_hole(self.handle, at, len(data)):
            return
        view = memoryview(data)
        while view:
            count = os.pwrite(self.handle, view, at)
            view, at = view[count:], at + count

    def mark(self, chunk: int) -> None:
        """Note that a MiB was written."""
        with self._guard:
            if self._open:
                at, value = self.there.add(chunk)
                os.pwrite(self._map_handle, value, WRITTEN_AT + at)

    def settle(self) -> None:
        """Have the disk confirm what was written so far, and note that: it survives a reboot.

        Raises:
            OSError: the disk did not take it; what it had confirmed before is all that counts.
        """
        with self._guard:
            before = self.there.copy()
        if before.data() == self._durable:
            return
        try:
            confirm(self.handle)
        except OSError:
            # The kernel drops what it could not write, so that reading it again gives other bytes.
            self._forget_unconfirmed()
            raise
        os.pwrite(self._map_handle, before.data(), durable_at(before.size))
        confirm(self._map_handle)
        self._durable = before.data()

    def still_there(self) -> bool:
        """Tell whether body and folder are still where they were opened."""
        try:
            here = self.path.lstat()
        except OSError:
            return False
        mine = os.fstat(self.handle)
        return (here.st_dev, here.st_ino) == (mine.st_dev, mine.st_ino)

    def check_length(self) -> None:
        """See that nobody cut the body, which has its full length from the start.

        Raises:
            TransferFault: somebody did; the next attempt begins anew.
        """
        if os.fstat(self.handle).st_size != self.wanted.size:
            raise gone(self.wanted.path.parent, "somebody changed the part's length")

    def disk_bytes(self) -> int:
        """Give what the body takes on the disk so far."""
        return os.fstat(self.handle).st_blocks * 512

    def remove(self) -> None:
        """Remove body and map, as far as they are still there."""
        for path in (self.path, self.map):
            with contextlib.suppress(OSError):
                path.unlink()

    def close(self, *, in_use: bool = False) -> None:
        """Close both, which frees the lock; nothing is written afterwards.

        Args:
            in_use: a thread may still be inside a call on the body, which then stays open, because
                its number could come to mean another file.
        """
        with self._guard:
            if not self._open:
                return
            self._open = False
        self.meddling.close()
        os.close(self._map_handle)
        if not in_use:
            os.close(self.handle)

    def _begin(self, boot_id: str) -> tuple[Bits, bytes]:
        """Find what is there of the wanted file, else begin anew; give it, and what is durable."""
        wanted, body = self.wanted, os.fstat(self.handle)
        known = read_map(self._map_handle)
        header = MapHeader(
            origin=wanted.origin[:_LONGEST_ORIGIN],
            size=wanted.size,
            sha256=wanted.sha256,
            git_oid=wanted.git_oid,
            name=parts.header_name(wanted.path.name),
            boot_id=boot_id,
            pid=os.getpid(),
        )
        if known is None or not _goes_on(known, header) or body.st_size != wanted.size:
            # The map goes first: an old one must never speak of a new body.
            os.ftruncate(self._map_handle, 0)
            os.ftruncate(self.handle, 0)
            os.ftruncate(self.handle, wanted.size)
            write_map(self._map_handle, header, Bits(wanted.size))
            return Bits(wanted.size), Bits(wanted.size).data()
        there = read_bits(self._map_handle, known, boot_id)
        if known.boot_id != boot_id:
            write_map(self._map_handle, header, there)
            return there, there.data()
        os.pwrite(self._map_handle, encode_header(header), 0)
        durable = os.pread(self._map_handle, bitmap_bytes(wanted.size), durable_at(wanted.size))
        return there, durable

    def _forget_unconfirmed(self) -> None:
        with self._guard, contextlib.suppress(OSError):
            self.there = Bits(self.wanted.size, self._durable)
            os.pwrite(self._map_handle, self._durable, WRITTEN_AT)


def confirm(handle: int) -> None:
    """Wait until the disk has what was written; a file system that cannot say so is believed.

    Raises:
        OSError: the disk did not take it.
    """
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in parts.NOT_SUPPORTED:
            raise


def _goes_on(known: MapHeader, now: MapHeader) -> bool:
    """Tell whether a part is of the very bytes that are wanted now."""
    if (known.name, known.size) != (now.name, now.size):
        return False
    if now.sha256 or known.sha256:
        return known.sha256 == now.sha256
    return (known.git_oid, known.origin) == (now.git_oid, now.origin)


def _locked(path: Path, final: Path) -> int:
    """Open and lock a map that is still in its place."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        if not parts.lock(handle):
            header = read_map(handle)
            os.close(handle)
            raise in_use(final, header.pid if header else None)
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


def _is_hole(handle: int, at: int, length: int) -> bool:
    """Tell whether nothing was ever written at a place; where that cannot be told, it was."""
    try:
        return os.lseek(handle, at, os.SEEK_DATA) >= at + length
    except OSError as error:
        return error.errno == errno.ENXIO  # no data from here to the end
