"""How far two pictures are apart, as one number."""

import math
from typing import Any

from console.pictures.decode import on_checks, whole
from console.pictures.errors import Source, picture_error, shown
from console.pictures.look import facts_of
from console.pictures.opening import picture

_LEVELS = 256
_CHANNELS = 3
_WHITE = 255.0


def psnr(one: Source, other: Source) -> float:
    """Give the peak signal-to-noise ratio of two pictures in dB; infinity where they are equal.

    Over red, green and blue together, as seen: upright, alpha on squares. Above about 40 dB hardly
    anybody sees a difference, below 20 dB they are different pictures. Takes about a second for
    tens of megapixels.

    Raises:
        PictureError: one cannot be read, or they are of different sizes (`picture.sizes-differ`).
    """
    from PIL import ImageChops

    first, second = _seen(one), _seen(other)
    if first.size != second.size:
        raise picture_error(
            "picture.sizes-differ",
            name=shown(one),
            other=shown(other),
            one=f"{first.width}x{first.height}",
            two=f"{second.width}x{second.height}",
        )
    counts = ImageChops.difference(first, second).histogram()
    squares = sum((at % _LEVELS) ** 2 * count for at, count in enumerate(counts))
    if squares == 0:
        return math.inf
    mean = squares / (first.width * first.height * _CHANNELS)
    return 10.0 * math.log10(_WHITE * _WHITE / mean)


def _seen(source: Source) -> Any:
    with picture(source) as (image, size):
        return on_checks(whole(image, facts_of(source, image, size)))
