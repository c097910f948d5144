"""An interactive shell on a taken-over connection: what `docker exec -it NAME sh` talks to."""

import asyncio
from collections.abc import Callable

from console.simulator.engine.execs import Outcome

_PROMPT = b"# "
_BACKSPACES = frozenset({0x08, 0x7F})
_INTERRUPT, _END, _CLEAR = 0x03, 0x04, 0x15
_LONGEST = 4096


class ShellTerminal(asyncio.Protocol):
    """Echoes what is typed, runs each line, ends at `exit` or Ctrl-D.

    Args:
        before: who had the connection, to be told of its end.
        run: gives what a line answers.
        ended: called once with the exit code.

    Attributes:
        over: set once the shell has ended.
    """

    def __init__(
        self,
        before: asyncio.BaseProtocol,
        run: Callable[[str], Outcome],
        ended: Callable[[int], None],
    ) -> None:
        self._before = before
        self._run = run
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._line = bytearray()
        self._code = 0
        self.over = asyncio.Event()

    def take(self, transport: asyncio.Transport) -> None:
        """Begin: show the first prompt."""
        self._transport = transport
        self._write(_PROMPT)

    def data_received(self, data: bytes) -> None:
        """Take what was typed, byte by byte, as a terminal's line discipline does."""
        for byte in data:
            if self.over.is_set():
                return
            if byte in b"\r\n":
                self._enter()
            elif byte == _END and not self._line:
                self._write(b"\r\n")
                self._leave(self._code)
            elif byte in {_INTERRUPT, _CLEAR}:
                self._line.clear()
                self._write(b"^C\r\n" + _PROMPT if byte == _INTERRUPT else b"\r\x1b[K" + _PROMPT)
            elif byte in _BACKSPACES:
                if self._line:
                    del self._line[-1:]
                    self._write(b"\b \b")
            elif byte >= 0x20 and len(self._line) < _LONGEST:
                self._line.append(byte)
                self._write(bytes([byte]))

    def _enter(self) -> None:
        text = self._line.decode("utf-8", "replace").strip()
        self._line.clear()
        self._write(b"\r\n")
        word, _, rest = text.partition(" ")
        if word in {"exit", "logout"}:
            self._leave(int(rest) % 256 if rest.strip().isdecimal() else self._code)
            return
        if text:
            outcome = self._run(text)
            self._code = outcome.code
            said = (outcome.stdout + outcome.stderr).encode("utf-8", "surrogateescape")
            self._write(said.replace(b"\n", b"\r\n"))
        self._write(_PROMPT)

    def _leave(self, code: int) -> None:
        self._end(code)
        if self._transport is not None:
            self._transport.close()

    def _end(self, code: int) -> None:
        if not self.over.is_set():
            self.over.set()
            self._ended(code)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        """End the shell with its line, and tell who had the connection before."""
        self._end(129)
        self._before.connection_lost(error)
