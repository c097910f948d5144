"""A WebSocket of a service: text and binary messages, each read within a time, none too large.

Importing this module imports the HTTP libraries; `WebClient.socket` is the way in.
"""

import contextlib
import os
from base64 import b64encode
from collections import deque
from hashlib import sha1

import httpcore2
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Ping,
    TextMessage,
)
from wsproto.events import Event as WireEvent
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from console.clock import Clock, SystemClock
from console.units import format_bytes
from console.web.faults import OddAnswerError, ServiceFault, ServiceUnreachableError, fault
from console.web.transport import Wires

LARGEST_MESSAGE = 64 << 20
"""Bytes of one message; a live picture of a large edit has some MiB."""

_PIECE = 256 << 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE_SECONDS = 1.0
_SEND_SECONDS = 5.0


def handshake() -> tuple[dict[str, str], str]:
    """Give the headers that ask for a WebSocket, and the answer that has to come to their key."""
    key = b64encode(os.urandom(16))
    wanted = b64encode(sha1(key + _GUID, usedforsecurity=False).digest()).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
    }
    return headers, wanted


class WebSocket:
    """An open WebSocket; belongs to one thread, any other may `abort()` it.

    Args:
        stream: the connection after the handshake.
        wires: what made it; its deadline is ours alone.
        address: of the service, for faults.
        largest: bytes of a message; a larger one ends the connection.
    """

    def __init__(
        self,
        stream: httpcore2.NetworkStream,
        wires: Wires,
        address: str,
        largest: int = LARGEST_MESSAGE,
    ) -> None:
        self._stream = stream
        self._wires = wires
        self._address = address
        self._largest = largest
        self._pace: Clock = SystemClock()
        self._protocol = Connection(ConnectionType.CLIENT)
        self._ready: deque[str | bytes] = deque()
        self._parts: list[str | bytes] = []
        self._size = 0
        self._over: ServiceFault | None = None
        self.heard_monotonic = self._pace.monotonic()

    def send(self, text: str) -> None:
        """Send a text message.

        Raises:
            ServiceUnreachableError: the connection is gone.
        """
        self._write(TextMessage(text))

    def ping(self) -> None:
        """Ask for a sign of life; `heard_monotonic` moves when it comes, or anything else.

        Raises:
            ServiceUnreachableError: the connection is gone.
        """
        self._write(Ping())

    def receive(self, seconds: float) -> str | bytes | None:
        """Give the next message; None where none came within `seconds`.

        Raises:
            ServiceUnreachableError: the service closed it, or the connection broke.
            OddAnswerError: what came is no WebSocket message, or a too large one.
        """
        until = self._pace.monotonic() + seconds
        while not self._ready:
            if self._over is not None:
                raise self._over
            if not self._read(until):
                return None
        return self._ready.popleft()

    def close(self) -> None:
        """Say goodbye and wait a moment for the answer, so that the service knows before we go on.

        ComfyUI forgets a client's new connection when the old one with the same name closes after
        it: whoever connects again has to have closed in order first.
        """
        with contextlib.suppress(ServiceFault, LocalProtocolError):
            if self._protocol.state is ConnectionState.OPEN:
                self._write(CloseConnection(1000))
            until = self._pace.monotonic() + _CLOSE_SECONDS
            while self._over is None and self._read(until):
                self._ready.clear()
        with contextlib.suppress(httpcore2.NetworkError, OSError):
            self._stream.close()

    def abort(self) -> None:
        """End it at once, from any thread."""
        self._wires.cut()

    def _read(self, until: float) -> bool:
        """Take in what has come; False where nothing did in time."""
        # A read of no time at all still gives what is there already.
        self._wires.deadline = max(until, self._pace.monotonic() + 0.001)
        try:
            data = self._stream.read(_PIECE)
        except httpcore2.TimeoutException:
            return False
        except (httpcore2.NetworkError, OSError):
            data = b""
        if not data:
            self._end()
            return True
        self.heard_monotonic = self._pace.monotonic()
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._take(event)
        except RemoteProtocolError:
            self._over = fault(
                OddAnswerError, "web.odd-answer", address=self._address, what="WebSocket"
            )
        return True

    def _take(self, event: object) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            self._gather(event)
        elif isinstance(event, Ping):
            with contextlib.suppress(ServiceFault):
                self._write(event.response())
        elif isinstance(event, CloseConnection):
            with contextlib.suppress(ServiceFault, LocalProtocolError):
                self._write(event.response())
            self._end()

    def _gather(self, event: TextMessage | BytesMessage) -> None:
        if self._over is not None:
            return
        self._size += len(event.data)
        if self._size > self._largest:
            self._parts.clear()
            size = format_bytes(self._largest)
            self._over = fault(
                OddAnswerError, "web.too-large", address=self._address, what="WebSocket", size=size
            )
            return
        self._parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
        if event.message_finished:
            empty = "" if isinstance(event, TextMessage) else b""
            self._ready.append(empty.join(self._parts))  # type: ignore[arg-type]
            self._parts, self._size = [], 0

    def _write(self, event: WireEvent) -> None:
        try:
            self._wires.deadline = self._pace.monotonic() + _SEND_SECONDS
            self._stream.write(self._protocol.send(event))
        except (httpcore2.NetworkError, httpcore2.TimeoutException, OSError) as error:
            self._end()
            raise self._closed() from error
        except LocalProtocolError as error:
            raise self._closed() from error

    def _end(self) -> None:
        if self._over is None:
            self._over = self._closed()

    def _closed(self) -> ServiceUnreachableError:
        return fault(ServiceUnreachableError, "web.closed", address=self._address, what="WebSocket")
