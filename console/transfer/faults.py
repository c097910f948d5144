"""What can go wrong with a fetch on this side: the disk, the folder, another process, the bytes."""

import errno
import os
from pathlib import Path

from console.errors import ConsoleError, InterruptedByUser
from console.units import format_bytes

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ENXIO)


class TransferFault(ConsoleError):  # noqa: N818 -- as the faults of services and of the hub
    """A fetch ended; what was fetched stays, and the next attempt goes on with it.

    Its code is one of `transfer.disk-full`, `.read-only`, `.not-allowed`, `.folder-gone`,
    `.too-large`, `.disk-error`, `.mismatch`, `.in-use`, `.gave-up`, `.exists`.
    """


class Stopped(InterruptedByUser):
    """A fetch was stopped because somebody asked.

    Attributes:
        how: `pause` (what was fetched stays) or `cancel` (it is removed).
    """

    def __init__(self, how: str) -> None:
        title = "paused; what was fetched stays" if how == "pause" else "cancelled"
        super().__init__("transfer.stopped", title)
        self.how = how


def disk_fault(error: OSError, path: Path, missing: int | None = None) -> TransferFault:
    """Put into words what the file system said.

    Args:
        error: of a call on the file or its folder.
        path: the file's final name.
        missing: bytes that are still to be written, where that is known.
    """
    folder, words = path.parent, error.strerror or str(error)
    if error.errno in _FULL:
        return full(path, missing, free_bytes(folder))
    if error.errno == errno.EROFS:
        return TransferFault(
            "transfer.read-only",
            f"{folder} is read-only",
            "Mount it for writing, or choose another folder with --to",
        )
    if error.errno in _FORBIDDEN:
        return TransferFault(
            "transfer.not-allowed",
            f"{folder} may not be written to: {words}",
            "Give this user the right to write there, or choose another folder with --to",
        )
    if error.errno == errno.EEXIST:
        return gone(folder, "something that is no folder has its name")
    if error.errno in _GONE:
        return gone(folder, words)
    if error.errno == errno.EFBIG:
        return TransferFault(
            "transfer.too-large",
            f"the file system of {folder} holds no file as large as {path.name}",
            "FAT32 ends at 4 GiB: choose a folder on another file system with --to",
        )
    return TransferFault(
        "transfer.disk-error",
        f"{folder} failed while {path.name} was written: {words}",
        "Look at the kernel's log for that disk; the next attempt goes on where this one stopped",
    )


def full(path: Path, missing: int | None, free: int | None) -> TransferFault:
    """Say that the disk is full, with the numbers that are known."""
    numbers = []
    if missing is not None:
        numbers.append(f"{format_bytes(missing)} to go")
    if free is not None:
        numbers.append(f"{format_bytes(free)} free")
    told = f": {', '.join(numbers)}" if numbers else ""
    return TransferFault(
        "transfer.disk-full",
        f"no room for {path.name} in {path.parent}{told}",
        "Make room; what was fetched stays, and the next attempt goes on with it",
    )


def gone(folder: Path, words: str = "") -> TransferFault:
    """Say that the folder, or what was fetched into it, went away."""
    return TransferFault(
        "transfer.folder-gone",
        f"{folder} went away" + (f": {words}" if words else ""),
        "Mount it again or put it back; then the next attempt goes on with what is there",
    )


def in_use(path: Path, pid: int | None) -> TransferFault:
    """Say that another process fetches the same file."""
    who = f"process {pid}" if pid else "another process"
    return TransferFault(
        "transfer.in-use",
        f"{path.name} is being fetched by {who}",
        "See it with: gpuconsole jobs",
    )


def exists(path: Path) -> TransferFault:
    """Say that another file has the final name already."""
    return TransferFault(
        "transfer.exists",
        f"another file is at {path}",
        "Nothing was overwritten: move it away, and try again",
    )


def mismatch(path: Path, expected: str, found: str, kept: Path | None) -> TransferFault:
    """Say that what came, twice, is not what was promised."""
    where = f"; the last one is kept as {kept}" if kept else ""
    return TransferFault(
        "transfer.mismatch",
        f"what came for {path.name} is not what was promised, twice: {found}, expected {expected}",
        f"Nothing was placed{where}. Something between here and the hub changes bytes: "
        "a proxy, a mirror, or this machine's memory or disk",
    )


def gave_up(path: Path, why: str) -> TransferFault:
    """Say that nothing comes any more."""
    return TransferFault(
        "transfer.gave-up",
        f"{path.name}: {why}",
        "What was fetched stays; go on with: gpuconsole jobs resume",
    )


def free_bytes(folder: Path) -> int | None:
    """Give what an ordinary user may still write in a folder; None where it cannot be told."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return None
    return facts.f_bavail * facts.f_frsize
