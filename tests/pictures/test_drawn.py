"""Pictures drawn for a terminal, read back as it would; and that nothing else is written to it."""

import re
from pathlib import Path

import pytest
from rich.color import ColorSystem, ColorType
from rich.segment import Segment
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color
from textual.filter import ANSIToTruecolor

from console.pictures.small import Small, small
from screens.pictures.draw import ansi, half_blocks, kitty, sixel
from tests.pictures import build
from tests.pictures.terminals import kitty_pictures, on_terminal, sixel_pixels
from tests.support.program import run_program

XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
DRAWN = """
from pathlib import Path
from console.pictures.samples import sample
from console.pictures.small import small
from screens.pictures.protocol import cell_size, protocol_for
from screens.pictures.draw import ansi, half_blocks, kitty, sixel
import os
for setting in ("auto", "sixel", "kitty", "half-blocks"):
    protocol_for(setting, os.environ, True)
cell_size(1)
picture = small(sample("mug"), (60, 40))
for made in (ansi(half_blocks(picture), "truecolor"), sixel(picture), kitty(picture, 8, 4).send):
    assert made
report(os.read(0, 10).decode())
"""
PROBING = "import textual_image.renderable\n"


def picture_of(width: int, height: int) -> Small:
    return small(build.encoded(build.quarters(width, height), "PNG"), (width, height))


def unwrapped(text: bytes) -> bytes:
    """What tmux passes on of what is wrapped for it."""
    pieces = re.findall(rb"\x1bPtmux;((?:\x1b\x1b|[^\x1b])*)\x1b\\", text)
    return b"".join(piece.replace(b"\x1b\x1b", b"\x1b") for piece in pieces)


@pytest.mark.parametrize("height", [2, 7, 8])
def test_half_blocks_hold_two_pixels_each(height: int) -> None:
    picture = picture_of(6, height)
    lines = half_blocks(picture)
    assert len(lines) == (height + 1) // 2
    for y, line in enumerate(lines):
        cells = [(part.style, mark) for part in line for mark in part.text]
        assert len(cells) == 6
        for x, (style, mark) in enumerate(cells):
            assert style is not None
            assert style.bgcolor is not None
            upper = build.pixel(picture.rgb, 6, x, y * 2)
            assert style.bgcolor.get_truecolor() == upper
            if y * 2 + 1 < height:
                assert mark == "▄"
                assert style.color is not None
                assert style.color.get_truecolor() == build.pixel(picture.rgb, 6, x, y * 2 + 1)
            else:
                assert mark == " "


def test_half_blocks_fill_what_they_are_given_and_join_what_is_alike() -> None:
    picture = picture_of(64, 64)
    lines = half_blocks(picture, 20, 8)
    assert [sum(len(part.text) for part in line) for line in lines] == [20] * 8
    assert [len(line) for line in lines] == [2] * 8
    assert [sum(len(part.text) for part in line) for line in half_blocks(picture, 20)] == [20] * 32


def test_lines_are_in_the_colours_that_a_terminal_has() -> None:
    lines = half_blocks(picture_of(4, 4))
    assert "38;2;220;30;30" in ansi(lines, "truecolor")[0]
    assert re.search(r"38;5;\d+", ansi(lines, "256")[0])
    plain = ansi(lines, "16")[0]
    assert re.search(r"\x1b\[[39]\d;(4|10)\d", plain)
    assert "38;" not in plain
    assert all(line.endswith("\x1b[0m") for line in ansi(lines, "truecolor"))


