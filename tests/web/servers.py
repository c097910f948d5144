"""Servers that misbehave on purpose, each on a loopback port of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Handler = Callable[[socket.socket, bytes], None]


class RawServer:
    """Accepts connections and hands each request's head and body to a handler, byte for byte.

    `requests` keeps the requests as they came; `connections` counts the connections.
    """

    def __init__(self, handler: Handler, *, silent: bool = False) -> None:
        self._handler = handler
        self._silent = silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            if self._silent:
                self.ended.wait(60)
                return
            while request := _request(sock):
                self.requests.append(request)
                self._handler(sock, request)

    def close(self) -> None:
        self.ended.set()
        # A mere close would leave whoever waits on them waiting.
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def _request(sock: socket.socket) -> bytes:
    """Read one request with its body; empty where the client is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def serving(handler: Handler) -> Iterator[RawServer]:
    server = RawServer(handler)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def silent() -> Iterator[RawServer]:
    """Give a server that accepts and never answers."""
    server = RawServer(lambda *_: None, silent=True)
    try:
        yield server
    finally:
        server.close()


def message(
    status: str = "200 OK", body: bytes | str = b"", kind: str = "application/json", **headers: str
) -> bytes:
    """Give a whole answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def always(*answers: bytes) -> Handler:
    """Give these bytes to every request."""

    def handler(sock: socket.socket, _request: bytes) -> None:
        for answer in answers:
            sock.sendall(answer)

    return handler


def path_of(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


def by_path(answers: dict[str, bytes], other: bytes | None = None) -> Handler:
    """Answer by the path, without its query; what is not there is a 404 as FastAPI gives it."""

    def handler(sock: socket.socket, request: bytes) -> None:
        missing = message("404 Not Found", '{"detail":"Not Found"}') if other is None else other
        sock.sendall(answers.get(path_of(request).partition("?")[0], missing))

    return handler
