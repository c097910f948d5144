"""Draws pictures as lines of cells, and where the terminal can, as pixels; only in threads."""

from __future__ import annotations

import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment

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


class Asked(NamedTuple):
    """What is to be drawn, and how.

    Attributes:
        source: the picture.
        width, height: cells there are for it.
        how: `half-blocks`, `sixel`, `kitty` or `none`.
        version: another one is looked at anew.
        cell: pixels of a cell, for sixel and kitty.
        most: pixels of a side at most, for sixel and kitty.
        wrapped: tmux stands between us and a terminal that speaks kitty's protocol.
    """

    source: Source
    width: int
    height: int
    how: str
    version: int = 0
    cell: tuple[int, int] = CELL
    most: int = MOST_PIXELS
    wrapped: bool = False


class Drawn(NamedTuple):
    """A picture as it is shown.

    Attributes:
        rows: its lines, each `width` cells; none where it is not drawn.
        width: in cells.
        pixels: what a terminal is given beside them, where it shows more than half blocks.
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
    """What a terminal is given so that it shows more than half blocks.

    Attributes:
        paint: written over the cells of the picture, where its first one is; a sixel.
        number: the terminal's name for a picture whose cells only stand for it; kitty's protocol.
        send: what gives the terminal that picture; written once.
        gone: what makes it forget that.
    """

    paint: str = ""
    number: int = 0
    send: str = ""
    gone: str = ""


class PictureBook:
    """The pictures that were drawn last, by what was asked; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Asked, tuple[Hashable, Drawn]] = OrderedDict()
        self._weight = 0
        self._turns = threading.Semaphore(2)
        self._held: Counter[int] = Counter()
        self._making: dict[Asked, threading.Lock] = {}

    def last(self, asked: Asked) -> Drawn | None:
        """Give what was drawn for the same question before; its file may have changed since."""
        with self._lock:
            kept = self._kept.get(asked)
            return kept[1] if kept is not None else None

    def draw(self, asked: Asked) -> Drawn:
        """Draw a picture, or give the very same as before if its file has not changed.

        Whatever is wrong with it is in `Drawn.error`.
        """
        with self._lock:
            making = self._making.setdefault(asked, threading.Lock())
        # Two widgets that ask for the same at once get the same.
        with making:
            drawn = self._drawn(asked)
        with self._lock:
            self._making.pop(asked, None)
        return drawn

    def _drawn(self, asked: Asked) -> Drawn:
        stamp = _stamp(asked.source)
        with self._lock:
            kept = self._kept.get(asked)
            if kept is not None and kept[0] == stamp and stamp is not None:
                self._kept.move_to_end(asked)
                return kept[1]
        with self._turns:
            drawn = _draw(asked)
        self._keep(asked, stamp, drawn)
        return drawn

    def _keep(self, asked: Asked, stamp: Hashable, drawn: Drawn) -> None:
        with self._lock:
            # Of a live picture only the newest is wanted again.
            for old in [one for one in self._kept if one._replace(version=asked.version) == asked]:
                self._forget(old)
            self._kept[asked] = (stamp, drawn)
            self._weight += drawn.weight
            while len(self._kept) > MOST_KEPT or self._weight > MOST_KEPT_BYTES:
                if len(self._kept) == 1:
                    break
                self._forget(next(iter(self._kept)))

    def hold(self, number: int) -> bool:
        """Note that one widget more shows a picture of the terminal's; True for the first."""
        self._held[number] += 1
        return self._held[number] == 1

    def release(self, number: int) -> bool:
        """Note that one widget less does; True for the last."""
        self._held[number] -= 1
        return self._held[number] <= 0

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
    from screens.pictures.draw import half_blocks

    columns, rows = min(picture.width, asked.width), min((picture.height + 1) // 2, asked.height)
    return Drawn(half_blocks(picture), columns, None, picture.facts, None, 200 * columns * rows)


def _in_pixels(source: Source, asked: Asked) -> Drawn:
    """Draw a picture in pixels: a sixel lies over half blocks, which are seen while it may not."""
    from console.pictures.small import small
    from screens.pictures import draw

    wide, high = asked.cell
    box = (min(asked.width * wide, asked.most), min(asked.height * high, asked.most))
    picture = small(source, box)
    if asked.how == "kitty":
        return _by_kitty(picture, asked, box)
    columns = max(1, min(asked.width, picture.width // wide))
    rows = max(1, min(asked.height, picture.height // high))
    painted = Pixels(paint=draw.sixel(picture))
    lines = draw.half_blocks(picture, columns, rows)
    weight = len(painted.paint) + 200 * columns * rows
    return Drawn(lines, columns, painted, picture.facts, None, weight)


def _by_kitty(picture: Small, asked: Asked, box: tuple[int, int]) -> Drawn:
    """Draw a picture in cells that stand for it: the terminal puts its pixels there."""
    from screens.pictures import draw

    # The terminal scales to cells: a picture that was kept small for the wire fills them too.
    larger = min(asked.width * asked.cell[0] / box[0], asked.height * asked.cell[1] / box[1])
    columns = max(1, min(asked.width, round(picture.width * larger / asked.cell[0])))
    rows = max(1, min(asked.height, round(picture.height * larger / asked.cell[1])))
    made = draw.kitty(picture, columns, rows, wrapped=asked.wrapped)
    style = made.style
    lines = tuple((Segment(cells, style),) for cells in made.cells)
    sent = Pixels(number=made.number, send=made.send, gone=made.gone)
    return Drawn(lines, columns, sent, picture.facts, None, len(made.send) + 100 * rows * columns)


def cell_pixels() -> tuple[int, int]:
    """Give the pixels of a cell as the kernel knows them of the terminal; it is not asked."""
    from screens.pictures.protocol import cell_size

    try:
        return cell_size(sys.__stdout__.fileno()) if sys.__stdout__ is not None else CELL
    except (OSError, ValueError):
        return CELL
