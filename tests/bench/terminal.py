"""A program in a pty of 120x40, watched from outside: what it draws, and what it costs."""

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

ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
SYNC_QUERY = b"\x1b[?2026$p"
SYNC_ANSWER = b"\x1b[?2026;2$y"
TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """Runs a command in a pty and plays a modern terminal to it (answers the sync query)."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.output = bytearray()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        os.close(self._master)

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
        if SYNC_QUERY in data:
            os.write(self._master, SYNC_ANSWER)
        return bool(data)


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _processor_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
