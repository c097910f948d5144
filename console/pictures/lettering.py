"""Words on pictures: a font that is there, lines broken to a width, letters it lacks told apart."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from console.text import ELLIPSIS, clean_line

_LONGEST = 400
# Pillow brings a font of its own, which has no letters beyond English; these have many.
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf")
_BROUGHT = "mpl-data/fonts/ttf/DejaVuSans.ttf"
_NO_LETTER = "\U0010fffe"


@cache
def font(size: int) -> Any:
    """Give a font of so many pixels: the host's, matplotlib's where that is installed, Pillow's."""
    from PIL import ImageFont

    for name in (*_FONTS, *_of_matplotlib()):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def wrapped(text: str, width: int, face: Any) -> list[str]:
    """Break text to lines of at most `width` pixels: between words, or within too long a one."""
    return list(_broken(readable(clean_line(text, _LONGEST), face).split(), width, face))


def cut(lines: list[str], most: int, width: int, face: Any) -> list[str]:
    """Give at most so many lines; where some are left out, the last one ends in dots and fits."""
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and face.getlength(last + ELLIPSIS) > width:
        last = last[:-1]
    return [*lines[: most - 1], last + ELLIPSIS]


def readable(text: str, face: Any) -> str:
    """Give text in letters that the font has: others lose their accents, or become `?`."""
    if text.isascii():
        return text
    return "".join(letter if _has(face, letter) else _plainer(letter) for letter in text)


def _plainer(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return parts.encode("ascii", "ignore").decode("ascii") or "?"


def _has(face: Any, letter: str) -> bool:
    """Tell whether a font has a letter: what it draws for those that it lacks is known."""
    return letter.isascii() or bytes(face.getmask(letter)) != bytes(face.getmask(_NO_LETTER))


def _broken(words: list[str], width: int, face: Any) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if face.getlength(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while face.getlength(line) > width and len(line) > 1:
            cut = len(line) - 1
            while cut > 1 and face.getlength(line[:cut]) > width:
                cut -= 1
            yield line[:cut]
            line = line[cut:]
    if line:
        yield line


def _of_matplotlib() -> tuple[str, ...]:
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        return ()
    return (str(Path(found.origin).parent / _BROUGHT),)
