"""ComfyUI's WebSocket from outside: it passes when the first status has arrived, not before."""

import base64
import hashlib
import re
import socket
import time
from pathlib import Path

import pytest

from console.outside.address import public_address
from console.outside.listening import AS_BROWSERS, Listened, listen
from console.outside.visit import Visitor
from tests.outside.site import STATS, Talk, answered, looked, session_of, site

STATUS = b'{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}}}'


def frame(text: bytes, first: int = 0x81) -> bytes:
    return (
        bytes([first, len(text)]) + text
        if len(text) < 126
        else (bytes([first, 126]) + len(text).to_bytes(2) + text)
    )


def opening(head: str, *more: str) -> bytes:
    key = re.search(r"Sec-WebSocket-Key: (\S+)", head)
    assert key is not None
    told = hashlib.sha1((key[1] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {base64.b64encode(told).decode()}", *more, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def after(*frames: bytes, hold: bool = True, deflate: bool = False) -> Talk:
    def talk(connection: socket.socket, head: str) -> None:
        offered = "permessage-deflate" in head
        more = ("Sec-WebSocket-Extensions: permessage-deflate",) if deflate and offered else ()
        connection.sendall(opening(head, *more))
        for one in frames:
            connection.sendall(one)
        while hold and connection.recv(4096):
            pass

    return talk


def heard(talk: Talk, compress: int = AS_BROWSERS) -> tuple[Listened, str]:
    with site(talk) as there:
        visitor = Visitor(public_address(there.url), ("127.0.0.1",), {}, patience=0.8)
        begun = time.monotonic()
        found = listen(visitor, compress=compress)
        assert time.monotonic() - begun < 3
        return found, there.heads[0]


def test_it_offers_what_browsers_offer_and_says_where_it_comes_from() -> None:
    found, head = heard(after(frame(STATUS)))
    assert (found.stage, found.compressed) == ("status", False)
    assert "Sec-WebSocket-Extensions: permessage-deflate" in head
    assert "Origin: http://localhost:" in head
    _, head = heard(after(frame(STATUS)), compress=0)
    assert "Sec-WebSocket-Extensions" not in head


def test_frames_before_the_first_status_are_passed_over() -> None:
    other = frame(b'{"type": "crystools.monitor", "data": {}}')
    assert heard(after(other, frame(b"\x00\x00\x00\x01pic", 0x82), frame(STATUS)))[0].stage == (
        "status"
    )


@pytest.mark.parametrize(
    ("talk", "stage"),
    [
        (after(), "silent"),
        (after(frame(b'{"type": "progress"}')), "silent"),
        (after(hold=False), "closed"),
        (after(frame(b"\x03\xf0", 0x88)), "closed"),
        (after(b"\xff\xff\xff\xff" * 9), "closed"),
        (after(frame(b"not deflated", 0xC1), deflate=True), "closed"),
        (after(b"\x81\x7f" + (1 << 40).to_bytes(8)), "closed"),
        (after(*[frame(b"{}") for _ in range(40)]), "odd"),
        (after(frame(b"[" * 120)), "silent"),
    ],
)
def test_a_handshake_alone_does_not_pass(talk: Talk, stage: str) -> None:
    assert heard(talk)[0].stage == stage


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answered("200 OK", "<html>", "text/html"), 200),
        (answered("426 Upgrade Required"), 426),
        (answered("101 Switching Protocols"), 101),
        (answered("302 Found", Location="http://127.0.0.1:9/ws"), 302),
        (answered("502 Bad Gateway"), 502),
    ],
)
def test_no_handshake_is_a_refusal_whoever_gives_it(answer: bytes, status: int) -> None:
    def talk(connection: socket.socket, _head: str) -> None:
        connection.sendall(answer)

    found, _ = heard(talk)
    assert (found.stage, found.status) == ("refused", status)


def looked_through(home: Path, talk: Talk) -> list[str]:
    """Give what the doctor finds of a ComfyUI whose WebSocket talks like this."""

    def all_of_it(connection: socket.socket, head: str) -> None:
        if head.split(" ")[1].startswith("/ws"):
            talk(connection, head)
        else:
            connection.sendall(answered("200 OK", STATS))

    with site(all_of_it) as there:
        whole = looked(session_of(home, there.url), "outside.websocket")
    return [one.id for one in whole.findings if one.id != "outside.plain-http"]


def with_compression(talk: Talk, without: Talk) -> Talk:
    def choose(connection: socket.socket, head: str) -> None:
        (talk if "permessage-deflate" in head else without)(connection, head)

    return choose


def refused(connection: socket.socket, _head: str) -> None:
    connection.sendall(answered("502 Bad Gateway"))


@pytest.mark.parametrize(
    ("talk", "ident"),
    [
        (with_compression(after(hold=False), after(frame(STATUS))), "http.arr-ws-compression"),
        (with_compression(after(), after(frame(STATUS))), "http.arr-ws-compression"),
        (with_compression(refused, after(frame(STATUS))), "http.arr-ws-compression"),
        (after(hold=False), "outside.websocket-silent"),
        (after(), "outside.websocket-silent"),
        (with_compression(after(), refused), "outside.websocket-silent"),
        (refused, "http.websocket-refused"),
    ],
)
def test_the_fault_of_compression_is_told_from_all_others(
    tmp_path: Path, talk: Talk, ident: str
) -> None:
    assert looked_through(tmp_path, talk) == [ident]
