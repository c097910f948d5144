"""Parts on disk: how they are named, what one holds, which there are, and removing them.

`.NAME.gpuconsole-part` is the body, sparse and of the full length from the start, in the folder
where the file will be; `.NAME.gpuconsole-map` says which of its MiB are there. A body that did not
have the promised hash is kept as `.NAME.gpuconsole-bad-` and eight digits of the hash it has.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from console.transfer.part_map import read_bits, read_map, this_boot

PART = ".gpuconsole-part"
MAP = ".gpuconsole-map"
BAD = ".gpuconsole-bad-"

_LONGEST_STEM = 255 - 1 - len(BAD) - 8
NOT_SUPPORTED = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOLCK)
"""What file systems answer that do not have a thing at all."""

_TRIES = 15
_PAUSE_SECONDS = 0.02


class PartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is fetched now or was not fetched to its end.

    Attributes:
        path: the final name it is for.
        part, map: the two files; the map may be missing, and then nothing of the body counts.
        done: bytes of it that the next attempt need not fetch.
        total: bytes of the whole; what the body's length says where there is no map.
        origin, sha256: as in `Wanted`; empty where there is no map.
        disk_bytes: what it takes on the disk.
        locked_by: process that fetches it now; None where nobody does.
    """

    path: Path
    part: Path
    map: Path
    done: int
    total: int
    origin: str = ""
    sha256: str = ""
    disk_bytes: int = 0
    locked_by: int | None = None


def part_name(name: str) -> str:
    """Give the name of the body that becomes `name`."""
    return _hidden(name, PART)


def map_name(name: str) -> str:
    """Give the name of the map of that body."""
    return _hidden(name, MAP)


def bad_name(name: str, sha256: str) -> str:
    """Give the name under which a body with another hash than promised is kept."""
    return _hidden(name, BAD + sha256[:8])


def is_ours(name: str) -> bool:
    """Tell whether a file's name is one of ours, which is never a model."""
    return name.startswith(".") and (name.endswith((PART, MAP)) or BAD in name)


def part_of(path: Path, boot_id: str = "") -> PartFacts | None:
    """Say what there is of a file that was not fetched to its end; None where nothing is.

    Args:
        path: the final name.
        boot_id: of the running kernel, where it is not to be read.

    Raises:
        OSError: the folder cannot be read.
    """
    part, chart = path.with_name(part_name(path.name)), path.with_name(map_name(path.name))
    try:
        body = part.lstat()
    except FileNotFoundError:
        return None
    facts = PartFacts(
        path=path,
        part=part,
        map=chart,
        done=0,
        total=body.st_size,
        disk_bytes=body.st_blocks * 512,
    )
    with _opened(chart) as handle:
        header = None if handle is None else read_map(handle)
        if handle is None or header is None:
            return facts
        held = not _free(handle)
        usable = header.size == body.st_size
        bits = read_bits(handle, header, boot_id or this_boot())
    return msgspec.structs.replace(
        facts,
        done=bits.bytes_there() if usable else 0,
        total=header.size,
        origin=header.origin,
        sha256=header.sha256,
        locked_by=header.pid if held else None,
    )


def find_parts(folder: Path, boot_id: str = "") -> tuple[PartFacts, ...]:
    """Give all parts in a folder, by name.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 -- names are all that is needed
        if name.startswith(".") and name.endswith(PART):
            facts = part_of(folder / _final_name(folder, name), boot_id)
            if facts is not None:
                found.append(facts)
    return tuple(found)


def find_bad(folder: Path) -> tuple[Path, ...]:
    """Give the quarantined bodies in a folder: what came was not what was promised."""
    names = sorted(os.listdir(folder))  # noqa: PTH208 -- names are all that is needed
    return tuple(folder / name for name in names if name.startswith(".") and BAD in name)


def remove_part(path: Path) -> int:
    """Remove what there is of a file that was not fetched to its end.

    Returns:
        Bytes of disk that became free; 0 where nothing was there.

    Raises:
        TransferFault: another process fetches it (`transfer.in-use`).
        OSError: it cannot be removed.
    """
    from console.transfer.faults import in_use

    part, chart = path.with_name(part_name(path.name)), path.with_name(map_name(path.name))
    freed = 0
    handle = None
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(chart, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if handle is not None and not lock(handle):
            header = read_map(handle)
            raise in_use(path, header.pid if header else None)
        with contextlib.suppress(FileNotFoundError):
            freed = part.lstat().st_blocks * 512
            part.unlink()
        chart.unlink(missing_ok=True)
    finally:
        if handle is not None:
            os.close(handle)
    return freed


def lock(handle: int) -> bool:
    """Lock an open map; tried for a moment, because who only looks holds it for a moment too."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            # Some network file systems have no locks, which is no reason not to fetch there.
            return error.errno in NOT_SUPPORTED
        else:
            return True
    return False


def header_name(name: str) -> str:
    """Give a name as a header can hold it; bytes that are no text are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _hidden(name: str, ending: str) -> str:
    """Put dot and ending around a name; one that would get too long is cut and told by a hash."""
    raw = os.fsencode(name)
    if len(raw) > _LONGEST_STEM:
        digest = hashlib.sha256(raw).hexdigest()[:12]
        name = raw[: _LONGEST_STEM - 13].decode("utf-8", "ignore") + "-" + digest
    return f".{name}{ending}"


def _final_name(folder: Path, part: str) -> str:
    """Give the final name of a body; where it was cut, its map knows the whole of it."""
    short = part[1 : -len(PART)]
    if len(os.fsencode(short)) < _LONGEST_STEM - 3:
        return short
    with _opened(folder / f".{short}{MAP}") as handle:
        header = None if handle is None else read_map(handle)
    whole = "" if header is None or "/" in header.name else header.name
    return whole if whole and part_name(whole) == part else short


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Open a map for a look; None where there is none that can be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True
