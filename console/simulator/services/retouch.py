"""Edits that can be seen: pictures changed by pillow as prompt, seed, steps and weights have it.

Where there is no pillow, as in a bare container, `pixels` does it in plain Python. Pillow is
imported when the first picture is made.
"""

import hashlib
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from console.simulator.services.pixels import edited, flat_jpeg, painted, size_of

_LARGEST = 64_000_000
_WORDS_SHOWN = 6
_PREVIEW_BOX = 512
_COLOURS = {
    "evening": (40, 44, 110), "night": (16, 20, 70), "dark": (20, 20, 30),
    "sunset": (235, 110, 40), "sunrise": (250, 170, 90), "warm": (235, 140, 60),
    "cold": (80, 140, 220), "snow": (235, 240, 250), "winter": (200, 220, 245),
    "summer": (250, 220, 90), "autumn": (200, 110, 30), "red": (220, 40, 40),
    "green": (40, 180, 70), "blue": (40, 80, 220), "yellow": (240, 220, 60),
    "pink": (245, 130, 180), "white": (245, 245, 245), "black": (15, 15, 15),
    "gold": (212, 175, 55),
}  # fmt: skip
_GREY = {"grey", "gray", "monochrome", "black-and-white"}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to become of pictures.

    Attributes:
        size: width and height of the result.
        prompt, negative: words; colours and seasons among them are seen, all of them are written.
        grain: how far (of 255) weights of fewer bits lead it astray.
        strength: of 0 to 1, how much it may change.
        weights: whose grain it is; another file goes astray otherwise.
    """

    size: tuple[int, int]
    prompt: str = ""
    negative: str = ""
    seed: int = 0
    steps: int = 20
    cfg: float = 1.0
    grain: float = 0.0
    strength: float = 0.45
    weights: str = ""


@dataclass(frozen=True)
class Retouched:
    """A picture that was made: a PNG, and what its live pictures are drawn from."""

    png: bytes
    small: Any = None


def is_picture(data: bytes) -> bool:
    """Tell whether a loader could read bytes as a picture, by its head and its end."""
    image = _pillow("Image")
    if image is None:
        return size_of(data) is not None
    try:
        with image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
    # Whatever pillow says of bytes of anybody's, they are no picture to a loader.
    except Exception:  # noqa: BLE001
        return False
    return bool(0 < width * height <= _LARGEST) and _is_whole(data)


def _is_whole(data: bytes) -> bool:
    """Tell whether a file of the kinds that say where they end has its end."""
    if data.startswith(b"\x89PNG"):
        return b"IEND" in data[-64:]
    return not data.startswith(b"\xff\xd8") or b"\xff\xd9" in data[-4096:]


def measured(data: bytes) -> tuple[int, int] | None:
    """Give width and height as a loader sees them, turned by EXIF; None where it can't read it."""
    image = _pillow("Image")
    if image is None:
        return size_of(data)
    try:
        with image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            turned = opened.getexif().get(0x0112, 1) in {5, 6, 7, 8}
    except Exception:  # noqa: BLE001 -- as above
        return None
    return (height, width) if turned else (width, height)


def retouched(
    sources: Sequence[bytes], wish: Wish, texts: Mapping[str, str]
) -> Retouched | None:  # fmt: skip
    """Make the picture, with texts in its PNG; None where what it is made of cannot be read."""
    if _pillow("Image") is None:
        return _plainly(sources, wish, texts)
    try:
        opened = [_opened(data) for data in sources]
    except Exception:  # noqa: BLE001 -- as above
        return None
    picture = _joined(opened, wish.size) if opened else _scene(wish)
    changed = _grained(_labelled(_edited(picture, wish), wish), wish)
    small = changed.copy()
    small.thumbnail((_PREVIEW_BOX, _PREVIEW_BOX))
    return Retouched(_png(changed, texts), small)