def test_a_sixel_read_back_is_the_picture() -> None:
    picture = picture_of(50, 45)
    found = sixel_pixels(sixel(picture).encode("ascii"))
    assert (found.width, found.height) == (50, 45)
    pairs = zip(found.rgb, picture.rgb, strict=True)
    assert max(abs(one - other) for one, other in pairs) <= 3


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_picture_by_kittys_protocol_read_back_is_the_picture(wrapped: bool) -> None:
    picture = picture_of(120, 80)
    made = kitty(picture, 12, 4, wrapped=wrapped)
    sent, gone = made.send.encode("ascii"), made.gone.encode("ascii")
    if wrapped:
        sent, gone = unwrapped(sent), unwrapped(gone)
    (shown,) = kitty_pictures(sent)
    assert (shown.pixels.width, shown.pixels.height) == (120, 80)
    assert shown.pixels.rgb == picture.rgb
    wanted = {"a": "T", "U": "1", "c": "12", "r": "4", "i": str(made.number)}
    assert wanted.items() <= shown.keys.items()
    (removed,) = kitty_pictures(gone)
    assert removed.keys["a"] == "d"
    assert removed.keys["i"] == str(made.number)
    assert re.sub(rb"\x1b_G.*?\x1b\\", b"", sent, flags=re.DOTALL) == b""


def test_the_cells_of_a_kitty_picture_name_it_and_their_place() -> None:
    source = Path(__file__).parents[2] / "assets/pictures.toml"
    marks = re.findall(r"\b[0-9a-f]{4,5}\b", source.read_text().partition("marks =")[2])
    assert (marks[:3], len(marks)) == (["0305", "030d", "030e"], 297)
    made = kitty(picture_of(120, 80), 5, 3)
    assert len({kitty(picture_of(2, 2), 1, 1).number for _ in range(400)}) == 400
    for row, line in enumerate(made.lines):
        colour, cells = re.fullmatch(r"\x1b\[38;5;(\d+)m(.*)\x1b\[39m", line).groups()  # type: ignore[union-attr]
        found = re.findall("\U0010eeee(.)(.)(.)", cells)
        assert len(found) * 4 == len(cells)
        index = [[marks.index(f"{ord(mark):04x}") for mark in cell] for cell in found]
        assert [cell[:2] for cell in index] == [[row, column] for column in range(5)]
        assert {cell[2] << 24 | int(colour) for cell in index} == {made.number}
    huge = kitty(picture_of(2, 2), 999, 999)
    assert (len(huge.cells), len(huge.cells[0])) == (297, 297 * 4)


def test_textual_leaves_the_colour_of_those_cells_alone() -> None:
    """Their colour is the picture's number: another one, and the terminal shows nothing there."""
    made = kitty(picture_of(2, 2), 3, 1)
    before = [Segment(made.cells[0], made.style)]
    (after,) = ANSIToTruecolor(DEFAULT_TERMINAL_THEME).apply(before, Color(0, 0, 0))
    assert after.style is not None
    assert after.style.color is not None
    assert after.style.color.type is ColorType.EIGHT_BIT
    for system in (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT):
        written = kitty(picture_of(2, 2), 3, 1).style.render("x", color_system=system)
        assert re.fullmatch(r"\x1b\[38;5;\d+mx\x1b\[0m", written)
    assert after.style.render("x").startswith(f"\x1b[38;5;{made.number % 256}m")


@pytest.mark.terminal
def test_nothing_is_asked_of_the_terminal_and_no_key_is_taken(tmp_path: Path) -> None:
    """A key that was typed before is still there, and not one byte was written."""
    pytest.importorskip("textual_image")
    seen = on_terminal(DRAWN, tmp_path, {**XTERM, "WT_SESSION": "1"}, keys=b"j")
    assert (seen.written, seen.report, seen.code) == (b"", "j", 0)
    # The same watch sees the library ask, when the part of it that does is loaded.
    asking = on_terminal(PROBING, tmp_path, XTERM, keys=b"j")
    assert asking.written != b""


@pytest.mark.parametrize("arguments", [["--help"], ["config", "print"], ["status", "--json"]])
def test_whoever_shows_no_picture_loads_nothing_for_it(
    tmp_path: Path, arguments: list[str]
) -> None:
    code = (
        "import sys\nfrom screens.cli.start import start\n"
        f"try: start({arguments!r})\n"
        "finally: print(sorted(sys.modules), file=sys.stderr)\n"
    )
    loaded = run_program([], tmp_path, code=code).stderr.splitlines()[-1]
    assert b"'click'" in loaded
    for name in (b"PIL", b"textual_image", b"rich_pixels", b"numpy", b"matplotlib"):
        assert b"'" + name + b"'" not in loaded
