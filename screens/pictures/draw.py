"""A small picture drawn: as half blocks, as sixel, or by kitty's protocol.

Half blocks are of rich-pixels and sixel is of textual-image, where that is installed: only its
encoder is loaded, because the rest of it asks the terminal what it is as it is imported. Kitty's
protocol shows a picture in cells of placeholder characters, so that it scrolls, wraps and goes
away as text does.
"""

from __future__ import annotations

import base64
import itertools
import random
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from console.packaged import read_table

if TYPE_CHECKING:
    from rich.segment import Segment
    from rich.style import Style

    from console.pictures.small import Small

Line = tuple["Segment", ...]
_PLACEHOLDER = "\U0010eeee"
_PIECE = 4096
# A picture's number is a colour of the 256 and one byte more, so that it outlives terminals and
# multiplexers that take colours for 24 bits away. The first sixteen colours are themes' own.
_FIRST, _LAST = 16, 255
_BYTE = 256


class Kitty(NamedTuple):
    """A picture for kitty's protocol.

    Attributes:
        number: the terminal's name for it.
        send: what gives the terminal the picture; written once, anywhere, it moves nothing.
        cells: the characters that stand for it, a line a row, without their colour.
        gone: what makes the terminal forget it.
    """

    number: int
    send: str
    cells: tuple[str, ...]
    gone: str

    @property
    def lines(self) -> tuple[str, ...]:
        """Give the text that shows it, each line with its colour and the usual one after it."""
        return tuple(f"\x1b[38;5;{self.number % _BYTE}m{line}\x1b[39m" for line in self.cells)

    @property
    def style(self) -> Style:
        """Give the style that its cells must have on a screen: their colour is its number.

        A plain colour of the 256 would not do: Textual makes true colours of those.
        """
        from rich.color import Color, ColorType
        from rich.color_triplet import ColorTriplet
        from rich.style import Style

        number = self.number % _BYTE
        return Style(
            color=Color(f"color({number})", ColorType.EIGHT_BIT, number, ColorTriplet(0, 0, number))
        )


def half_blocks(
    small: Small, columns: int | None = None, rows: int | None = None
) -> tuple[Line, ...]:
    """Give a picture as lines of segments, two pixels a character; equal neighbours are joined.

    Args:
        small: the picture.
        columns: characters to fill across; None for one of its pixels each.
        rows: characters to fill down; None for two of its pixels each.
    """
    from rich_pixels import HalfcellRenderer

    width, height = columns or small.width, (rows or (small.height + 1) // 2) * 2
    image = _image(small)
    if (width, height) != image.size:
        image = _fitted(image, width, height, stretch=rows is not None)
    segments = HalfcellRenderer().render(image, None)
    return tuple(_lines(segments))


def sixel(small: Small) -> str:
    """Give a picture as a sixel sequence, which paints it where the cursor is.

    Raises:
        ImportError: textual-image is not installed; `protocol_for` chooses sixel only where it is.
    """
    # The package beside it, `renderable`, would write to the terminal and read its keys.
    from textual_image._sixel import image_to_sixels

    return image_to_sixels(_image(small))


def kitty(small: Small, columns: int, rows: int, *, wrapped: bool = False) -> Kitty:
    """Give a picture for kitty's protocol, as large as so many characters.

    Args:
        small: the picture.
        columns: characters to fill across; at most 297 are.
        rows: characters to fill down; at most 297 are.
        wrapped: for tmux, which passes on what is wrapped.
    """
    marks = _marks()
    columns, rows = min(columns, len(marks)), min(rows, len(marks))
    number = next(_numbers)
    packed = base64.standard_b64encode(zlib.compress(small.rgb, 6)).decode("ascii")
    pieces = [packed[at : at + _PIECE] for at in range(0, len(packed), _PIECE)]
    how = f"a=T,U=1,f=24,o=z,s={small.width},v={small.height},c={columns},r={rows},i={number},q=2"
    commands = [
        f"{how if at == 0 else 'q=2'},m={int(at < len(pieces) - 1)};{piece}"
        for at, piece in enumerate(pieces)
    ]
    return Kitty(
        number,
        "".join(_command(command, wrapped) for command in commands),
        tuple(_placeholders(number, row, columns) for row in range(rows)),
        _command(f"a=d,d=I,i={number},q=2", wrapped),
    )


def ansi(lines: Iterable[Sequence[Segment]], colours: str) -> list[str]:
    """Give lines of segments as text with escape sequences, in the colours a terminal has.

    Args:
        lines: as of `half_blocks`.
        colours: `truecolor`, `256` or `16`.
    """
    from rich.color import ColorSystem

    system = {
        "truecolor": ColorSystem.TRUECOLOR,
        "256": ColorSystem.EIGHT_BIT,
        "16": ColorSystem.STANDARD,
    }[colours]
    return [
        "".join(_coded(part, system) + part.text for part in line) + "\x1b[0m" for line in lines
    ]


def _coded(segment: Segment, system: Any) -> str:
    """Give the escape sequence of a segment's colours.

    Rich would give those of the first colour system that it was asked for, whichever is asked now.
    """
    style = segment.style
    if style is None:
        return "\x1b[0m"
    codes = [
        code
        for colour, is_front in ((style.color, True), (style.bgcolor, False))
        if colour is not None
        for code in colour.downgrade(system).get_ansi_codes(is_front)
    ]
    # A segment without a colour of one kind must not have that of the one before.
    return f"\x1b[{';'.join(codes if style.color and style.bgcolor else ['0', *codes])}m"


def _image(small: Small) -> Any:
    from PIL import Image

    return Image.frombytes("RGB", (small.width, small.height), small.rgb)


def _fitted(image: Any, width: int, height: int, *, stretch: bool) -> Any:
    """Give an image of that size: scaled, or of an odd height with its last line left empty."""
    from PIL import Image

    if stretch or width != image.width:
        return image.resize((width, height), Image.Resampling.BOX)
    whole = Image.new("RGBA", (width, height))
    whole.paste(image, (0, 0))
    return whole


def _lines(segments: Iterable[Segment]) -> Iterable[Line]:
    """Split segments, one a character, into lines, and join those of one look."""
    from rich.segment import Segment

    line: list[Segment] = []
    for segment in segments:
        if segment.text == "\n":
            yield tuple(line)
            line = []
        elif line and line[-1].style == segment.style and line[-1].text[0] == segment.text:
            line[-1] = Segment(line[-1].text + segment.text, segment.style)
        else:
            line.append(segment)


def _command(keys: str, wrapped: bool) -> str:
    command = f"\x1b_G{keys}\x1b\\"
    if not wrapped:
        return command
    return "\x1bPtmux;" + command.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def _placeholders(number: int, row: int, columns: int) -> str:
    marks = _marks()
    high = marks[number >> 24]
    return "".join(_PLACEHOLDER + marks[row] + marks[column] + high for column in range(columns))


def _all_numbers() -> Iterable[int]:
    """Give numbers of pictures without end, from one that others hardly have begun at."""
    high = random.randrange(1, _BYTE)  # noqa: S311 -- against mixing up pictures, not people
    for turn in itertools.count():
        for colour in range(_FIRST, _LAST + 1):
            yield ((high + turn - 1) % (_BYTE - 1) + 1) << 24 | colour


_numbers = iter(_all_numbers())


@cache
def _marks() -> tuple[str, ...]:
    return tuple(
        chr(int(word, 16)) for word in read_table("pictures.toml")["kitty"]["marks"].split()
    )
