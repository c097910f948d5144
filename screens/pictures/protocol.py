"""How this terminal is shown pictures: by config and environment alone, nothing is asked of it.

A terminal that is asked answers on the keyboard's line, and over a slow one the answer comes when
nobody waits for it any more and is taken for keys. So auto knows who says so in the environment,
and takes half blocks, which work everywhere, for all others.
"""

import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from console.packaged import read_table
from console.text import clean_line

SIXEL, KITTY, HALF_BLOCKS, NONE = "sixel", "kitty", "half-blocks", "none"
_CELL = (10, 20)
_LARGEST_CELL = 200
_CELL_RATIO = 2


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """How pictures are shown.

    Attributes:
        name: `sixel`, `kitty`, `half-blocks` or `none`.
        why: that, in words for people.
        colours: what half blocks may use: `truecolor`, `256` or `16`.
        wrapped: tmux stands between us and the terminal, and kitty's commands go through it.
    """

    name: str
    why: str
    colours: str = "truecolor"
    wrapped: bool = False

    @property
    def shows(self) -> bool:
        """Tell whether pictures are shown at all."""
        return self.name != NONE

    @property
    def in_cells(self) -> bool:
        """Tell whether a picture is made of characters alone, that a screen can lay over."""
        return self.name in {HALF_BLOCKS, KITTY}


def protocol_for(setting: str, environ: Mapping[str, str], is_tty: bool) -> Protocol:
    """Give how pictures are shown.

    Args:
        setting: `ui.pictures` of the config.
        environ: the environment; `NO_COLOR` and a dumb terminal are shown none, whatever is set.
        is_tty: the output is a terminal.
    """
    why = _nothing(setting, environ, is_tty)
    if why:
        return Protocol(name=NONE, why=why)
    name, why = (setting, words("none-asked")) if setting != "auto" else _by_terminal(environ)
    if name == SIXEL and not sixel_there():
        name, why = HALF_BLOCKS, words("no-encoder")
    wrapped = name == KITTY and bool(environ.get("TMUX"))
    return Protocol(name=name, why=why, colours=_colours(environ), wrapped=wrapped)


def cell_size(handle: int) -> tuple[int, int]:
    """Give the pixels of one character across and down, as the kernel knows them of a terminal.

    Asks the terminal's driver, never the terminal. 10 x 20 where it does not know.
    """
    import fcntl
    import struct
    import termios

    try:
        answer = fcntl.ioctl(handle, termios.TIOCGWINSZ, b"\0" * 8)
    except (OSError, ValueError):
        return _CELL
    rows, columns, width, height = struct.unpack("HHHH", answer)
    if not (rows and columns):
        return _CELL
    cell = (width // columns, height // rows)
    if all(0 < side <= _LARGEST_CELL for side in cell):
        return cell
    return _CELL


def box_of(
    protocol: Protocol, cells: tuple[int, int], cell: tuple[int, int] = _CELL
) -> tuple[int, int]:
    """Give the pixels that a picture may have to fill so many characters across and down.

    Half blocks are two to a character, above each other, and about square.
    """
    columns, rows = max(cells[0], 1), max(cells[1], 1)
    if protocol.name in {SIXEL, KITTY}:
        return columns * cell[0], rows * cell[1]
    return columns, rows * _CELL_RATIO


def sixel_there() -> bool:
    """Tell whether the library that writes sixel is installed; it is not loaded by this."""
    return _installed("textual_image")


def words(key: str, /, **values: object) -> str:
    """Give one of the packaged sentences about terminals."""
    return str(_table()["words"][key]).format(**values)


def _nothing(setting: str, environ: Mapping[str, str], is_tty: bool) -> str:
    """Say why no picture is shown; empty where one is."""
    term = environ.get("TERM", "")
    if setting == NONE:
        return words("none-asked")
    if environ.get("NO_COLOR"):
        return words("no-colour")
    if not is_tty:
        return words("no-terminal")
    if term in {"", "dumb", "unknown"}:
        return words("dumb", term=term or "nothing")
    return ""


def _by_terminal(environ: Mapping[str, str]) -> tuple[str, str]:
    """Give what the terminal speaks as far as the environment says which one it is, and why."""
    for row in _table()["terminals"]:
        when: Mapping[str, str] = row["when"]
        # A variable that is set to nothing says nothing.
        if not all(
            environ.get(key, "").startswith(value or environ.get(key) or "\0")
            for key, value in when.items()
        ):
            continue
        return _spoken(row, environ)
    return HALF_BLOCKS, words("nobody-knows")


def _spoken(row: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, str]:
    name, protocol = str(row["name"]), str(row["protocol"])
    if "why" in row:
        return protocol, words("known-not", name=name, why=row["why"])
    least = str(row.get("least", ""))
    version = environ.get(str(row.get("version", "TERM_PROGRAM_VERSION")), "")
    if least and _numbers(version) < _numbers(least):
        said = clean_line(version, 20) or "no version"
        return HALF_BLOCKS, words(
            "too-old", name=name, protocol=protocol, least=least, version=said
        )
    if "since" in row:
        return protocol, words("known-since", name=name, since=row["since"])
    return protocol, words("known", name=name)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d{1,9}", version)]


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "truecolor"
    term = environ.get("TERM", "")
    if term.endswith("-direct") or environ.get("WT_SESSION"):
        return "truecolor"
    return "256" if "256" in term or term.startswith(("xterm", "foot", "alacritty")) else "16"


@cache
def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@cache
def _table() -> dict[str, Any]:
    return read_table("pictures.toml")
