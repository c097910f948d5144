"""The space of the file systems that hold the paths that matter; a dead mount holds nobody up."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from console.clock import Clock, SystemClock
from console.host.snapshot import Disk
from console.text import clean_line
from console.unknown import Unknown

PATIENCE = 1.0
"""Seconds for all disks together; one that answers does so in far less."""


class DiskReader:
    """Reads disks side by side; one that hangs is not asked again before it has come back.

    A network mount whose server is gone blocks whoever asks, for good; so each path is asked in a
    daemon thread, and all others are told in time.
    """

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._seconds = seconds
        # Real time, even where the program's clock is held.
        self._pace: Clock = SystemClock()
        self._asked: dict[Path, threading.Thread] = {}

    def read(self, disks: Sequence[tuple[str, Path]]) -> tuple[Disk, ...]:
        """Give the disks of (purpose, path), in their order."""
        found: dict[Path, Disk] = {}

        def ask(purpose: str, path: Path) -> None:
            found[path] = read_disk(purpose, path)

        for purpose, path in disks:
            if path in self._asked and self._asked[path].is_alive():
                continue
            thread = threading.Thread(target=ask, args=(purpose, path), name="disk", daemon=True)
            self._asked[path] = thread
            thread.start()
        deadline = self._pace.monotonic() + self._seconds
        for _, path in disks:
            self._asked[path].join(max(deadline - self._pace.monotonic(), 0))
        return tuple(
            _as(purpose, found[path]) if path in found else _hanging(purpose, path)
            for purpose, path in disks
        )


def read_disk(purpose: str, path: Path) -> Disk:
    """Give the space of the file system that holds `path`, or will once it exists.

    `free_bytes` is what an ordinary user may still write.
    """
    shown = clean_line(str(path), 300)
    try:
        space = os.statvfs(_nearest_existing(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        why = Unknown("host.disk-unreadable", f"{shown}: {reason}")
        return _no_space_known(shown, purpose, why)
    if space.f_blocks == 0:
        return _no_space_known(
            shown, purpose, Unknown("host.not-a-disk", f"{shown} is not on a disk")
        )
    return Disk(
        path=shown,
        purpose=purpose,
        total_bytes=space.f_blocks * space.f_frsize,
        free_bytes=space.f_bavail * space.f_frsize,
        read_only=bool(space.f_flag & os.ST_RDONLY),
    )


def _as(purpose: str, disk: Disk) -> Disk:
    """Give a disk under its purpose; two may share one path."""
    if disk.purpose == purpose:
        return disk
    return Disk(
        path=disk.path,
        purpose=purpose,
        total_bytes=disk.total_bytes,
        free_bytes=disk.free_bytes,
        read_only=disk.read_only,
    )


def _hanging(purpose: str, path: Path) -> Disk:
    shown = clean_line(str(path), 300)
    why = Unknown(
        "host.disk-hangs",
        f"{shown} does not answer",
        "a network mount whose server is gone: see `mount`, then `umount -l` it or mend the server",
    )
    return _no_space_known(shown, purpose, why)


def _no_space_known(path: str, purpose: str, why: Unknown) -> Disk:
    return Disk(path=path, purpose=purpose, total_bytes=why, free_bytes=why, read_only=why)


def _nearest_existing(path: Path) -> Path:
    """Give the path itself, or the nearest folder above it that exists."""
    for level in (path, *path.parents):
        try:
            level.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        return level
    return path
