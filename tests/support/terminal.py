"""A program in a pty, watched from outside: what it draws, what it costs, what it leaves behind."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()].|\x1b[=>@-_]"
)
# What a modern terminal answers to those who ask: synchronised output, the cursor's place.
ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;22c"}


class Terminal:
    """Runs a command in a pty and plays a modern terminal to it (answers the sync query)."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        columns: int = 120,
        rows: int = 40,
    ) -> None:
        self.output = bytearray()
        self._master, slave = pty.openpty()
        self.resize(columns, rows)
        self.attributes_before = termios.tcgetattr(slave)
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            preexec_fn=_own_terminal,  # noqa: PLW1509 -- a controlling terminal is what is tested
        )
        self._slave = slave

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Take the terminal away, as a connection that drops does; may be done twice."""
        for handle in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(handle)
        self._slave = self._master = -1

    @property
    def pid(self) -> int:
        """Give the program's process id; it leads a session of its own on this terminal."""
        return self._process.pid

    @property
    def attributes(self) -> list[object]:
        """Give the terminal's modes (termios) as they are now."""
        return termios.tcgetattr(self._slave)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size; the program is told by SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for_end(self, seconds: float = 10) -> int:
        """Read until the program has ended; gives its exit status.

        Raises:
            subprocess.TimeoutExpired: it did not end.
        """
        deadline = time.perf_counter() + seconds
        if self._master < 0:
            return self._process.wait(timeout=seconds)
        while self._process.poll() is None and time.perf_counter() < deadline:
            self._read_some(0.05)
        status = self._process.wait(timeout=0.1)
        while self._read_some(0.05):
            pass
        return status

    def text(self) -> str:
        """Give everything drawn so far without escape sequences."""
        return ESCAPES.sub(b"", bytes(self.output)).decode("utf-8", "replace")

    def read(self, seconds: float) -> int:
        """Read what comes within `seconds`; gives the bytes read."""
        deadline = time.perf_counter() + seconds
        before = len(self.output)
        while (left := deadline - time.perf_counter()) > 0:
            if not self._read_some(left):
                break
        return len(self.output) - before

    def wait_for(self, pattern: bytes, seconds: float = 20) -> float:
        """Read until `pattern` stands in the text drawn so far; gives seconds since the start."""
        wanted = re.compile(pattern)
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            if wanted.search(ESCAPES.sub(b"", bytes(self.output))):
                return time.perf_counter() - self.started
            if not self._read_some(deadline - time.perf_counter()):
                break
        tail = ESCAPES.sub(b" ", bytes(self.output))[-600:]
        raise TimeoutError(f"{pattern!r} was not drawn; the last text was {tail!r}")

    def press(self, keys: bytes, seconds: float = 1.0) -> float | None:
        """Send keys; gives the seconds until the screen changed, None where it did not."""
        sent = time.perf_counter()
        os.write(self._master, keys)
        return time.perf_counter() - sent if self._read_some(seconds) else None

    def processor_seconds(self) -> float:
        """Give user plus system seconds of the process and its live children."""
        return sum(_processor_seconds(pid) for pid in self._family())

    def memory_bytes(self) -> int:
        """Give the proportional set size (PSS) of the process and its live children."""
        return sum(_pss(pid) for pid in self._family())

    def _family(self) -> list[int]:
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
                parents[int(entry.name)] = int(fields[1])
        family = [self._process.pid]
        for pid in family:
            family.extend(child for child, parent in parents.items() if parent == pid)
        return family

    def _read_some(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.output += data
        for query, answer in ANSWERS.items():
            if query in data:
                os.write(self._master, answer)
        return bool(data)


def _own_terminal() -> None:
    """Make the pty the new process's controlling terminal, as a login does."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _processor_seconds(pid: int) -> float:
    """Give a process's own clock: at 1 % of a core, ticks of 10 ms are coarse."""
    try:
        return time.clock_gettime(_clock_of(pid))
    except OSError:
        return 0.0  # it has ended


def _clock_of(pid: int) -> int:
    """Give the number of a process's CPU clock, as clock_getcpuclockid(3) does."""
    return (~pid << 3) | 2


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
