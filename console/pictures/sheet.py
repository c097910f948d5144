"""Contact sheets: several pictures side by side as one PNG, with words under each."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from console.pictures.decode import fitted
from console.pictures.errors import PictureError, Source
from console.pictures.lettering import cut, font, wrapped

_GAP, _EDGE = 16, 24
_FEW, _SOME = 24, 60
_SIDES = (320, 240, 160)
_TEXT, _TITLE = 15, 24
_SPACING = 1.35
_MOST_LINES = 6
_MOST_COLUMNS = 12
_PAPER, _INK, _FAINT, _FAILED = (255, 255, 255), (24, 24, 28), (120, 120, 128), (176, 32, 32)
_GROUND = (236, 236, 240)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of a sheet.

    Attributes:
        path: of the picture; None where there is none, because it failed.
        lines: words under it, the first as its heading; for a failed one they say why.
    """

    path: Source | None
    lines: tuple[str, ...] = ()


class _Look(NamedTuple):
    """A cell made ready: its picture or None, and its lines as they fit."""

    image: Any
    lines: tuple[str, ...]


def contact_sheet(cells: Sequence[Cell], columns: int, title: str) -> bytes:
    """Give a sheet as PNG: white, as many rows as it takes, every cell labelled.

    A picture that cannot be read is told as failed, with why; it spoils no other.

    Args:
        cells: in reading order.
        columns: pictures in a row, 1 to 12.
        title: above them.
    """
    from PIL import Image, ImageDraw

    columns = max(1, min(columns, _MOST_COLUMNS, len(cells) or 1))
    side = _side(len(cells))
    looks = [_look(cell, side) for cell in cells]
    rows = [looks[at : at + columns] for at in range(0, len(looks), columns)]
    heights = [side + _gap(max(len(look.lines) for look in row)) for row in rows]
    width = 2 * _EDGE + columns * side + (columns - 1) * _GAP
    room = width - 2 * _EDGE
    heading = cut(wrapped(title, room, font(_TITLE)), 2, room, font(_TITLE))
    top = _EDGE + len(heading) * _step(_TITLE) + _GAP
    sheet = Image.new("RGB", (width, top + sum(heights) + _EDGE), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(heading):
        draw.text((_EDGE, _EDGE + number * _step(_TITLE)), line, _INK, font=font(_TITLE))
    for row, height in zip(rows, heights, strict=True):
        for column, look in enumerate(row):
            _place(sheet, draw, look, (_EDGE + column * (side + _GAP), top), side)
        top += height
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _side(count: int) -> int:
    """Give the pixels a picture may have across and down: fewer where there are many."""
    return _SIDES[0] if count <= _FEW else _SIDES[1] if count <= _SOME else _SIDES[2]


def _step(size: int) -> int:
    return round(size * _SPACING)


def _gap(lines: int) -> int:
    """Give the pixels under a picture: its words, and the way to the next row."""
    return lines * _step(_TEXT) + _GAP + _TEXT


def _look(cell: Cell, side: int) -> _Look:
    from PIL import Image

    from console.pictures.small import small

    lines, image = cell.lines, None
    if cell.path is not None:
        try:
            picture = small(cell.path, (side, side))
            image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
        except PictureError as error:
            lines = (*lines[:1], error.title, *lines[1:])
    fit = [part for line in lines for part in wrapped(line, side, font(_TEXT))]
    return _Look(image, tuple(cut(fit, _MOST_LINES, side, font(_TEXT))))


def _place(sheet: Any, draw: Any, look: _Look, at: tuple[int, int], side: int) -> None:
    """Draw a cell: its picture in the middle of its square, or a crossed one, and its words."""
    x, y = at
    square = (x, y, x + side - 1, y + side - 1)
    draw.rectangle(square, fill=_GROUND)
    if look.image is None:
        draw.line(square, fill=_FAILED, width=2)
        draw.line((x, y + side - 1, x + side - 1, y), fill=_FAILED, width=2)
        _said(draw, "failed", (x + side // 2, y + side // 2))
    else:
        width, height = fitted(look.image.size, (side, side))
        sheet.paste(look.image, (x + (side - width) // 2, y + (side - height) // 2))
    for number, line in enumerate(look.lines):
        ink = _FAILED if look.image is None else _INK if number == 0 else _FAINT
        where = (x, y + side + _GAP // 2 + number * _step(_TEXT))
        draw.text(where, line, ink, font=font(_TEXT))


def _said(draw: Any, word: str, middle: tuple[int, int]) -> None:
    left, top, right, bottom = draw.textbbox(middle, word, font=font(_TITLE), anchor="mm")
    draw.rectangle((left - 8, top - 6, right + 8, bottom + 6), fill=_GROUND)
    draw.text(middle, word, _FAILED, font=font(_TITLE), anchor="mm")
