"""Tiny pictures of every kind, made with a library that the code under test does not use."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def a_picture(kind: str = "PNG", size: tuple[int, int] = (7, 5), shade: int = 40) -> bytes:
    """Give a picture's bytes; another shade, other bytes."""
    image = Image.new("RGB", size, (shade, 90, 200))
    image.putpixel((0, 0), (255, shade, 0))
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def a_png_with(texts: dict[str, str], size: tuple[int, int] = (7, 5)) -> bytes:
    """Give a PNG with texts as ComfyUI's SaveImage writes them."""
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "PNG", pnginfo=info, compress_level=4)
    return out.getvalue()
