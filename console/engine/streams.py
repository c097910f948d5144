"""Endless answers of the engine: read by one thread, ended by any, never left open."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from console.clock import Clock, SystemClock

if TYPE_CHECKING:
    import requests

_LONGEST_LINE = 4 << 20
_MOST_OUTPUT = 8 << 20
_FRAME_HEADER = 8


class EventStream:
    """Events as the engine sends them, one object a line; closes its connection at its end.

    `cancel()` may be called from any thread and ends a blocked read; everything else belongs to
    the thread of the client.
    """

    def __init__(
        self,
        response: "requests.Response",
        pieces: Iterator[bytes],
        raised: Callable[[BaseException], Exception],
    ) -> None:
        from console.engine.transport import FAULTS, socket_of

        self._response = response
        self._pieces = pieces
        self._raised = raised
        self._faults = FAULTS
        self._socket = socket_of(response)
        self.cancelled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def events(self) -> Iterator[dict[str, Any]]:
        """Give one decoded event after another; what is not an object is skipped.

        Raises:
            EngineError: the engine hung up in the middle.
        """
        from console.engine.transport import decode

        rest = b""
        for piece in self._received():
            rest += piece
            *lines, rest = rest.split(b"\n")
            if len(rest) > _LONGEST_LINE:
                rest = b""
            for line in lines:
                with contextlib.suppress(ValueError):
                    event = decode(line) if line.strip() else None
                    if isinstance(event, dict):
                        yield event

    def cancel(self) -> None:
        """End it, from any thread, at once."""
        self.cancelled = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back; harmless when done twice."""
        with contextlib.suppress(*self._faults):
            self._response.close()

    def _received(self) -> Iterator[bytes]:
        """Give the pieces; ends quietly when cancelled."""
        try:
            yield from self._pieces
        except self._faults as error:
            if not self.cancelled:
                raise self._raised(error) from error
        finally:
            self.close()


def read_frames(response: "requests.Response | None", limit: float) -> bytes:
    """Read the multiplexed output of an upgraded connection to its end, and close it.

    The SDK's own reader loses what arrived together with the headers, and waits without limit.

    Raises:
        TimeoutError: it did not end within `limit` seconds.
    """
    if response is None:
        return b""
    reader: Any = response.raw
    for name in ("_fp", "fp"):
        reader = getattr(reader, name)
    pace: Clock = SystemClock()
    deadline = pace.monotonic() + limit
    output = bytearray()
    try:
        while len(header := reader.read(_FRAME_HEADER)) == _FRAME_HEADER:
            output += reader.read(int.from_bytes(header[4:], "big"))
            if pace.monotonic() > deadline:
                raise TimeoutError
            if len(output) > _MOST_OUTPUT:
                break
    finally:
        response.close()
    return bytes(output[:_MOST_OUTPUT])
