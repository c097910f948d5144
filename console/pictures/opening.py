"""Opening a picture so that nothing hangs, nothing is swallowed whole and every failure is told."""

import contextlib
import errno
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

from console.pictures.errors import PictureError, Source, limit, picture_error, shown
from console.pictures.seems import HEAD, begins_as, seems_to_be
from console.units import format_bytes

_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_DENIED = {errno.EACCES, errno.EPERM}
# MPO, a phone's JPEG with a second picture, is opened by JPEG's plugin.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextlib.contextmanager
def opened(source: Source) -> Iterator[tuple[IO[bytes], int]]:
    """Open a picture's file, or bytes as if they were one; give it and its size.

    Raises:
        PictureError: it is missing, a folder, a pipe or device, not ours to read, empty, too large.
    """
    if isinstance(source, bytes):
        _check_size(source, len(source))
        yield io.BytesIO(source), len(source)
        return
    try:
        # Looked at first: opening alone does something to some devices, and to a pipe's writer.
        _check_kind(source, Path(source).stat().st_mode)
        handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise _reason(source, error) from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        _check_kind(source, found.st_mode)
        _check_size(source, found.st_size)
        yield file, found.st_size


def content(source: Source) -> bytes:
    """Give a file's bytes.

    Raises:
        PictureError: as `opened`, and that it changed while it was read.
    """
    with opened(source) as (file, size), told(source, file):
        data = file.read(limit("bytes") + 1)
    if len(data) != size:
        raise picture_error("picture.changed", name=shown(source))
    return data


@contextlib.contextmanager
def picture(source: Source) -> Iterator[tuple[Any, int]]:
    """Open a picture and give Pillow's image of it, of which only the header is read, and its size.

    What goes wrong in the block while it is decoded is told as what is wrong with the picture.

    Raises:
        PictureError: as `opened`, and that it is no picture, damaged, or of too many pixels.
    """
    with opened(source) as (file, size), told(source, file):
        image = _image(source, file)
        _check_pixels(source, image.width, image.height)
        yield image, size


@contextlib.contextmanager
def told(source: Source, file: IO[bytes]) -> Iterator[None]:
    """Turn whatever a decoder or the disk raises into a PictureError."""
    try:
        yield
    except PictureError:
        raise
    except OSError as error:
        if error.errno:
            raise _reason(source, error) from error
        raise _damaged(source, file, str(error)) from error
    except MemoryError as error:
        raise picture_error("picture.unreadable", "out of memory", name=shown(source)) from error
    except Exception as error:  # decoders raise anything over hostile bytes
        raise _damaged(source, file, str(error)) from error


def _image(source: Source, file: IO[bytes]) -> Any:
    from PIL import Image, UnidentifiedImageError

    _prepare()
    try:
        return Image.open(file, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        said = re.search(r"\d+", str(error))
        raise _too_many(source, int(said[0]) if said else 0) from error
    except UnidentifiedImageError as error:
        file.seek(0)
        head = file.read(HEAD)
        if begins_as(head):
            raise _damaged(source, file) from error
        seeming = seems_to_be(head)
        raise picture_error(
            "picture.not-a-picture", name=shown(source), what=seeming.what, hint=seeming.hint
        ) from error


@cache
def _prepare() -> None:
    """Load the plugins of what is read, and no other; Pillow's own way is to load all or too few.

    What it warns of and logs about damaged files is switched off: it would stain the screen, and
    what counts is raised.
    """
    import logging
    from importlib import import_module

    from PIL import Image, PngImagePlugin

    for name in ("Png", "Jpeg", "Mpo", "WebP", "Gif", "Bmp", "Tiff"):
        import_module(f"PIL.{name}ImagePlugin")
    # Recipes of edits are long, and some write them packed: one megabyte is too little.
    PngImagePlugin.MAX_TEXT_CHUNK = limit("png_text")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())


def megapixels(pixels: int) -> str:
    """Give a number of pixels for people."""
    return f"{pixels / 1e6:.0f} megapixels"


def _check_kind(source: Source, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise picture_error("picture.folder", name=shown(source))
    kind = next((words for test, words in _SPECIAL if test(mode)), "")
    if kind:
        raise picture_error("picture.special", name=shown(source), kind=kind)


def _check_size(source: Source, size: int) -> None:
    most = limit("bytes")
    if size == 0:
        raise picture_error("picture.empty", name=shown(source))
    if size > most:
        raise picture_error(
            "picture.too-large",
            name=shown(source),
            size=format_bytes(size),
            limit=format_bytes(most),
            data={"size": size, "limit": most},
        )


def _check_pixels(source: Source, width: int, height: int) -> None:
    if width * height > limit("pixels"):
        raise _too_many(source, width * height)


def _too_many(source: Source, pixels: int) -> PictureError:
    most = limit("pixels")
    return picture_error(
        "picture.too-many-pixels",
        name=shown(source),
        pixels=megapixels(pixels),
        limit=megapixels(most),
        data={"pixels": pixels, "limit": most},
    )


def _reason(source: Source, error: OSError | ValueError) -> PictureError:
    """Say why a file cannot be read; a ValueError is a name with a NUL in it."""
    number = error.errno if isinstance(error, OSError) else errno.ENOENT
    said = (error.strerror or "") if isinstance(error, OSError) else str(error)
    if number in _MISSING:
        said = "" if number == errno.ENOENT else said
        return picture_error("picture.missing", said, name=shown(source))
    if number in _DENIED:
        return picture_error("picture.no-permission", said, name=shown(source))
    return picture_error("picture.unreadable", said or str(error), name=shown(source))


def _damaged(source: Source, file: IO[bytes], said: str = "") -> PictureError:
    try:
        file.seek(0)
        head = file.read(HEAD)
    except (OSError, ValueError):
        head = b""
    name = begins_as(head)
    what = f"a {name}" if name else "a picture"
    return picture_error("picture.truncated", said, name=shown(source), what=what)
