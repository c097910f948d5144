"""What a picture file is, from its header alone: nothing of the picture is decoded."""

import os
from typing import Any

import msgspec

from console.pictures.errors import Source, table
from console.pictures.opening import picture
from console.pictures.png import Chunks, walked
from console.text import clean_line

_ORIENTATION = 0x0112
_BITS = 258
_UPRIGHT = 1
_TURNED = range(5, 9)
_USUAL = 8
_TRANSPARENT = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
_SEQUENCES = frozenset({"GIF", "PNG", "WEBP", "TIFF"})


class PictureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture is.

    Attributes:
        path: cleaned for people; empty where it came as bytes.
        media: such as `image/png`, by its content, whatever its name says.
        width, height: in pixels, as it is meant to be seen: turned as its EXIF says.
        mode: Pillow's word for its colours: `RGB`, `RGBA`, `L`, `P`, `CMYK`, `I;16`, ...
        bits: of a channel.
        frames: 1, or how many where it moves; of GIF and TIFF 2 stands for two or more.
        alpha: parts of it are transparent, or may be.
        size: of the file in bytes.
        orientation: 1 upright, 2 to 8 as in EXIF.
        notes: what somebody who edits it should know, in words; mostly none.
    """

    path: str
    media: str
    width: int
    height: int
    mode: str
    bits: int
    frames: int
    alpha: bool
    size: int
    orientation: int
    notes: tuple[str, ...] = ()


def look(path: Source) -> PictureFacts:
    """Give what a picture is. A few reads of its header; a dead share may block, a pipe may not.

    Args:
        path: of the file; bytes are taken as a file's content.

    Raises:
        PictureError: why it is none, or cannot be read (codes `picture.*`).
    """
    with picture(path) as (image, size):
        return facts_of(path, image, size)


def facts_of(path: Source, image: Any, size: int) -> PictureFacts:
    """Give the facts of an image that Pillow has opened and not decoded yet."""
    png = walked(image.fp) if image.format == "PNG" else None
    turned, odd = _orientation(image, png)
    width, height = image.size
    bits, frames = _bits(image, png), _frames(image)
    media = str(table()["formats"][image.format])
    notes = [
        *(["its EXIF data is damaged: taken as upright"] if odd else []),
        *([f"turned as its EXIF says (orientation {turned})"] if turned != _UPRIGHT else []),
        *(["it moves: the first picture of it is taken"] if frames > 1 else []),
        *([f"{bits} bits a channel, shown and sent with {_USUAL}"] if bits > 8 else []),
        *(["its end is missing: it may be cut off"] if png and not png.ends else []),
        *(["CMYK, made for printing: colours may look different"] if image.mode == "CMYK" else []),
        *_misnamed(path, media),
    ]
    return PictureFacts(
        path="" if isinstance(path, bytes) else clean_line(os.fspath(path)),
        media=media,
        width=height if turned in _TURNED else width,
        height=width if turned in _TURNED else height,
        mode=image.mode,
        bits=bits,
        frames=frames,
        alpha=image.mode in _TRANSPARENT or "transparency" in image.info,
        size=size,
        orientation=turned,
        notes=tuple(notes),
    )


def _orientation(image: Any, png: Chunks | None) -> tuple[int, bool]:
    """Give the EXIF orientation, and whether the EXIF data could not be read."""
    from PIL import Image

    try:
        exif = Image.Exif() if png is not None else image.getexif()
        if png is not None and png.exif:
            exif.load(png.exif)
        found = exif.get(_ORIENTATION, _UPRIGHT)
    except Exception:  # noqa: BLE001 -- told in a note: a picture with odd EXIF is still one
        return _UPRIGHT, True
    return (found if found in range(1, 9) else _UPRIGHT), False


def _bits(image: Any, png: Chunks | None) -> int:
    """Give the bits of a channel; Pillow's mode hides them for 16-bit colour PNGs."""
    if png is not None:
        return png.bits
    if image.format == "TIFF":
        found = image.tag_v2.get(_BITS, _USUAL)
        first = found[0] if isinstance(found, tuple) and found else found
        return int(first) if isinstance(first, int) else _USUAL
    return _USUAL


def _frames(image: Any) -> int:
    """Give how many pictures there are, without walking through a hostile file of millions."""
    if image.format not in _SEQUENCES:
        return 1
    if image.format in {"PNG", "WEBP"}:
        return max(int(getattr(image, "n_frames", 1)), 1)
    return 2 if getattr(image, "is_animated", False) else 1


def _misnamed(path: Source, media: str) -> list[str]:
    """Say where a name promises something else than what the file is."""
    if isinstance(path, bytes):
        return []
    ending = os.path.splitext(os.fspath(path))[1].lower().removeprefix(".")  # noqa: PTH122
    endings = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff", "mpo": "jpeg"}
    kind = endings.get(ending, ending)
    known = {"png", "jpeg", "webp", "gif", "bmp", "tiff", "heic", "heif", "avif"}
    if kind not in known or media == f"image/{kind}":
        return []
    return [f"named .{ending}, but it is {media.removeprefix('image/').upper()}"]
