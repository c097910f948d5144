"""Pictures on the command line: shown where they can be, told in words everywhere else."""

import contextlib
import io
import json
import os
import re
from pathlib import Path

import pytest

from console.pictures.look import look
from screens.cli.output import OutputError, ReaderGone
from screens.pictures.show import facts_line, print_picture
from tests.pictures import build
from tests.pictures.terminals import kitty_pictures, on_terminal, sixel_pixels
from tests.support.program import run_program

SHOW = """
import os, sys
from screens.cli.output import OutputError, ReaderGone
from screens.pictures.show import print_picture
print_picture(os.environ["PICTURE"], sys.stdout, os.environ["SETTING"], os.environ)
"""
XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.fixture
def mug(tmp_path: Path) -> Path:
    return build.saved(tmp_path / "mug.png", build.encoded(build.quarters(900, 600), "PNG"))


def shown(
    tmp_path: Path, picture: Path, setting: str, environ: dict[str, str] | None = None
) -> bytes:
    wanted = {**XTERM, **(environ or {}), "PICTURE": str(picture), "SETTING": setting}
    seen = on_terminal(SHOW, tmp_path, wanted)
    assert seen.code == 0, seen.written
    return seen.written


def test_in_half_blocks_it_fits_the_terminal_and_keeps_its_shape(tmp_path: Path, mug: Path) -> None:
    head, *lines = shown(tmp_path, mug, "auto").decode().splitlines()
    assert head == f"{mug}  900x600 PNG, {mug.stat().st_size / 1024:.1f} KiB"
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    assert len(lines) == 20
    assert {len(line) for line in plain} == {60}
    assert "\x1b[38;2;" in lines[0]


def test_as_sixel_it_has_the_pixels_of_the_terminals_characters(tmp_path: Path, mug: Path) -> None:
    found = sixel_pixels(shown(tmp_path, mug, "sixel"))
    assert (found.width, found.height) == (600, 400)
    corners = build.corners_of(found.rgb, found.width, found.height)
    assert all(build.like(*pair) for pair in zip(corners, build.CORNERS, strict=True))


def test_over_a_network_line_less_is_sent(tmp_path: Path, mug: Path) -> None:
    far = sixel_pixels(shown(tmp_path, mug, "sixel", {"SSH_CONNECTION": "a 1 b 2"}))
    assert max(far.width, far.height) <= 560
    huge = build.saved(tmp_path / "h.png", build.encoded(build.quarters(3000, 3000), "PNG"))
    (sent,) = kitty_pictures(shown(tmp_path, huge, "kitty"))
    assert max(sent.pixels.width, sent.pixels.height) <= 1000


def test_by_kittys_protocol_its_cells_are_as_many_as_its_pixels_fill(
    tmp_path: Path, mug: Path
) -> None:
    written = shown(tmp_path, mug, "kitty")
    (sent,) = kitty_pictures(written)
    assert (sent.keys["c"], sent.keys["r"]) == ("60", "20")
    text = re.sub(rb"\x1b_G.*?\x1b\\", b"", written, flags=re.DOTALL).decode()
    assert [line.count("\U0010eeee") for line in text.splitlines()[1:]] == [60] * 20


@pytest.mark.parametrize(
    "environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "dumb", "WT_SESSION": "1"}]
)
def test_where_no_colours_are_wanted_path_and_facts_are_all(
    tmp_path: Path, mug: Path, environ: dict[str, str]
) -> None:
    for setting in ("auto", "sixel", "kitty", "half-blocks"):
        written = shown(tmp_path, mug, setting, environ)
        assert b"\x1b" not in written
        assert written.decode().splitlines() == [f"{mug}  {facts_line(look(mug))}"]


def test_into_a_file_no_picture_goes(mug: Path) -> None:
    file = io.StringIO()
    print_picture(mug, file, "sixel", {"TERM": "xterm-256color", "WT_SESSION": "1"})
    assert file.getvalue() == f"{mug}  {facts_line(look(mug))}\n"


def test_an_output_that_takes_nothing_is_told_as_such(mug: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for where, error in (("/dev/full", OutputError), (writing, ReaderGone)):
        stream = open(where, "w")  # noqa: PTH123, SIM115 -- closing fails as well
        with pytest.raises(error):
            print_picture(mug, stream, "auto", {})
        with contextlib.suppress(OSError):
            stream.close()


def test_what_cannot_be_shown_says_why_and_stops_nothing(tmp_path: Path) -> None:
    damaged = build.encoded(build.quarters(200, 200), "PNG")
    half = build.saved(tmp_path / "half.png", damaged[: len(damaged) // 2])
    assert b"half.png is cut off or damaged" in shown(tmp_path, half, "auto")
    written = shown(tmp_path, tmp_path / "gone\x1b[2J.png", "auto")
    assert written.startswith(b"there is no file ")
    assert b"\x1b" not in written


def test_a_terminal_without_utf_8_is_told_in_words(tmp_path: Path, mug: Path) -> None:
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    assert b"no half blocks" in shown(tmp_path, mug, "auto", latin)
    assert sixel_pixels(shown(tmp_path, mug, "sixel", latin)).width == 600


def test_config_pictures_shows_each_way_and_which_was_chosen(tmp_path: Path, mug: Path) -> None:
    code = (
        "import sys\nfrom screens.cli.start import start\nsys.exit(start(['config', 'pictures']))"
    )
    seen = on_terminal(code, tmp_path, {**XTERM, "TERM_PROGRAM": "WezTerm"})
    assert seen.code == 0
    text = seen.written.decode()
    assert "Chosen: sixel, because the terminal is WezTerm, which speaks it" in text
    assert re.search(r"^half-blocks:$", text, re.MULTILINE)
    assert re.search(r"^sixel \(chosen\):$", text, re.MULTILINE)
    assert re.search(r"^kitty:$", text, re.MULTILINE)
    assert len(kitty_pictures(seen.written)) == 1
    assert sixel_pixels(seen.written).height == 240
    dumb = on_terminal(code, tmp_path, {"TERM": "dumb"}).written
    assert b"Chosen: none, because the terminal is called dumb" in dumb
    assert b"\x1b" not in dumb


def test_config_pictures_for_programs_and_with_a_file(tmp_path: Path, mug: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[ui]\npictures = "kitty"\n')
    done = run_program(
        ["--config", str(config), "config", "pictures", str(mug), "--json"], tmp_path
    )
    data = json.loads(done.stdout)["data"]
    assert (data["setting"], data["chosen"]) == ("kitty", "none")
    assert data["why"] == "the output is no terminal"
    assert (data["path"], data["width"], data["height"]) == (str(mug), 900, 600)
    text = build.saved(tmp_path / "a.txt", b"hello")
    failed = run_program(["config", "pictures", str(text), "--json"], tmp_path)
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["code"] == "picture.not-a-picture"
