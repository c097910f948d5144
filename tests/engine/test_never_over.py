"""Answers that drip or never end, and redirects: a look at the engine is over in time all the same.

A time limit of the SDK is for each piece of an answer; one byte now and then keeps within it.
"""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.clock import HeldClock
from console.engine.reader import read_once
from console.engine.snapshot import EngineSnapshot
from tests.support.engine import endpoint_at

VERSION = json.dumps({"ApiVersion": "1.41", "Version": "20.10"}).encode()
LIST = json.dumps([{"Id": "a" * 64, "Names": ["/myia"], "State": "running"}]).encode()
DETAILS = json.dumps({"Id": "a" * 64, "Name": "/myia", "State": {"Status": "running", "Pid": 7}})
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Say = Callable[[Any], None]


class Stage:
    """What each path answers, and the end of all waiting."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.asked: list[str] = []
        self.acts: dict[str, Say] = {
            "/version": _whole(VERSION),
            "/events": _whole(b""),
            "/containers/json": _whole(LIST),
            "/json": _whole(DETAILS.encode()),
        }

    def drip(self, connection: Any) -> None:
        """Send a byte now and then, and never the last."""
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        while not self.over.wait(0.05):
            connection.sendall(b" ")

    def stay(self, connection: Any) -> None:
        """Open a stream and say nothing more."""
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        self.over.wait()


def _whole(body: bytes) -> Say:
    head = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


def _handler(stage: Stage) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                path = line.split()[1].decode().split("?")[0]
                stage.asked.append(path)
                act = next(act for end, act in stage.acts.items() if path.endswith(end))
                try:
                    act(self.connection)
                except OSError:
                    return

    return Handler


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@pytest.fixture
def stage() -> Iterator[Stage]:
    found = Stage()
    yield found
    found.over.set()


@pytest.fixture(params=["unix", "tcp"])
def address(request: pytest.FixtureRequest, stage: Stage, socket_path: Path) -> Iterator[str]:
    server: socketserver.BaseServer
    if request.param == "unix":
        server, address = _Unix(str(socket_path), _handler(stage)), f"unix://{socket_path}"
    else:
        server = _Tcp(("127.0.0.1", 0), _handler(stage))
        address = f"tcp://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield address
    stage.over.set()
    server.shutdown()
    server.server_close()


def look(address: str) -> EngineSnapshot:
    began = time.monotonic()
    snapshot = read_once(endpoint_at(address), HeldClock(datetime(2026, 11, 22, tzinfo=UTC)), 1)
    assert time.monotonic() - began < 4
    return snapshot


@pytest.mark.parametrize("path", ["/version", "/containers/json"])
def test_an_answer_that_drips_is_given_up(stage: Stage, address: str, path: str) -> None:
    stage.acts[path] = stage.drip
    snapshot = look(address)
    assert snapshot.state == "lost"
    assert snapshot.problem is not None
    assert snapshot.problem.code == "engine.timeout"


def test_events_that_never_end_cost_the_events_alone(stage: Stage, address: str) -> None:
    stage.acts["/events"] = stage.stay
    snapshot = look(address)
    assert snapshot.state == "connected"
    assert snapshot.problem is not None
    assert snapshot.problem.code == "engine.timeout"
    assert snapshot.containers[0].pid == 7


def test_events_that_break_off_cost_the_events_alone(stage: Stage, address: str) -> None:
    def break_off(connection: Any) -> None:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        raise OSError

    stage.acts["/events"] = break_off
    snapshot = look(address)
    assert snapshot.problem is not None
    assert snapshot.problem.code == "engine.lost"
    assert snapshot.containers[0].pid == 7


def test_a_redirect_is_no_engine_and_nobody_goes_where_it_points(
    stage: Stage, address: str
) -> None:
    def redirect(connection: Any) -> None:
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: /containers/json\r\nContent-Length: 0\r\n\r\n"
        )

    stage.acts["/version"] = redirect
    snapshot = look(address)
    assert snapshot.problem is not None
    assert snapshot.problem.code == "engine.odd-answer"
    assert stage.asked == ["/version"]


@pytest.mark.parametrize("content", ["[]", '{"proxies": 5}', '{"auths": {"x": {"auth": "!"}}}'])
def test_an_odd_docker_config_keeps_nobody_from_the_engine(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """What is in it concerns registries and builds, which the console never touches."""
    (tmp_path / "config.json").write_text(content)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert look(address).state == "connected"
