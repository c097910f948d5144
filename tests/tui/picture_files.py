"""Small picture files for tests of screens, the same each time."""

from pathlib import Path

from PIL import Image, ImageDraw


def gradient(width: int = 64, height: int = 64, turn: int = 0) -> Image.Image:
    """Make a picture with a corner that tells up from down and a disc that tells aspect."""
    image = Image.new("RGB", (width, height))
    pixels = [
        ((x * 255 // width + turn) % 256, y * 255 // height, (128 + turn) % 256)
        for y in range(height)
        for x in range(width)
    ]
    image.putdata(pixels)
    pen = ImageDraw.Draw(image)
    side = min(width, height)
    pen.ellipse(
        (
            width // 2 - side // 4,
            height // 2 - side // 4,
            width // 2 + side // 4 - 1,
            height // 2 + side // 4 - 1,
        ),
        fill=(240, 240, 240),
    )
    pen.rectangle((0, 0, width // 8, height // 8), fill=(255, 0, 0))
    return image


def write_picture(path: Path, width: int = 64, height: int = 64, turn: int = 0) -> Path:
    """Write a picture in the format of its name, and give its path.

    PNGs are not compressed: their size, which screens tell, is the same with every zlib.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    gradient(width, height, turn).save(path, compress_level=0)
    return path
