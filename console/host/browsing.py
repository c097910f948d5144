"""What a folder holds, for somebody who looks for a picture; called in a thread, mounts hang."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from console.errors import ConsoleError

PICTURE_ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
)
"""Names that promise a picture. Some of them no service reads: the preview then says so."""
MOST_ENTRIES = 20_000
"""More than this of one folder are not read."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a folder.

    Attributes:
        name: as the disk has it: any bytes, undecodable ones as surrogates. Clean it to show it.
        kind: `folder`, `file`, `special` (a device, a pipe, a socket) or `broken` (a link to
            nothing, or to what cannot be looked at).
        picture: a file whose name promises one.
        size: in bytes; 0 for what is no file.
        mtime: in seconds since 1970; 0 where it is not known.
    """

    name: str
    kind: str
    picture: bool = False
    size: int = 0
    mtime: float = 0.0


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder as it was read.

    Attributes:
        path: absolute.
        entries: in the order of names, folders first.
        cut: there are more than were read.
        problem: why it cannot be read; None where it was.
    """

    path: str
    entries: tuple[Found, ...] = ()
    cut: bool = False
    problem: ConsoleError | None = None


def read_folder(path: str, most: int = MOST_ENTRIES) -> Folder:
    """Read a folder; never raises: what is wrong stands in `problem`."""
    entries: list[Found] = []
    try:
        with os.scandir(path) as listing:
            for entry in listing:
                if len(entries) >= most:
                    return Folder(path=path, entries=_sorted(entries), cut=True)
                entries.append(_found(entry))
    except (OSError, ValueError) as error:
        return Folder(path=path, entries=_sorted(entries), problem=_problem(error))
    return Folder(path=path, entries=_sorted(entries))


def folder_of(path: str) -> str:
    """Give the nearest folder that there is: the path itself, or one above it; home at last."""
    for candidate in _upwards(Path(path)):
        if candidate.is_dir():
            return str(candidate)
    return os.path.expanduser("~")  # noqa: PTH111 -- Path's raises where there is no home


def _upwards(path: Path) -> Iterator[Path]:
    if path.is_absolute():
        yield path
        yield from path.parents


def _sorted(entries: list[Found]) -> tuple[Found, ...]:
    return tuple(sorted(entries, key=lambda one: (one.kind != "folder", *natural(one.name))))


def natural(name: str) -> tuple[object, ...]:
    """Give what names are sorted by as people do: 2 before 10, capitals or not."""
    parts: list[object] = []
    digits = ""
    for character in name.casefold():
        if character.isascii() and character.isdigit():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, character))
    if digits:
        parts.append((0, int(digits), ""))
    return (*parts, (2, 0, name))


def _found(entry: os.DirEntry[str]) -> Found:
    try:
        told = entry.stat()
    except OSError:
        return Found(name=entry.name, kind="broken")
    if stat.S_ISDIR(told.st_mode):
        return Found(name=entry.name, kind="folder", mtime=told.st_mtime)
    if not stat.S_ISREG(told.st_mode):
        return Found(name=entry.name, kind="special")
    ending = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 -- surrogates, and quick
    return Found(
        name=entry.name,
        kind="file",
        picture=ending in PICTURE_ENDINGS,
        size=told.st_size,
        mtime=told.st_mtime,
    )


def _problem(error: OSError | ValueError) -> ConsoleError:
    if isinstance(error, PermissionError):
        return ConsoleError(
            "folder.no-permission",
            "This folder may not be read",
            "Its owner can allow it; Backspace goes up",
        )
    if isinstance(error, FileNotFoundError):
        return ConsoleError("folder.gone", "This folder is not there", "Backspace goes up")
    if isinstance(error, NotADirectoryError):
        return ConsoleError("folder.none", "This is no folder", "Backspace goes up")
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConsoleError("folder.unreadable", f"This folder cannot be read: {words}")
