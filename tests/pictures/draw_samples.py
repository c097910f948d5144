"""Draws the sample pictures under `assets/pictures`: `python -m tests.pictures.draw_samples`."""

import math

from PIL import Image, ImageDraw, ImageFilter

from console.packaged import packaged

FINE = 4


def shade(size: tuple[int, int], top: tuple[int, ...], bottom: tuple[int, ...]) -> Image.Image:
    """A ground that goes from one colour to another."""
    width, height = size
    column = Image.new("RGB", (1, height))
    for y in range(height):
        part = y / (height - 1)
        mixed = [round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True)]
        column.putpixel((0, y), (mixed[0], mixed[1], mixed[2]))
    return column.resize((width, height))


def shadow(image: Image.Image, box: tuple[int, ...], blur: int) -> None:
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse(box, fill=110)
    image.paste((40, 36, 34), (0, 0), mask.filter(ImageFilter.GaussianBlur(blur)))


def mug() -> Image.Image:
    """A red mug on a plain ground, as a shop would photograph it."""
    unit = FINE
    image = shade((512 * unit, 512 * unit), (238, 238, 240), (206, 208, 212))
    shadow(image, (120 * unit, 380 * unit, 420 * unit, 450 * unit), 14 * unit)
    draw = ImageDraw.Draw(image)
    draw.ellipse((310 * unit, 200 * unit, 430 * unit, 350 * unit), fill=(150, 30, 34))
    draw.ellipse((338 * unit, 228 * unit, 402 * unit, 322 * unit), fill=(220, 221, 224))
    left, right, top, bottom = 140, 340, 160, 400
    for x in range(left * unit, right * unit):
        across = (x / unit - left) / (right - left)
        light = 0.45 + 0.55 * math.exp(-((across - 0.3) ** 2) / 0.07)
        curve = 22 * unit * math.sqrt(max(0.0, 1 - (2 * across - 1) ** 2))
        colour = (round(214 * light), round(46 * light), round(50 * light))
        draw.line((x, top * unit, x, bottom * unit + curve), fill=colour)
    rim = (left * unit, (top - 24) * unit, right * unit, (top + 24) * unit)
    draw.ellipse(rim, fill=(226, 80, 80))
    inner = tuple(a + b * unit for a, b in zip(rim, (10, 6, -10, -6), strict=True))
    draw.ellipse(inner, fill=(96, 18, 22))
    return image.resize((512, 512), Image.Resampling.LANCZOS)


def table() -> Image.Image:
    """A wooden table before a window in the morning."""
    unit = FINE
    image = shade((640 * unit, 480 * unit), (226, 214, 190), (196, 176, 144))
    draw = ImageDraw.Draw(image)
    draw.rectangle((340 * unit, 40 * unit, 590 * unit, 290 * unit), fill=(110, 84, 58))
    sky = shade((226 * unit, 226 * unit), (170, 206, 236), (250, 236, 206))
    image.paste(sky, (352 * unit, 52 * unit))
    draw.ellipse((400 * unit, 176 * unit, 456 * unit, 232 * unit), fill=(255, 244, 190))
    draw.rectangle((461 * unit, 52 * unit, 469 * unit, 278 * unit), fill=(110, 84, 58))
    draw.rectangle((352 * unit, 161 * unit, 578 * unit, 169 * unit), fill=(110, 84, 58))
    wood = shade((640 * unit, 160 * unit), (176, 122, 72), (120, 78, 42))
    image.paste(wood, (0, 320 * unit))
    for number in range(14):
        y = (326 + number * 11) * unit
        grain = [
            (x, y + 3 * unit * math.sin(x / (70 * unit) + number)) for x in range(0, 640 * unit, 40)
        ]
        draw.line(grain, fill=(112 + number % 3 * 10, 72, 38), width=unit)
    draw.polygon(
        [
            (60 * unit, 80 * unit),
            (150 * unit, 80 * unit),
            (170 * unit, 170 * unit),
            (40 * unit, 170 * unit),
        ],
        fill=(226, 150, 70),
    )
    draw.rectangle((99 * unit, 170 * unit, 111 * unit, 330 * unit), fill=(90, 90, 96))
    draw.ellipse((66 * unit, 318 * unit, 144 * unit, 344 * unit), fill=(90, 90, 96))
    return image.resize((640, 480), Image.Resampling.LANCZOS)


def pose() -> Image.Image:
    """A jumping wooden figure: something to take a pose from."""
    unit = FINE
    image = shade((384 * unit, 512 * unit), (232, 236, 240), (200, 204, 212))
    shadow(image, (110 * unit, 452 * unit, 290 * unit, 490 * unit), 12 * unit)
    draw = ImageDraw.Draw(image)
    joints = {
        "neck": (190, 140), "hip": (190, 270), "left elbow": (120, 110), "left hand": (90, 40),
        "right elbow": (262, 118), "right hand": (300, 52), "left knee": (120, 330),
        "left foot": (140, 420), "right knee": (262, 340), "right foot": (300, 430),
    }  # fmt: skip
    limbs = [
        ("neck", "hip", 44), ("neck", "left elbow", 24), ("left elbow", "left hand", 20),
        ("neck", "right elbow", 24), ("right elbow", "right hand", 20), ("hip", "left knee", 30),
        ("left knee", "left foot", 24), ("hip", "right knee", 30), ("right knee", "right foot", 24),
    ]  # fmt: skip
    for one, other, wide in limbs:
        ends = [tuple(value * unit for value in joints[name]) for name in (one, other)]
        draw.line(ends, fill=(206, 164, 112), width=wide * unit)
        for x, y in ends:
            half = wide * unit // 2
            draw.ellipse((x - half, y - half, x + half, y + half), fill=(188, 142, 92))
    draw.ellipse((156 * unit, 52 * unit, 224 * unit, 136 * unit), fill=(214, 174, 124))
    return image.resize((384, 512), Image.Resampling.LANCZOS)


def main() -> None:
    folder = packaged("pictures")
    folder.mkdir(exist_ok=True)
    for name, image in (("mug", mug()), ("table", table()), ("pose", pose())):
        image.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).convert("RGB").save(
            folder / f"{name}.png", optimize=True
        )


if __name__ == "__main__":
    main()
