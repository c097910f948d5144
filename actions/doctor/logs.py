"""The recent part of a container's log, bounded: the beginning of its run, and the end."""

import time
from datetime import datetime
from typing import TYPE_CHECKING

from console.engine.endpoint import Endpoint
from console.engine.frames import CONTINUED, Batch
from console.engine.values import mapping

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.engine.snapshot import Container

_TAIL_LINES = 2500
_HEAD_BYTES = 256 << 10
_TAIL_BYTES = 2 << 20
_SECONDS = 2.0
_LONGEST_SECONDS = 4.0
_EARLIER_SECONDS = 1.0


def read_recent(endpoint: Endpoint, container: "Container") -> tuple[str, ...]:
    """Give the lines, oldest first; what lies between the run's beginning and its end is left out.

    Raises:
        EngineError: it is gone, or the engine cannot be asked.
    """
    from console.engine.client import EngineClient

    with EngineClient(endpoint) as client:
        tty = mapping(client.inspect(container.id).get("Config")).get("Tty") is True
        tail = _read(client, container.id, tty, "", _TAIL_LINES, _TAIL_BYTES)
        since = _since(container)
        if len(tail) < _TAIL_LINES or not since:
            return tuple(tail)
        head = _read(client, container.id, tty, since, None, _HEAD_BYTES)
    first = tail[0]
    return (*head[: head.index(first)], *tail) if first in head else (*head, *tail)


def _read(
    client: "EngineClient", ident: str, tty: bool, since: str, tail: int | None, limit: int
) -> list[str]:
    data = bytearray()
    begun = time.monotonic()
    with client.log_stream(ident, tty=tty, since=since, tail=tail) as stream:
        while not stream.ended and len(data) < limit:
            if time.monotonic() - begun > _LONGEST_SECONDS:
                break  # one that trickles in is taken as far as it came
            batch = stream.read(_SECONDS)
            if batch is None:
                break
            _gather(batch, data)
    return data.decode("utf-8", "replace").splitlines()


def _gather(batch: Batch, data: bytearray) -> None:
    for stream, piece in batch.pieces:
        # A long message comes in parts; only its first has a time of its own.
        if stream & CONTINUED and data.endswith(b"\n"):
            del data[-1]
        data += piece
        if not data.endswith(b"\n"):
            data += b"\n"


def _since(container: "Container") -> str:
    started = container.started_at
    if not isinstance(started, datetime):
        return ""
    return f"{max(started.timestamp() - _EARLIER_SECONDS, 0):.3f}"
