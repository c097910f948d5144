"""A container's log as the engine sends it: messages with their stream, read with a time limit."""

import contextlib
import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from console.engine.frames import Batch, Chunked, Frames, Raw, Sized

if TYPE_CHECKING:
    import requests

_PIECE = 256 << 10


class LogStream:
    """An open log; belongs to one thread, but any may `cancel()` it.

    It reads the connection itself: the layers above take a second for 100 000 lines, since the
    engine sends each in an HTTP chunk of its own.

    Args:
        response: an answer of which only the headers were read.
        tty: the container has a terminal: bytes without frames.
        raised: makes our error of what the connection raised.
    """

    def __init__(
        self,
        response: "requests.Response",
        tty: bool,
        raised: Callable[[BaseException], Exception],
    ) -> None:
        from console.engine.transport import FAULTS, socket_of

        self._response = response
        self._raised = raised
        self._faults = FAULTS
        found = socket_of(response)
        if found is None:
            raise raised(ValueError("an answer without a connection"))
        self._socket: socket.socket = found
        chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        length = response.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else None
        self._content: Chunked | Sized = Chunked() if chunked else Sized(size)
        self._messages: Raw | Frames = Raw() if tty else Frames()
        self._first: bytes | None = self._buffered()
        self._cancelled = False
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def problems(self) -> tuple[str, ...]:
        """Give what the engine itself said in between, such as that a log file is damaged."""
        return tuple(self._messages.problems)

    @property
    def torn(self) -> int:
        """Give how many bytes came of a message whose rest has not."""
        return self._messages.torn

    def read(self, wait: float | None = None) -> Batch | None:
        """Give the next messages; None where none came within `wait` seconds (None: for ever).

        At the end of the log `ended` becomes true, and the last of it is given.

        Raises:
            EngineError: the engine hung up in the middle.
        """
        if self._content.over:
            return self._last()
        try:
            data = self._received(wait)
        except self._faults as error:
            if not self._cancelled:
                raise self._raised(error) from error
            data = b""
        if data is None:
            return None
        if not data:
            self._end_of_connection()
            return self._messages.finish()
        try:
            content = self._content.feed(data)
        except ValueError as error:
            raise self._raised(error) from error
        return self._completed(self._messages.feed(content))

    def cancel(self) -> None:
        """End it, from any thread, at once."""
        self._cancelled = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back; harmless when done twice."""
        with contextlib.suppress(*self._faults):
            self._response.close()

    def _completed(self, batch: Batch) -> Batch:
        """Give messages with the very last one, where these were the last bytes."""
        if not self._content.over:
            return batch
        last = self._last()
        return Batch(batch.pieces + last.pieces, plain=False) if last.pieces else batch

    def _last(self) -> Batch:
        self.ended = True
        return self._messages.finish()

    def _end_of_connection(self) -> None:
        self.ended = True
        if self._content.bounded and not self._content.over and not self._cancelled:
            raise self._raised(ConnectionResetError(104, "the connection ended in the middle"))

    def _received(self, wait: float | None) -> bytes | None:
        """Give the next bytes of the connection, empty at its end; None after `wait` seconds."""
        if self._first:
            first, self._first = self._first, None
            return first
        if wait is not None and not self._ready(wait):
            return None
        return self._socket.recv(_PIECE)

    def _ready(self, wait: float) -> bool:
        """Wait until something can be read; TLS may have decoded some of it already."""
        pending = getattr(self._socket, "pending", None)
        if pending is not None and pending():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(1000 * wait))

    def _buffered(self) -> bytes:
        """Give what was read together with the headers and waits in their buffer."""
        reader: Any = self._response.raw
        for name in ("_fp", "fp"):
            reader = getattr(reader, name, None)
        if reader is None:
            return b""
        timeout = self._socket.gettimeout()
        self._socket.setblocking(False)
        try:
            waiting = reader.peek(1)
            return bytes(reader.read(len(waiting))) if waiting else b""
        except (BlockingIOError, OSError):
            return b""
        finally:
            self._socket.settimeout(timeout)
