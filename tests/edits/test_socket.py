"""WebSockets as servers really open, fill, refuse and break them."""

import base64
import hashlib
import json
import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clock import SystemClock
from console.comfyui.frames import PreviewFrame, TextFrame, parse_frame
from console.comfyui.messages import parse_message
from console.comfyui.tracker import Tracker
from console.simulator.services.pixels import flat_jpeg, painted
from console.simulator.services.script import frame, odd_frames
from console.web.client import WebClient
from console.web.faults import (
    BadStatusError,
    NeedsAuthError,
    OddAnswerError,
    ServiceFault,
    ServiceUnreachableError,
)
from console.web.socket import LARGEST_MESSAGE, WebSocket
from tests.web.servers import message, serving

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def framed(kind: int, body: bytes, *, last: bool = True, size: int | None = None) -> bytes:
    """Give a frame as servers send it: not masked, its length in as few bytes as it takes."""
    length = len(body) if size is None else size
    head = bytes((kind | (0x80 if last else 0),))
    if length < 126:
        return head + bytes((length,)) + body
    if length < 1 << 16:
        return head + b"\x7e" + struct.pack(">H", length) + body
    return head + b"\x7f" + struct.pack(">Q", length) + body


def speaking(*frames: bytes, key: str = "") -> Callable[[socket.socket, bytes], None]:
    """Open a WebSocket for whoever asks and say these frames."""

    def handler(sock: socket.socket, request: bytes) -> None:
        head = request.decode("latin-1").lower()
        at = head.index("sec-websocket-key:") + len("sec-websocket-key:")
        asked = request[at:].split(b"\r\n", 1)[0].strip().decode()
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1((asked + guid).encode()).digest()
        accept = key or base64.b64encode(digest).decode()
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        for part in frames:
            sock.sendall(part)
        sock.recv(65536)

    return handler


def opened(url: str) -> WebSocket:
    return WebClient(url).socket("/ws?clientId=a")


def test_a_picture_of_a_mebibyte_and_one_of_sixteen_come_whole() -> None:
    small, large = bytes(range(256)) * 4096, b"\x07" * (16 << 20)
    with serving(speaking(framed(BINARY, small), framed(BINARY, large))) as server:
        socket_ = opened(server.url)
        assert socket_.receive(5) == small
        assert socket_.receive(10) == large
        assert socket_.receive(0.05) is None
        socket_.close()


def test_pieces_are_put_together_and_pings_between_them_answered() -> None:
    parts = (
        framed(TEXT, "mäd".encode()[:2], last=False), framed(PING, b"hi"),
        framed(0, "mäd".encode()[2:]), framed(BINARY, b"x"),
    )  # fmt: skip
    with serving(speaking(*parts)) as server:
        socket_ = opened(server.url)
        assert socket_.receive(3) == "mäd"
        assert socket_.receive(3) == b"x"


def test_a_message_beyond_the_limit_ends_the_connection_and_not_the_memory() -> None:
    promise = framed(BINARY, b"\0" * (LARGEST_MESSAGE + 1))
    with serving(speaking(promise)) as server, pytest.raises(OddAnswerError) as caught:
        opened(server.url).receive(20)
    assert caught.value.code == "web.too-large"


@pytest.mark.parametrize(
    "said",
    [
        (framed(CLOSE, struct.pack(">H", 1011)),),
        (b"\xff\xff\xff\xff",),
        (framed(TEXT, b"\xff\xfe\xfd"),),
        (framed(5, b"a kind that there is not"),),
    ],
)
def test_goodbyes_and_garbage_are_faults(said: tuple[bytes, ...]) -> None:
    with serving(speaking(*said)) as server:
        socket_ = opened(server.url)
        with pytest.raises(ServiceFault):
            socket_.receive(3)
        with pytest.raises(ServiceFault):
            socket_.receive(3)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (message("403 Forbidden", ""), NeedsAuthError),
        (message("401 Unauthorized", "{}"), NeedsAuthError),
        (message("404 Not Found", "404: Not Found", "text/plain"), BadStatusError),
        (message("200 OK", "<html><title>It works</title></html>", "text/html"), OddAnswerError),
    ],
)
def test_a_refused_handshake_is_told_as_what_it_is(answer: bytes, kind: type[ServiceFault]) -> None:
    with serving(lambda sock, _: sock.sendall(answer)) as server, pytest.raises(kind):
        opened(server.url)


def test_a_wrong_answer_to_the_key_and_nobody_at_all_are_faults() -> None:
    with serving(speaking(key="AAAA")) as server, pytest.raises(OddAnswerError):
        opened(server.url)
    with pytest.raises(ServiceUnreachableError):
        opened("http://127.0.0.1:9")


def test_live_pictures_of_every_kind_are_read_and_all_others_dropped() -> None:
    grey = flat_jpeg(16, 8, 3)
    plain, described = frame("p", "8", grey, False), frame("p", "8", grey, True)
    read = parse_frame(plain)
    assert isinstance(read, PreviewFrame)
    assert (read.media, read.node, read.prompt) == ("image/jpeg", "", "")
    read = parse_frame(described)
    assert isinstance(read, PreviewFrame)
    assert (read.media, read.node, read.prompt) == ("image/jpeg", "8", "p")
    png = painted(4, 4, 9, {})
    assert parse_frame(struct.pack(">II", 1, 2) + png) == PreviewFrame(data=png, media="image/png")
    # What it is, its first bytes say, whatever the number does.
    assert parse_frame(struct.pack(">II", 1, 2) + grey) == PreviewFrame(
        data=grey, media="image/jpeg"
    )
    text = parse_frame(struct.pack(">II", 3, 2) + b"12" + b"half\x1b[2J way")
    assert text == TextFrame(node="12", text="half way")
    kinds = [parse_frame(odd) for odd in odd_frames() if isinstance(odd, bytes)]
    assert [type(kind).__name__ for kind in kinds if kind] == ["PreviewFrame", "TextFrame"]


@given(st.binary(max_size=200), st.sampled_from([b"", struct.pack(">I", 1), struct.pack(">I", 3),
       struct.pack(">I", 4), struct.pack(">II", 4, 2)]))  # fmt: skip
def test_no_frame_whatsoever_raises(body: bytes, head: bytes) -> None:
    parse_frame(head + body)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["prompt_id", "node", "nodes", "value", "max", "output",
                                       "images", "filename", "a"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
TYPES = st.sampled_from(
    ["status", "executing", "progress", "progress_state", "executed", "execution_start", "other"]
)


@given(TYPES, JSON)
def test_no_message_whatsoever_raises_or_ends_a_run(sort: str, data: object) -> None:
    tracker = Tracker("another", {"1": {}}, "http://it", SystemClock())
    text = json.dumps({"type": sort, "data": data})
    parse_message(text)
    tracker.hear(text)
    assert not tracker.over
