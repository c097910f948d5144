"""Draws pictures as lines of cells, and where the terminal can, as pixels; only in threads."""

from __future__ import annotations

import base64
import sys
import threading
import zlib
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from console.errors import ConsoleError
from screens.tui.pictures.frame import Source

if TYPE_CHECKING:
    from console.pictures.look import PictureFacts
    from console.pictures.small import Small

MOST_KEPT = 64
MOST_KEPT_BYTES = 24 * 1024**2
CELL = (10, 20)
"""Pixels of a cell where the terminal does not say; those of a VT340, which sixels are made for."""
MOST_PIXELS, MOST_PIXELS_FAR = 1000, 560
"""A side of what is sent to a terminal; less over SSH."""
CHUNK = 4096
"""The longest piece of base64 that the kitty protocol takes at once."""


class Asked(NamedTuple):
    """What is to be drawn, and how.

    Attributes:
        source: the picture.
        width, height: cells there are for it.
        how: `half-blocks`, `sixel`, `kitty` or `none`.
        version: another one is looked at anew.
        cell: pixels of a cell, for sixel and kitty.
        most: pixels of a side at most, for sixel and kitty.
    """

    source: Source
    width: int
    height: int
    how: str
    version: int = 0
    cell: tuple[int, int] = CELL
    most: int = MOST_PIXELS


class Drawn(NamedTuple):
    """A picture as it is shown.

    Attributes:
        rows: its lines in half blocks, each `width` cells; none where it is not drawn.
        width: in cells.
        pixels: what paints it over those cells, for a terminal that can; None else.
        facts: what is known of it; None where that could not be told.
        error: why it is not drawn; None where it is, or where no picture is wanted.
        weight: bytes it takes here, about.
    """

    rows: tuple[tuple[Segment, ...], ...] = ()
    width: int = 0
    pixels: Pixels | None = None
    facts: PictureFacts | None = None
    error: ConsoleError | None = None
    weight: int = 0


class Pixels(NamedTuple):
    """A picture in pixels: what to write where its first cell is, before and after its number.

    A sixel has no number: `data` is all of it. For kitty `data` goes in pieces.
    """

    how: str
    data: str
    size: tuple[int, int]


