"""The door to small files: written aside and renamed, read with a limit and without surprises."""

import contextlib
import errno
import os
import stat
from pathlib import Path

_PIECE = 64 * 1024


def write_aside(path: Path, data: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Put `data` at `path` so that a reader sees the old file or the new one, never a part.

    The new file is written beside the target, with exactly `mode`, and renamed over it. A symlink
    at `path` stays one: the file it points to is replaced. Nothing is left behind on failure.

    Args:
        path: the final name; its directory must exist.
        data: the whole content.
        mode: permission bits of the new file.
        durable: wait until it is on the disk; off for files that a crash may lose.

    Raises:
        OSError: no space, no permission, read-only: the old file is as it was.
    """
    target = Path(os.path.realpath(path))
    aside = target.with_name(f".{target.name[:50]}.{os.getpid()}-{os.urandom(4).hex()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(aside, flags, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        aside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    if durable:
        _sync_directory(target.parent)


def read_limited(path: Path, limit: int, *, pipes: bool = False) -> bytes:
    """Give a regular file's bytes, and never hang on a pipe or swallow a giant.

    Args:
        path: of the file.
        limit: in bytes.
        pipes: a pipe will do as well, and is waited for.

    Raises:
        OSError: missing, unreadable, a directory (`EISDIR`), not a regular file (`EINVAL`), or
            larger than `limit` bytes (`EFBIG`).
    """
    # Non-blocking, because opening a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if pipes and stat.S_ISFIFO(os.fstat(handle).st_mode):
        os.close(handle)
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(kind):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not (stat.S_ISREG(kind) or (pipes and stat.S_ISFIFO(kind))):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        chunks: list[bytes] = []
        size = 0
        # In pieces: the kernel makes room for the whole request when a file of /proc/sys is read.
        while size <= limit and (chunk := file.read(min(_PIECE, limit + 1 - size))):
            chunks.append(chunk)
            size += len(chunk)
    if size > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return b"".join(chunks)


def _sync_directory(directory: Path) -> None:
    """Make a rename last; file systems that cannot sync a directory are left at that."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
