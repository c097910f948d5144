"""A picture on the command line: what it is in one line, and below it the picture itself."""

import os
from collections.abc import Mapping
from typing import TextIO

from console.pictures.errors import PictureError, Source, shown
from console.pictures.look import PictureFacts, look
from console.units import format_bytes
from screens.cli.output import OutputError, ReaderGone
from screens.pictures.protocol import (
    HALF_BLOCKS,
    KITTY,
    SIXEL,
    Protocol,
    box_of,
    cell_size,
    protocol_for,
    words,
)

_USUAL_SIZE = (80, 24)
_TALLEST = 40
_BELOW = 4
# What goes over a network line; a picture in sixel is about a byte a pixel.
_MOST_PIXELS, _MOST_PIXELS_FAR = 1000, 560


def print_picture(
    source: Source, stream: TextIO, setting: str, environ: Mapping[str, str], name: str = ""
) -> None:
    """Write a picture's path and facts, and the picture where the terminal is shown any.

    What is wrong with the picture is written in its place, and raises nothing.

    Args:
        source: the picture.
        stream: where to; usually stdout.
        setting: `ui.pictures` of the config.
        environ: the environment.
        name: how it is called; its path where empty.

    Raises:
        ReaderGone: nobody reads the stream any more.
        OutputError: it cannot be written.
    """
    lines = picture_lines(source, stream, setting, environ, name)
    try:
        stream.write("".join(f"{line}\n" for line in lines))
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from error


def picture_lines(
    source: Source, stream: TextIO, setting: str, environ: Mapping[str, str], name: str = ""
) -> list[str]:
    """Give what `print_picture` writes: the path with facts, then the picture or why there is none.

    A terminal that shows none gets the first line alone.
    """
    protocol = protocol_for(setting, environ, stream.isatty())
    try:
        lines = [f"{name or shown(source)}  {facts_line(look(source))}"]
        if protocol.shows:
            lines += lines_of(source, stream, protocol, environ)
    except PictureError as error:
        return [error.title]
    return lines


def facts_line(facts: PictureFacts) -> str:
    """Give what a picture is in one line, such as `1024x768 PNG, 1.2 MB, with alpha`."""
    kind = facts.media.removeprefix("image/").upper()
    parts = [f"{facts.width}x{facts.height} {kind}", format_bytes(facts.size)]
    parts += ["with alpha"] if facts.alpha else []
    return ", ".join([*parts, *facts.notes])


def lines_of(
    source: Source,
    stream: TextIO,
    protocol: Protocol,
    environ: Mapping[str, str],
    most_rows: int = _TALLEST,
) -> list[str]:
    """Give the lines that show a picture on a terminal, downscaled to it.

    Args:
        source: the picture.
        stream: the terminal, for its size and encoding.
        protocol: of `protocol_for`; one that shows pictures.
        environ: the environment; over SSH fewer pixels are sent.
        most_rows: characters down at most.

    Raises:
        PictureError: it cannot be read.
    """
    if protocol.name != SIXEL and not _can_write(stream, "\N{LOWER HALF BLOCK}"):
        return [words("no-letters")]
    from console.pictures.small import small
    from screens.pictures.draw import ansi, half_blocks, kitty, sixel

    cells, cell = _cells(stream, most_rows), _cell(stream)
    if protocol.name == HALF_BLOCKS:
        picture = small(source, box_of(protocol, cells))
        return ansi(half_blocks(picture), protocol.colours)
    most = _MOST_PIXELS_FAR if environ.get("SSH_CONNECTION") else _MOST_PIXELS
    box = box_of(protocol, cells, cell)
    picture = small(source, (min(box[0], most), min(box[1], most)))
    if protocol.name == KITTY:
        columns, rows = -(-picture.width // cell[0]), -(-picture.height // cell[1])
        drawn = kitty(picture, columns, rows, wrapped=protocol.wrapped)
        return [drawn.send + drawn.lines[0], *drawn.lines[1:]]
    return [sixel(picture)]


def _cells(stream: TextIO, most_rows: int) -> tuple[int, int]:
    """Give the characters that a picture may fill, with the prompt below it in sight."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, rows = _USUAL_SIZE
    columns, rows = (columns, rows) if columns and rows else _USUAL_SIZE
    return columns, max(min(rows - _BELOW, most_rows), 1)


def _cell(stream: TextIO) -> tuple[int, int]:
    try:
        return cell_size(stream.fileno())
    except (OSError, ValueError):
        return cell_size(-1)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