class PictureBook:
    """The pictures that were drawn last, by what was asked; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Asked, tuple[Hashable, Drawn]] = OrderedDict()
        self._weight = 0
        self._turns = threading.Semaphore(2)

    def last(self, asked: Asked) -> Drawn | None:
        """Give what was drawn for the same question before; its file may have changed since."""
        with self._lock:
            kept = self._kept.get(asked)
            return kept[1] if kept is not None else None

    def draw(self, asked: Asked) -> Drawn:
        """Draw a picture, or give the very same as before if its file has not changed.

        Whatever is wrong with it is in `Drawn.error`.
        """
        stamp = _stamp(asked.source)
        with self._lock:
            kept = self._kept.get(asked)
            if kept is not None and kept[0] == stamp and stamp is not None:
                self._kept.move_to_end(asked)
                return kept[1]
        with self._turns:
            drawn = _draw(asked)
        with self._lock:
            self._forget(asked)
            self._kept[asked] = (stamp, drawn)
            self._weight += drawn.weight
            while len(self._kept) > MOST_KEPT or self._weight > MOST_KEPT_BYTES:
                if len(self._kept) == 1:
                    break
                self._forget(next(iter(self._kept)))
        return drawn

    def _forget(self, asked: Asked) -> None:
        old = self._kept.pop(asked, None)
        if old is not None:
            self._weight -= old[1].weight


def _stamp(source: Source) -> Hashable:
    """Give what changes when a file does; None where it cannot be told."""
    if isinstance(source, bytes):
        return len(source)
    try:
        found = Path(source).stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _draw(asked: Asked) -> Drawn:
    source = asked.source
    try:
        if asked.how == "none":
            from console.pictures.look import look

            return Drawn(facts=look(source), weight=1000)
        if asked.how == "half-blocks":
            from console.pictures.small import small

            return _in_cells(small(source, (asked.width, asked.height * 2)), asked)
        return _in_pixels(source, asked)
    except ConsoleError as error:
        return Drawn(error=error, weight=1000)


def _in_cells(picture: Small, asked: Asked) -> Drawn:
    columns, rows = min(picture.width, asked.width), min((picture.height + 1) // 2, asked.height)
    lines = half_blocks(picture, columns, rows, picture.height)
    return Drawn(lines, columns, None, picture.facts, None, 200 * columns * rows)


def _in_pixels(source: Source, asked: Asked) -> Drawn:
    """Draw a picture in pixels, over half blocks that are seen while something lies above it."""
    from console.pictures.small import small

    wide, high = asked.cell
    box = (min(asked.width * wide, asked.most), min(asked.height * high, asked.most))
    picture = small(source, box)
    columns = max(1, min(asked.width, picture.width // wide))
    rows = max(1, min(asked.height, picture.height // high))
    lines = half_blocks(picture, columns, rows, rows * 2)
    size = (columns, rows)
    if asked.how == "kitty":
        packed = base64.standard_b64encode(zlib.compress(picture.rgb, 6)).decode("ascii")
        shown = Pixels("kitty", f"{picture.width},{picture.height};{packed}", size)
    else:
        from screens.pictures.draw import sixel

        shown = Pixels("sixel", sixel(picture), size)
    weight = len(shown.data) + 200 * columns * rows
    return Drawn(lines, columns, shown, picture.facts, None, weight)


def half_blocks(
    picture: Small, columns: int, rows: int, halves: int
) -> tuple[tuple[Segment, ...], ...]:
    """Give a picture in cells of two halves, one above the other; equal neighbours joined.

    Args:
        picture: its pixels; nearest ones are taken where it is larger.
        columns: cells to fill across.
        rows: cells to fill down.
        halves: how many of the `rows * 2` halves the picture fills; the rest stays empty.
    """
    width, height, rgb = picture.width, picture.height, picture.rgb
    across = [min(width - 1, (2 * x + 1) * width // (2 * columns)) * 3 for x in range(columns)]
    down = [min(height - 1, (2 * y + 1) * height // (2 * halves)) for y in range(halves)]
    lines: list[tuple[Segment, ...]] = []
    for row in range(rows):
        upper = down[row * 2] * width * 3
        lower = down[row * 2 + 1] * width * 3 if row * 2 + 1 < halves else None
        cells: list[tuple[bytes, bytes]] = []
        for x in across:
            top = rgb[upper + x : upper + x + 3]
            cells.append((top, b"" if lower is None else rgb[lower + x : lower + x + 3]))
        lines.append(_joined(cells))
    return tuple(lines)


def _joined(cells: list[tuple[bytes, bytes]]) -> tuple[Segment, ...]:
    """Make segments of cells: each costs an escape sequence on the wire."""
    found: list[Segment] = []
    run, last = 0, cells[0]
    for cell in [*cells, None]:
        if cell == last:
            run += 1
            continue
        top, low = last
        if top == low:
            found.append(Segment(" " * run, Style(bgcolor=_colour(top))))
        else:
            ground = _colour(low) if low else None
            found.append(Segment("▀" * run, Style(color=_colour(top), bgcolor=ground)))
        if cell is not None:
            run, last = 1, cell
    return tuple(found)


def _colour(rgb: bytes) -> Color:
    return Color.from_rgb(rgb[0], rgb[1], rgb[2])


def kitty_text(pixels: Pixels, number: int) -> str:
    """Give what shows a picture by the kitty protocol as picture `number`, cursor unmoved.

    One of the same number that is shown already is replaced.
    """
    head, _, packed = pixels.data.partition(";")
    width, _, height = head.partition(",")
    columns, rows = pixels.size
    how = f"a=T,f=24,o=z,s={width},v={height},c={columns},r={rows},i={number},p=1,C=1,q=2"
    pieces = [packed[at : at + CHUNK] for at in range(0, len(packed), CHUNK)] or [""]
    sent: list[str] = []
    for place, piece in enumerate(pieces):
        more = int(place < len(pieces) - 1)
        keys = f"{how},m={more}" if place == 0 else f"m={more},q=2"
        sent.append(f"\x1b_G{keys};{piece}\x1b\\")
    return "".join(sent)


def kitty_gone(number: int) -> str:
    """Give what takes a picture of the kitty protocol off the screen and out of the terminal."""
    return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def cell_pixels() -> tuple[int, int]:
    """Give the pixels of a cell as the kernel knows them of the terminal; it is not asked."""
    from screens.pictures.protocol import cell_size

    try:
        return cell_size(sys.__stdout__.fileno()) if sys.__stdout__ is not None else CELL
    except (OSError, ValueError):
        return CELL
