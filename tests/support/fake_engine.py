"""An engine of nothing but answers: for what a real one cannot be made to do.

Invalid UTF-8, hundreds of containers, counted requests, answers that take long or never end.
"""

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

Answer = tuple[int, bytes]


class FakeEngine:
    """Answers on a unix socket; its state may be changed at any time.

    Attributes:
        entries: list entries by id, in order.
        details: inspect answers by id; an id without one vanished (404).
        overrides: answers by path without version, such as `/containers/json`.
        delay: seconds before each answer.
        requests: `GET /containers/json` and so on, without version and query, in order.
        connections: how many were ever opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.address = f"unix://{path}"
        self.version: Any = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24"}
        self.entries: dict[str, dict[str, Any]] = {}
        self.details: dict[str, dict[str, Any]] = {}
        self.overrides: dict[str, Callable[[], Answer]] = {}
        self.delay = 0.0
        self.slow: dict[str, float] = {}
        self.requests: list[str] = []
        self.connections = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listeners: list[_Handler] = []
        self.history: list[bytes] = []
        self._server = _Server(str(path), self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and hang up on everybody."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self.hang_up()
        self.path.unlink(missing_ok=True)

    def hang_up(self) -> None:
        """Break every connection, whatever it is in the middle of."""
        with self._lock:
            broken, self._open = self._open, set()
            self._listeners.clear()
        for connection in broken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def add(self, number: int, name: str, **state: Any) -> str:
        """Add a container that runs, unless `state` says otherwise, and give its id."""
        container_id = f"{number:064x}"
        told = {**RUNNING, **state}
        self.entries[container_id] = {
            "Id": container_id, "Names": [f"/{name}"], "Image": "busybox", "State": told["Status"],
            "Status": "Up 3 hours" if told["Status"] == "running" else "Exited (0) 3 hours ago",
            "Created": 1_790_000_000, "Ports": [], "Labels": {},
        }  # fmt: skip
        self.details[container_id] = {
            "Id": container_id, "Name": f"/{name}", "Created": "2026-09-22T00:00:00Z",
            "Path": "sleep", "Args": ["60"], "State": told, "RestartCount": 0,
            "Config": {"Image": "busybox", "Env": [], "Labels": {}},
            "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
            "NetworkSettings": {"Ports": {}},
        }  # fmt: skip
        return container_id

    def tell(self, action: str, container_id: str, nanoseconds: int, **attributes: str) -> None:
        """Send an event to everybody who listens, and keep it for those who come later."""
        event = {
            "Type": "container", "Action": action, "status": action, "id": container_id,
            "Actor": {"ID": container_id, "Attributes": {"name": "it", **attributes}},
            "time": nanoseconds // 1_000_000_000, "timeNano": nanoseconds,
        }  # fmt: skip
        self.tell_raw(json.dumps(event).encode() + b"\n")

    def tell_raw(self, line: bytes) -> None:
        """Send bytes on the stream of events."""
        with self._lock:
            self.history.append(line)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.send_chunk(line)

    def listening(self) -> int:
        """Give how many streams of events are open."""
        with self._lock:
            return len(self._listeners)

    def count(self, request: str) -> int:
        """Give how many requests began with this."""
        return sum(1 for made in tuple(self.requests) if made.startswith(request))

    def wait_before(self, path: str) -> None:
        """Wait as long as an answer should take."""
        self._over.wait(self.slow.get(path, self.delay))

    def opened(self, connection: socket.socket) -> None:
        """Note a new connection."""
        with self._lock:
            self.connections += 1
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Note a connection's end."""
        with self._lock:
            self._open.discard(connection)

    def open_connections(self) -> int:
        """Give how many connections are open now."""
        with self._lock:
            return len(self._open)

    def listen(self, handler: "_Handler") -> None:
        """Serve a stream of events until either side hangs up."""
        with self._lock:
            past = tuple(self.history)
            self._listeners.append(handler)
        for line in past:
            handler.send_chunk(line)
        with contextlib.suppress(OSError):
            handler.connection.recv(1)
        with self._lock, contextlib.suppress(ValueError):
            self._listeners.remove(handler)

    def answer(self, method: str, path: str) -> Answer:
        """Give status and body for a request."""
        if path in self.overrides:
            return self.overrides[path]()
        if path == "/version":
            return 200, encoded(self.version)
        if path == "/info":
            return 200, encoded({"MemTotal": 1 << 36})
        if path == "/containers/json":
            return 200, encoded(list(self.entries.values()))
        name = path.split("/")[2] if path.count("/") > 2 else ""
        if path == f"/containers/{name}/json" and name in self.details:
            return 200, encoded(self.details[name])
        return 404, encoded({"message": f"No such container: {name}"})


RUNNING = {
    "Status": "running", "Running": True, "Paused": False, "OOMKilled": False, "Pid": 4242,
    "ExitCode": 0, "Error": "", "StartedAt": "2026-11-22T08:00:00.123456789Z",
    "FinishedAt": "0001-01-01T00:00:00Z",
}  # fmt: skip


def encoded(value: Any) -> bytes:
    """Give JSON with lone surrogates as the invalid bytes they stand for."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: str, engine: FakeEngine) -> None:
        self.engine = engine
        super().__init__(path, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.engine.opened(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.server.engine.closed(self.connection)

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        engine = self.server.engine
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/v1."):
            path = "/" + path.split("/", 2)[2]
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        engine.requests.append(f"{self.command} {path}")
        engine.wait_before(path)
        if path == "/events" and path not in engine.overrides:
            self._serve_events()
            return
        status, body = engine.answer(self.command, path)
        self.send_response(status)
        if status != 304:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def _serve_events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        if "until=" in self.path:
            for line in tuple(self.server.engine.history):
                self.send_chunk(line)
            self.wfile.write(b"0\r\n\r\n")
            return
        self.server.engine.listen(self)
        self.close_connection = True

    def send_chunk(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Keep quiet."""

    def address_string(self) -> str:
        return "unix"
