"""Pixels out of an opened picture: shrunk, upright, eight bits a channel, with or without alpha."""

import io
from typing import Any

from console.pictures.look import PictureFacts

Box = tuple[int, int]

# From Pillow's own ImageOps.exif_transpose, by EXIF orientation.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_TILE = 8
_LIGHT, _DARK = 204, 153
_WIDE = 65536
# Fast, and hardly larger: what is made here is read once.
_PACKED = 3


def shrunk(image: Any, facts: PictureFacts, box: Box) -> Any:
    """Decode and give RGB or RGBA of at most `box` pixels, in the right aspect, upright.

    A picture that is smaller stays as it is. JPEGs are decoded small at once.
    """
    from PIL import Image

    wanted = fitted((facts.width, facts.height), box)
    turned = facts.orientation in range(5, 9)
    before = (wanted[1], wanted[0]) if turned else wanted
    if facts.media == "image/jpeg":
        image.draft(image.mode, (before[0] * 2, before[1] * 2))
    image.load()
    image = plain(image, facts)
    if image.size != before:
        image = image.resize(before, Image.Resampling.BOX, reducing_gap=2.0)
    return upright(image, facts.orientation)


def whole(image: Any, facts: PictureFacts) -> Any:
    """Decode and give all of a picture, RGB or RGBA of eight bits, upright."""
    image.load()
    return upright(plain(image, facts), facts.orientation)


def png_of(image: Any) -> bytes:
    """Give an image as PNG, packed quickly."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_PACKED)
    return file.getvalue()


def fitted(size: tuple[int, int], box: Box) -> tuple[int, int]:
    """Give the size of a picture put into a box: aspect kept, never larger, never less than 1."""
    width, height = size
    scale = min(box[0] / width, box[1] / height, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def plain(image: Any, facts: PictureFacts) -> Any:
    """Give a decoded image as RGB, or as RGBA where it has alpha, of eight bits a channel."""
    if facts.alpha:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _grey(image).convert("RGB")
    if image.mode == "CMYK":
        return _from_print(image)
    return image.convert("RGB")


def upright(image: Any, orientation: int) -> Any:
    """Turn an image as its EXIF orientation says."""
    from PIL import Image

    turn = _TURNS.get(orientation)
    return image.transpose(Image.Transpose[turn]) if turn else image


def on_checks(image: Any) -> Any:
    """Give an RGBA image as RGB on the light and dark squares that stand for transparent."""
    from PIL import Image

    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, (_LIGHT,) * 3)
    dark = Image.new("RGB", (_TILE, _TILE), (_DARK,) * 3)
    for y in range(0, image.height, _TILE):
        for x in range(y // _TILE % 2 * _TILE, image.width, 2 * _TILE):
            ground.paste(dark, (x, y))
    ground.paste(image, (0, 0), image)
    return ground


def _grey(image: Any) -> Any:
    """Give grey of 16 or 32 bits, or of fractions, as eight bits; Pillow's own cuts at 255."""
    if image.mode == "F":
        low, high = image.getextrema()
        scale = 255.0 / (high - low) if high > low else 1.0
        return image.point(lambda value: value * scale - low * scale).convert("L")
    whole = image if image.mode == "I" else image.convert("I")
    if whole.getextrema()[1] >= _WIDE:
        return whole.point(lambda value: value * (1.0 / 2**24)).convert("L")
    return whole.point(lambda value: value * (1.0 / 256)).convert("L")


def _from_print(image: Any) -> Any:
    """Give CMYK as RGB: by the profile that it carries, else by plain arithmetic."""
    profile = image.info.get("icc_profile")
    if profile:
        from PIL import ImageCms

        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            screen = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, given, screen, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            turned = None  # a profile that makes no sense counts as none
        if turned is not None:
            return turned
    return image.convert("RGB")