def live(made: Retouched | None, size: tuple[int, int], done: float) -> bytes:
    """Give a JPEG of a picture that is `done` to a share of 0 to 1, fitted to a box of 512."""
    factor = _PREVIEW_BOX / max(size)
    fitted = (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
    if made is None or made.small is None:
        return flat_jpeg(*fitted, round(150 * done))
    filters = _pillow("ImageFilter")
    blurred = made.small.filter(filters.GaussianBlur(1 + 26 * (1 - done)))
    out = io.BytesIO()
    blurred.resize(fitted).save(out, "JPEG", quality=90)
    return out.getvalue()


def converted(data: bytes, wish: str, channel: str = "") -> tuple[bytes, str]:
    """Give a picture as `preview=webp;75` or `channel=a` ask for it, with its type.

    Without pillow it stays as it is. ValueError where it is no picture.
    """
    image = _pillow("Image")
    if image is None:
        return data, "image/png"
    form, _, quality = wish.partition(";")
    form = form if form in {"webp", "jpeg"} else "webp"
    out = io.BytesIO()
    try:
        with image.open(io.BytesIO(data)) as opened:
            if not wish:
                whole = opened.convert("RGBA")
                shown = whole.getchannel("A") if channel == "a" else whole.convert(channel.upper())
                return _png(shown, {}), "image/png"
            number = int(quality) if quality.isdecimal() else 90
            opened.convert("RGB").save(out, form, quality=min(100, number))
    except Exception as error:
        raise ValueError("no picture") from error
    return out.getvalue(), f"image/{form}"


def masked(picture: bytes, mask: bytes) -> bytes:
    """Give a picture with the alpha of a mask; ValueError where either is none."""
    image = _pillow("Image")
    if image is None:
        return picture
    try:
        with image.open(io.BytesIO(picture)) as under, image.open(io.BytesIO(mask)) as over:
            made = under.convert("RGBA")
            made.putalpha(over.convert("RGBA").getchannel("A").resize(made.size))
    except Exception as error:
        raise ValueError("no picture") from error
    return _png(made, {})


def _plainly(
    sources: Sequence[bytes], wish: Wish, texts: Mapping[str, str]
) -> Retouched | None:  # fmt: skip
    sign = _number(wish.prompt, wish.negative, wish.seed, wish.steps, wish.weights, len(sources))
    shade = sign % 255 | 1
    if not sources:
        return Retouched(painted(*wish.size, shade, dict(texts)))
    made = edited(sources[0], shade, dict(texts)) if size_of(sources[0]) == wish.size else None
    if made is None and size_of(sources[0]) is not None:
        made = painted(*wish.size, shade, dict(texts))
    return None if made is None else Retouched(made)


def _opened(data: bytes) -> Any:
    image, ops = _pillow("Image"), _pillow("ImageOps")
    opened = image.open(io.BytesIO(data))
    if not 0 < opened.size[0] * opened.size[1] <= _LARGEST:
        raise ValueError("too many pixels")
    opened.draft("RGB", (2048, 2048))
    return ops.exif_transpose(opened).convert("RGB")


def _joined(opened: list[Any], size: tuple[int, int]) -> Any:
    """Give the first picture with those to be merged into it side by side in its lower half."""
    base = opened[0].resize(size)
    others = opened[1:]
    for place, other in enumerate(others):
        width, height = max(1, size[0] // (len(others) + 1)), max(1, size[1] // 2)
        inset = other.resize((width, height))
        at = (size[0] - width * (place + 1), size[1] - height)
        under = base.crop((*at, at[0] + width, at[1] + height))
        base.paste(_pillow("Image").blend(under, inset, 0.72), at)
    return base


def _scene(wish: Wish) -> Any:
    """Give a picture of nothing but words: a sky, a ground and a few shapes, placed by the seed."""
    image, draw = _pillow("Image"), _pillow("ImageDraw")
    width, height = wish.size
    tint = _tint(wish)
    made = image.linear_gradient("L").resize(wish.size)
    made = _pillow("ImageOps").colorize(made, tuple(255 - part // 3 for part in tint), tint)
    pen = draw.Draw(made)
    chance = random.Random(_number(wish.seed, wish.prompt))  # noqa: S311 -- a picture, no secret
    for _ in range(7):
        x, y = chance.randrange(width), chance.randrange(height // 3, height)
        reach = max(2, min(width, height) // chance.randrange(5, 14))
        colour = tuple(chance.randrange(256) for _ in range(3))
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)
    return made


def _edited(picture: Any, wish: Wish) -> Any:
    """Tint, light and soften a picture as prompt, seed and steps have it."""
    image, filters = _pillow("Image"), _pillow("ImageFilter")
    words = set(_words(wish.prompt))
    if words & _GREY or {"black", "white"} <= words:
        picture = picture.convert("L").convert("RGB")
    tinted = image.blend(picture, image.new("RGB", picture.size, _tint(wish)), wish.strength)
    light = _light(wish.seed).resize(picture.size)
    lit = image.composite(
        tinted.point([min(255, v * 7 // 5 + 12) for v in range(256)] * 3),
        tinted.point([v * 3 // 4 for v in range(256)] * 3),
        light,
    )
    return lit.filter(
        filters.GaussianBlur(min(6.0, 8.0 / max(1, wish.steps) * min(picture.size) / 256))
    )


def _light(seed: int) -> Any:
    """Give where light falls: from a side that the seed tells, more or less steeply."""
    chance = random.Random(_number(seed))  # noqa: S311 -- a picture, no secret
    turned = _pillow("Image").linear_gradient("L").resize((512, 512)).rotate(chance.randrange(360))
    first = chance.randrange(130, 190)
    # What is inside the largest square that no corner of the turned one cuts.
    return turned.crop((first, first, first + 190, first + 190))


def _labelled(picture: Any, wish: Wish) -> Any:
    """Write the first words of the prompt into a picture that has room for them."""
    words = (
        " ".join(wish.prompt.split()[:_WORDS_SHOWN]).encode("latin-1", "replace").decode("latin-1")
    )
    height = max(8, picture.size[1] // 18)
    if not words or picture.size[1] < 48:
        return picture
    pen = _pillow("ImageDraw").Draw(picture)
    font = _pillow("ImageFont").load_default(height)
    pen.text(
        (height // 2, height // 2),
        words,
        font=font,
        fill=(250, 250, 250),
        stroke_width=1,
        stroke_fill=(0, 0, 0),
    )
    return picture


def _grained(picture: Any, wish: Wish) -> Any:
    """Let weights of fewer bits lead a picture astray a little."""
    if not wish.grain:
        return picture
    image, chops = _pillow("Image"), _pillow("ImageChops")
    width, height = (max(1, part // 4) for part in picture.size)
    chance = random.Random(_number(wish.weights, wish.seed))  # noqa: S311 -- a picture, no secret
    raw = chance.randbytes(width * height * 3)
    noise = image.frombytes("RGB", (width, height), raw)
    reach = wish.grain / 128
    noise = noise.point([round(128 + (v - 128) * reach) for v in range(256)] * 3)
    return chops.add(picture, noise.resize(picture.size, image.Resampling.NEAREST), 1.0, -128)


def _tint(wish: Wish) -> tuple[int, int, int]:
    """Give the colour that the prompt leads to; words that say none give one all the same."""
    named = [_COLOURS[word] for word in _words(wish.prompt) if word in _COLOURS]
    sign = _number(wish.prompt, wish.negative, round(wish.cfg, 2))
    own = (sign & 255, sign >> 8 & 255, sign >> 16 & 255)
    first = named[0] if named else own
    return tuple((9 * part + other) // 10 for part, other in zip(first, own, strict=True))  # type: ignore[return-value]


def _words(prompt: str) -> list[str]:
    return [word.strip(".,;:!?\"'()").lower() for word in prompt[:2000].split()]


def _number(*what: object) -> int:
    text = "/".join(str(part) for part in what)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:6])


def _png(picture: Any, texts: Mapping[str, str]) -> bytes:
    info = _pillow("PngImagePlugin").PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=info, compress_level=1)
    return out.getvalue()


@cache
def _pillow(part: str) -> Any:
    """Give a module of pillow; None where there is none."""
    try:
        return import_module(f"PIL.{part}")
    except ImportError:
        return None
