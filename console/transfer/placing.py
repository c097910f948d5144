"""The end of a fetch: its final name, which no other file has, or quarantine."""

import contextlib
import errno
import os
from pathlib import Path

from console.transfer.faults import exists
from console.transfer.part import bad_name, find_bad
from console.transfer.part_file import confirm

_NO_REPLACE = 1
_AT_FDCWD = -100
_NOT_THERE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.ENOTTY)


def place(part: Path, handle: int, final: Path) -> None:
    """Give a checked body its final name; on return both are on the disk.

    Args:
        part: the body's name now.
        handle: the open body.
        final: the name it gets.

    Raises:
        TransferFault: another file has that name (`transfer.exists`).
        OSError: the disk did not take it.
    """
    confirm(handle)
    if _same(part, final):
        part.unlink()
    else:
        try:
            rename_new(part, final)
        except FileExistsError:
            raise exists(final) from None
    sync_folder(final.parent)


def quarantine(part: Path, final: Path, sha256: str) -> Path | None:
    """Put a body aside that is not what was promised; an older one of the same file goes.

    Returns:
        Where it is; None where it had to be removed instead, because the disk has no room for it
        beside the next attempt.
    """
    aside = final.with_name(bad_name(final.name, sha256))
    facts = part.stat()
    for old in find_bad(final.parent):
        if old.name[:-8] == aside.name[:-8]:
            old.unlink(missing_ok=True)
    room = os.statvfs(final.parent)
    if room.f_bavail * room.f_frsize < facts.st_size:
        part.unlink()
        return None
    part.rename(aside)
    return aside


def rename_new(source: Path, target: Path) -> None:
    """Rename a file to a name that nothing has.

    Raises:
        FileExistsError: something has it.
        OSError: it cannot be done.
    """
    code = _rename_no_replace(source, target)
    if code == 0:
        return
    if code not in _NOT_THERE:
        raise OSError(code, os.strerror(code), str(target))
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        # No hard links there (FAT, some network mounts): looking first is all one can do.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
    else:
        source.unlink()


def sync_folder(folder: Path) -> None:
    """Make a rename last; file systems that cannot sync a folder are left at that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _rename_no_replace(source: Path, target: Path) -> int:
    """Ask the kernel for both in one step; 0 where it was done, else an errno."""
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return errno.ENOSYS
    done: int = rename(
        _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), ctypes.c_uint(_NO_REPLACE)
    )
    return 0 if done == 0 else ctypes.get_errno()


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False
