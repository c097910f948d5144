"""However the console ends, the terminal is the operator's again, as it was before."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

# Modes that a program sets with CSI ? N h and must take back with CSI ? N l.
SWITCHED_ON = {47, 1000, 1002, 1003, 1004, 1006, 1015, 1047, 1049, 2004, 2026, 2048}
MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
KITTY_PUSH = re.compile(rb"\x1b\[>\d+u")
KITTY_POP = re.compile(rb"\x1b\[<\d*u")

pytestmark = pytest.mark.terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Give the console on a host with neither card nor engine: the barest there is."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock",
        "GPUCONSOLE_NVML_LIBRARY": f"{tmp_path}/no-library.so",
        "LANG": "C.UTF-8",
    }
    with Terminal([sys.executable, "-m", "console"], environ, 80, 24) as terminal:
        terminal.wait_for(rb"gpuconsole")
        terminal.read(0.5)
        yield terminal


def left_on(output: bytes) -> set[int]:
    """Give the private modes that are still switched on after `output`."""
    on: set[int] = set()
    for numbers, action in MODE.findall(output):
        for number in map(int, numbers.split(b";")):
            if number == 25:
                continue
            (on.add if action == b"h" else on.discard)(number)
    return on & SWITCHED_ON


def cursor_hidden(output: bytes) -> bool:
    """Tell whether the last word on the cursor was to hide it."""
    last = [action for numbers, action in MODE.findall(output) if numbers == b"25"]
    return bool(last) and last[-1] == b"l"


def stopped(terminal: Terminal) -> bool:
    """Tell whether the program was put to sleep by now."""
    terminal.read(0.05)
    return Path(f"/proc/{terminal.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def assert_as_before(terminal: Terminal) -> None:
    output = bytes(terminal.output)
    assert left_on(output) == set()
    assert not cursor_hidden(output)
    assert len(KITTY_PUSH.findall(output)) == len(KITTY_POP.findall(output))
    assert terminal.attributes == terminal.attributes_before


def test_the_console_does_take_the_screen(terminal: Terminal) -> None:
    """Else the tests below could not fail."""
    assert 1049 in left_on(bytes(terminal.output))
    assert terminal.attributes != terminal.attributes_before


def test_q_leaves_quietly(terminal: Terminal) -> None:
    terminal.press(b"q")
    assert terminal.wait_for_end() == 0
    assert_as_before(terminal)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_leaves_the_terminal_as_it_was(terminal: Terminal, number: int) -> None:
    os.kill(terminal.pid, number)
    status = terminal.wait_for_end()
    assert status in {0, 130, 128 + number, -number}
    assert_as_before(terminal)
    assert "Traceback" not in terminal.text()


def test_sigtstp_gives_the_terminal_back_and_fg_takes_it_again(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGTSTP)
    wait_until(lambda: stopped(terminal), seconds=5)
    terminal.read(0.2)
    assert left_on(bytes(terminal.output)) == set()
    assert terminal.attributes == terminal.attributes_before
    already = len(terminal.output)
    os.kill(terminal.pid, signal.SIGCONT)
    wait_until(
        lambda: terminal.read(0.05) > 0 and 1049 in left_on(bytes(terminal.output)), seconds=5
    )
    assert len(terminal.output) > already
    terminal.press(b"q")
    assert terminal.wait_for_end() == 0
    assert_as_before(terminal)


def test_the_line_going_away_ends_it_without_a_word(terminal: Terminal) -> None:
    """As when an SSH connection drops: SIGHUP comes, and nothing can be written any more."""
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.wait_for_end() in {0, 129, -signal.SIGHUP}


def test_a_terminal_that_is_gone_leaves_no_program_behind(terminal: Terminal) -> None:
    """The kernel sends SIGHUP and then SIGCONT, which is not the end of a stop."""
    terminal.hang_up()
    # Python ends with 120 where its last words could not be written.
    assert terminal.wait_for_end() in {0, 120, 129, -signal.SIGHUP}


def test_a_sigcont_out_of_the_blue_changes_nothing(terminal: Terminal) -> None:
    for _ in range(3):
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.read(0.2)
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.wait_for_end() in {0, 129, -signal.SIGHUP}
    assert bytes(terminal.output).count(b"\x1b[?1049h") == 1, "it took the screen once"
    assert_as_before(terminal)


def test_the_mouse_stays_as_m_left_it_over_a_stop_and_is_given_back(terminal: Terminal) -> None:
    terminal.press(b"m")
    terminal.wait_for(rb"mouse off")
    os.kill(terminal.pid, signal.SIGTSTP)
    wait_until(lambda: stopped(terminal), seconds=5)
    os.kill(terminal.pid, signal.SIGCONT)
    wait_until(
        lambda: terminal.read(0.05) > 0 and 1049 in left_on(bytes(terminal.output)), seconds=5
    )
    terminal.read(0.5)
    assert 1000 not in left_on(bytes(terminal.output))
    terminal.press(b"m")
    terminal.wait_for(rb"mouse on")
    assert 1000 in left_on(bytes(terminal.output))
    terminal.press(b"q")
    assert terminal.wait_for_end() == 0
    assert_as_before(terminal)


def test_a_mouse_that_the_config_leaves_alone_is_given_back_too(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[ui]\nmouse = false\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "console", "--config", str(config)]
    with Terminal(command, environ, 80, 24) as terminal:
        terminal.wait_for(rb"gpuconsole")
        terminal.read(0.5)
        assert 1000 not in left_on(bytes(terminal.output))
        terminal.press(b"m")
        terminal.wait_for(rb"mouse on")
        assert 1000 in left_on(bytes(terminal.output))
        terminal.press(b"q")
        assert terminal.wait_for_end() == 0
        assert_as_before(terminal)


@pytest.mark.parametrize("typed", [b"\xe9", b"\xff\xfe\x80", b"\xc3"])
def test_bytes_that_are_no_text_do_not_end_it(terminal: Terminal, typed: bytes) -> None:
    """As a terminal set to Latin-1 sends them for an umlaut."""
    terminal.press(typed)
    terminal.read(0.3)
    # A lone first byte of a character takes the next key with it, and no more than that.
    terminal.press(b"?")
    terminal.read(0.3)
    terminal.press(b"?")
    terminal.wait_for(rb"gpuconsole help")
    terminal.press(b"q")
    assert terminal.wait_for_end() == 0
    assert "Traceback" not in terminal.text()
    assert_as_before(terminal)
