"""Readers of what is written to a terminal: half blocks, sixel and kitty's protocol taken apart."""

import base64
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.program import private_environment

_SIXEL = re.compile(rb"\x1bP[0-9;]*q(.*?)\x1b\\", re.DOTALL)
_TOKEN = re.compile(r'"[\d;]+|#\d+;2;\d+;\d+;\d+|#\d+|!\d+.|\$|-|[?-~]')


class Seen(NamedTuple):
    """What a program did on a terminal, and which keys it left for the next one."""

    written: bytes
    report: str
    code: int


def on_terminal(
    code: str,
    home: Path,
    environ: Mapping[str, str],
    *,
    keys: bytes = b"",
    size: tuple[int, int, int, int] = (24, 80, 480, 800),
) -> Seen:
    """Run Python code on a terminal that answers nothing; `keys` are typed before it begins.

    Args:
        code: its `report(text)` is given back beside what it wrote.
        home: for its files.
        environ: more of it.
        keys: typed at once.
        size: rows, columns, and pixels down and across.
    """
    master, slave = pty.openpty()
    rows, columns, high, wide = size
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, wide, high))
    quiet = termios.tcgetattr(slave)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    quiet[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, quiet)
    report = home / "report"
    report.write_text("")
    begin = f"def report(text): open({str(report)!r}, 'a').write(str(text))\n"
    os.write(master, keys)
    process = subprocess.Popen(
        [sys.executable, "-c", begin + code],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=private_environment(home, environ),
        cwd=home,
        start_new_session=True,
    )
    written = bytearray()
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        over = process.poll() is not None
        ready, _, _ = select.select([master], [], [], 0.0 if over else 0.05)
        if ready:
            written += os.read(master, 65536)
        elif over:
            break
    process.kill()
    process.wait()
    os.close(slave)
    os.close(master)
    return Seen(bytes(written), report.read_text(), process.returncode)


class Pixels(NamedTuple):
    """A picture read back."""

    width: int
    height: int
    rgb: bytes


def sixel_pixels(written: bytes) -> Pixels:
    """Paint a sixel sequence as a terminal does."""
    found = _SIXEL.search(written)
    assert found is not None, "no sixel sequence"
    colours: dict[int, tuple[int, ...]] = {}
    canvas: dict[tuple[int, int], tuple[int, ...]] = {}
    width = height = x = y = 0
    colour: tuple[int, ...] = ()
    for token in _TOKEN.findall(found[1].decode("ascii")):
        if token[0] == '"':
            width, height = (int(part) for part in token[1:].split(";")[2:])
        elif token[0] == "#":
            number, *rest = (int(part) for part in token[1:].split(";"))
            if rest:
                colours[number] = tuple(round(part * 255 / 100) for part in rest[1:])
            colour = colours[number]
        elif token == "$":
            x = 0
        elif token == "-":
            x, y = 0, y + 6
        else:
            count, mark = (int(token[1:-1]), token[-1]) if token[0] == "!" else (1, token)
            bits = ord(mark) - 63
            for at in range(x, x + count):
                canvas |= {(at, y + bit): colour for bit in range(6) if bits >> bit & 1}
            x += count
    rgb = b"".join(bytes(canvas[at, row]) for row in range(height) for at in range(width))
    return Pixels(width, height, rgb)


class KittyPicture(NamedTuple):
    """A picture that was sent by kitty's protocol."""

    keys: dict[str, str]
    pixels: Pixels


def kitty_pictures(written: bytes) -> list[KittyPicture]:
    """Collect what a terminal would of kitty's commands; deletions have no pixels."""
    found: list[KittyPicture] = []
    keys: dict[str, str] = {}
    packed = b""
    for command in re.findall(rb"\x1b_G(.*?)\x1b\\", written, re.DOTALL):
        head, _, data = command.partition(b";")
        own = dict(part.split("=") for part in head.decode("ascii").split(","))
        assert own["q"] == "2", "the terminal would answer, and be taken for keys"
        assert len(data) <= 4096
        keys = {**own, **keys} if keys else own
        packed += data
        if own.get("m", "0") == "0":
            size = (int(keys.get("s", 0)), int(keys.get("v", 0)))
            rgb = zlib.decompress(base64.standard_b64decode(packed)) if packed else b""
            found.append(KittyPicture(keys, Pixels(*size, rgb)))
            keys, packed = {}, b""
    return found
