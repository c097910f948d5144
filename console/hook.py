"""The door to the operator's own command: no shell, told on stdin, and never for long."""

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

import msgspec

from console.mask import mask_text
from console.text import clean_bytes, clean_line
from console.unknown import Unknown

_KEPT_BYTES = 2_000
_GRACE_SECONDS = 1.0
_LOOK_SECONDS = 0.1


class HookEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended.

    Attributes:
        problem: why it did not end well; None where it did.
        seconds: that it took.
        said: the end of what it wrote on stderr, as one masked line.
    """

    problem: Unknown | None
    seconds: float
    said: str = ""


class Hook:
    """Runs commands one after the other; any thread may `abort()` the one under way.

    Each has a session of its own, so that it ends together with whatever it started.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._aborted = False

    def run(
        self, argv: Sequence[str], told: bytes, environ: Mapping[str, str], limit: float
    ) -> HookEnd:
        """Run a command to its end, or to its limit in seconds; never raises for what it does.

        Args:
            argv: the program and its arguments, as they are.
            told: goes to its stdin; what it does not read is lost.
            environ: its environment.
            limit: seconds; then it is ended, with all that it has started.
        """
        begun = time.monotonic()
        try:
            with self._lock:
                if self._aborted:
                    return _ended("hook.aborted", f"{_name(argv)} was not run: we end", begun)
                process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=dict(environ),
                    start_new_session=True,
                    close_fds=True,
                )
                self._process = process
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return _not_run(argv, error, begun)
        try:
            said, in_time = self._attend(process, told, begun + limit)
        finally:
            _end(process)
            self._process = None
        return _judged(argv, process.returncode, in_time, said, limit, begun)

    def abort(self) -> None:
        """End the command under way, and run none any more."""
        with self._lock:
            self._aborted = True
            process = self._process
        if process is not None:
            _signal(process, signal.SIGTERM)

    def _attend(
        self, process: subprocess.Popen[bytes], told: bytes, until: float
    ) -> tuple[bytes, bool]:
        """Feed it and listen until it ends; gives what it said last, and whether it was in time."""
        assert process.stdin is not None  # noqa: S101 -- pipes were asked for
        assert process.stderr is not None  # noqa: S101
        said, left = b"", memoryview(told)
        with selectors.DefaultSelector() as watched:
            for stream, events in (
                (process.stdin, selectors.EVENT_WRITE),
                (process.stderr, selectors.EVENT_READ),
            ):
                os.set_blocking(stream.fileno(), False)
                watched.register(stream, events)
            while process.poll() is None and time.monotonic() < until and not self._aborted:
                for key, _ in watched.select(
                    min(_LOOK_SECONDS, max(0.0, until - time.monotonic()))
                ):
                    if key.fileobj is process.stderr:
                        piece = _read(process.stderr.fileno())
                        said = (said + piece)[-_KEPT_BYTES:]
                        if not piece:
                            watched.unregister(process.stderr)
                        continue
                    left = _written(process.stdin.fileno(), left)
                    if not left:
                        watched.unregister(process.stdin)
                        process.stdin.close()
                if not watched.get_map():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(max(0.0, min(_LOOK_SECONDS, until - time.monotonic())))
            said = (said + _read(process.stderr.fileno()))[-_KEPT_BYTES:]
        return said, process.poll() is not None


def _read(number: int) -> bytes:
    try:
        return os.read(number, 65536)
    except OSError:
        return b""


def _written(number: int, left: memoryview) -> memoryview:
    """Write what goes; a command that does not read what it is told is free not to."""
    try:
        return left[os.write(number, left[:4096]) :]
    except BlockingIOError:
        return left
    except OSError:
        return left[:0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and its children, first kindly, and let go of its pipes."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    # What it left running in its session has nobody who would end it.
    _signal(process, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    for stream in (process.stdin, process.stderr):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, number)


def _judged(
    argv: Sequence[str], code: int | None, in_time: bool, said: bytes, limit: float, begun: float
) -> HookEnd:
    words = clean_line(mask_text(clean_bytes(said)), 300)
    if not in_time:
        title = f"{_name(argv)} did not end within {limit:g} s and was ended"
        return _ended("hook.timeout", title, begun, words)
    if code == 0:
        return HookEnd(problem=None, seconds=time.monotonic() - begun, said=words)
    how = f"exit {code}" if code is not None and code > 0 else f"signal {-(code or 0)}"
    return _ended("hook.failed", f"{_name(argv)} failed: {how}", begun, words)


def _not_run(argv: Sequence[str], error: Exception, begun: float) -> HookEnd:
    number = error.errno if isinstance(error, OSError) else None
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    hints = {
        errno.ENOENT: "check watch.command in the config: a path, or a name that PATH has",
        errno.EACCES: "make it executable: chmod +x",
        errno.ENOEXEC: "its first line has to name its interpreter, such as #!/bin/sh",
    }
    problem = Unknown(
        "hook.not-run",
        f"{_name(argv)} cannot be run: {clean_line(reason, 200)}",
        hints.get(number, "") if number else "",
    )
    return HookEnd(problem=problem, seconds=time.monotonic() - begun)


def _ended(code: str, title: str, begun: float, said: str = "") -> HookEnd:
    hint = f"it said: {said}" if said else ""
    return HookEnd(problem=Unknown(code, title, hint), seconds=time.monotonic() - begun, said=said)


def _name(argv: Sequence[str]) -> str:
    return clean_line(argv[0], 100) if argv else "the command"
