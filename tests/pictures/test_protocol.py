"""Which way pictures are shown is known from config and environment; no terminal is asked."""

from pathlib import Path

import pytest

from console.config.load import load
from screens.pictures import protocol
from screens.pictures.protocol import box_of, cell_size, protocol_for
from tests.pictures.terminals import on_terminal
from tests.support.program import run_program

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({**XTERM, "WT_SESSION": "0f2c"}, "sixel"),
        ({**XTERM, "TERM_PROGRAM": "WezTerm"}, "sixel"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({**XTERM, "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.10"}, "sixel"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.2.9"}, "half-blocks"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app"}, "half-blocks"),
        ({**XTERM, "LC_TERMINAL": "iTerm2", "LC_TERMINAL_VERSION": "3.10.1"}, "sixel"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({**XTERM, "KONSOLE_VERSION": "230401"}, "sixel"),
        ({**XTERM, "KONSOLE_VERSION": "210401"}, "half-blocks"),
        ({**XTERM, "TERM_PROGRAM": "vscode"}, "half-blocks"),
        (XTERM, "half-blocks"),
        ({"TERM": "linux"}, "half-blocks"),
        ({**XTERM, "WT_SESSION": ""}, "half-blocks"),
        # tmux stands between, whatever is around it.
        ({"TERM": "tmux-256color", "TMUX": "/tmp/t,1,0", "WT_SESSION": "0f2c"}, "half-blocks"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/t,1,0"}, "half-blocks"),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}, "half-blocks"),
    ],
)
def test_auto_goes_by_what_the_environment_says(environ: dict[str, str], name: str) -> None:
    found = protocol_for("auto", environ, True)
    assert found.name == name
    assert found.why
    assert "{" not in found.why


@pytest.mark.parametrize("setting", ["auto", "sixel", "kitty", "half-blocks"])
@pytest.mark.parametrize(
    ("environ", "is_tty", "why"),
    [
        ({**XTERM, "NO_COLOR": "1"}, True, "NO_COLOR is set"),
        ({"TERM": "dumb"}, True, "the terminal is called dumb"),
        ({"TERM": "dumb", "WT_SESSION": "1"}, True, "the terminal is called dumb"),
        ({}, True, "the terminal is called nothing"),
        (XTERM, False, "the output is no terminal"),
    ],
)
def test_where_none_can_be_seen_none_is_shown_whatever_is_set(
    setting: str, environ: dict[str, str], is_tty: bool, why: str
) -> None:
    found = protocol_for(setting, environ, is_tty)
    assert (found.name, found.shows, found.why) == ("none", False, why)


def test_what_is_set_counts() -> None:
    for name in ("sixel", "kitty", "half-blocks", "none"):
        found = protocol_for(name, {"TERM": "xterm-kitty"}, True)
        assert (found.name, found.shows) == (name, name != "none")
    assert protocol_for("kitty", {**XTERM, "TMUX": "/tmp/t"}, True).wrapped
    assert not protocol_for("kitty", XTERM, True).wrapped


def test_without_the_library_sixel_gives_way_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "sixel_there", lambda: False)
    for setting, environ in (("sixel", XTERM), ("auto", {**XTERM, "WT_SESSION": "1"})):
        found = protocol_for(setting, environ, True)
        assert found.name == "half-blocks"
        assert "gpuconsole[pictures]" in found.why


def test_colours_are_no_more_than_the_terminal_says() -> None:
    for environ, colours in (
        ({**XTERM, "COLORTERM": "truecolor"}, "truecolor"),
        (XTERM, "256"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "linux"}, "16"),
        ({**XTERM, "WT_SESSION": "1"}, "truecolor"),
    ):
        assert protocol_for("half-blocks", environ, True).colours == colours


def test_pixels_of_a_character_are_the_kernels_or_the_usual(tmp_path: Path) -> None:
    code = "from screens.pictures.protocol import cell_size\nreport(cell_size(1))"
    assert on_terminal(code, tmp_path, XTERM).report == "(10, 20)"
    for size, cell in (
        ((24, 80, 24 * 36, 80 * 18), "(18, 36)"),
        ((24, 80, 0, 0), "(10, 20)"),
        ((0, 0, 0, 0), "(10, 20)"),
        ((1, 1, 65535, 65535), "(10, 20)"),
    ):
        assert on_terminal(code, tmp_path, XTERM, size=size).report == cell
    assert cell_size(-1) == (10, 20)


def test_a_box_is_pixels_for_pixels_and_halves_for_blocks() -> None:
    assert box_of(protocol_for("kitty", XTERM, True), (40, 10), (9, 18)) == (360, 180)
    assert box_of(protocol_for("half-blocks", XTERM, True), (40, 10), (9, 18)) == (40, 20)
    assert box_of(protocol_for("half-blocks", XTERM, True), (0, -3)) == (1, 2)


def test_the_config_knows_the_choice_and_names_a_slip(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[ui]\npictures = "kitty"\n')
    assert load(path).settings.ui.pictures == "kitty"
    path.write_text('[ui]\npictures = "sixels"\n')
    loaded = load(path)
    assert loaded.settings.ui.pictures == "auto"
    assert loaded.findings[0].hint == "Did you mean sixel?"
    done = run_program(["config", "print"], tmp_path)
    assert b'ui.pictures = "auto"' in done.stdout
    (tmp_path / "c.toml").write_bytes(run_program(["config", "init", "--dry-run"], tmp_path).stdout)
    assert '#pictures = "auto"' in (tmp_path / "c.toml").read_text()
