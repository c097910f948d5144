"""A small one of a picture, for screens: never more than a box of pixels, whatever the file is.

Nothing here holds up other threads for long: Pillow lets them run while it decodes PNG, JPEG, GIF
and BMP and while it scales; other formats, and all that is large, are decoded by a process of
their own, which cannot take the console's memory either.
"""

from typing import Any

import msgspec

from console.pictures.decode import Box, on_checks, shrunk
from console.pictures.errors import Source, limit
from console.pictures.look import PictureFacts, facts_of
from console.pictures.opening import picture

_LETS_OTHERS_RUN = frozenset({"image/png", "image/jpeg", "image/bmp", "image/gif"})


class Small(msgspec.Struct, frozen=True, kw_only=True):
    """A small picture.

    Attributes:
        width, height: in pixels.
        rgb: its pixels, three bytes each, row by row from the top.
        original: width and height of the picture that it is of, upright.
        facts: of that picture.
    """

    width: int
    height: int
    rgb: bytes
    original: tuple[int, int]
    facts: PictureFacts


def small(source: Source, box: Box) -> Small:
    """Give a small one of a picture: aspect kept, turned as its EXIF says, alpha on squares.

    Args:
        source: path of the file, or a file's content.
        box: most pixels across and down; a picture that is smaller stays as it is.

    Raises:
        PictureError: as `look`, and `picture.truncated` for what ends early or is damaged.
    """
    box = (max(box[0], 1), max(box[1], 1))
    with picture(source) as (image, size):
        facts = facts_of(source, image, size)
        if not decoded_apart(facts):
            return of_image(on_checks(shrunk(image, facts, box)), facts)
    from console.pictures.apart import small_apart

    return small_apart(source, box, facts)


def of_image(image: Any, facts: PictureFacts) -> Small:
    """Wrap an RGB image of Pillow's."""
    width, height = image.size
    rgb = image.tobytes()
    original = (facts.width, facts.height)
    return Small(width=width, height=height, rgb=rgb, original=original, facts=facts)


def decoded_apart(facts: PictureFacts) -> bool:
    """Tell whether a process of its own decodes this: it is large, or its decoder holds others up.

    TIFF always is: its library writes what it thinks of a damaged file straight over the screen.
    """
    if facts.media == "image/tiff":
        return True
    quick = facts.media in _LETS_OTHERS_RUN
    return facts.width * facts.height > limit("apart_pixels" if quick else "held_pixels")
