"""How answers are written on the wire: Go's JSON, Go's times, the frames of a log stream."""

import json
import struct
from typing import Any

from aiohttp import web

from console.simulator.stage import Stage

ZERO_TIME = "0001-01-01T00:00:00Z"

_RAW = {0xE000 + byte: 0xDC00 + byte for byte in range(0x80, 0x100)}
"""U+E080 to U+E0FF of a scene stand for raw bytes, so that a scene can send broken UTF-8."""

_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def raw(text: str) -> bytes:
    """Give a text of a scene as bytes, with its raw bytes as they are."""
    return text.translate(_RAW).encode("utf-8", "surrogateescape")


def encoded(data: Any) -> bytes:
    """Give JSON as Go's encoder writes it: without blanks, ended by a newline."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return raw(text.translate(_GO_ESCAPES) + "\n")


def answer(data: Any, status: int = 200) -> web.Response:
    """Give a JSON answer."""
    return web.Response(body=encoded(data), status=status, content_type="application/json")


def refused(status: int, message: str) -> web.Response:
    """Give an error as the engine does: an object with a `message`."""
    return answer({"message": message}, status)


def frame(stream: int, payload: bytes) -> bytes:
    """Give a chunk of output of a container without a terminal: stream, length, bytes."""
    return struct.pack(">BxxxL", stream, len(payload)) + payload


def go_time(stage: Stage, at: float | None) -> str:
    """Give a moment of the scene as the engine prints times: UTC, nanoseconds, no end zeros."""
    if at is None:
        return ZERO_TIME
    return full_time(stage, at).removesuffix("Z").rstrip("0").rstrip(".") + "Z"


def full_time(stage: Stage, at: float) -> str:
    """Give a moment as in front of a log line: always nine digits."""
    nano = stage.nanoseconds(at) % 1_000_000_000
    return f"{stage.wall(at):%Y-%m-%dT%H:%M:%S}.{nano:09d}Z"
