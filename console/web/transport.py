"""Connections that end in time and can be cut: the libraries' own limits are for each piece only.

Importing this module imports the HTTP libraries; it is imported where the first request is made.
"""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore2
import httpx2

from console.clock import Clock, SystemClock

# They log whole URLs and headers: a query token would stand there.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

_IDLE = 30.0


class Wires(httpcore2.NetworkBackend):
    """Makes connections whose every read and write ends at `deadline`, or when they are cut."""

    def __init__(self) -> None:
        self._pace: Clock = SystemClock()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self.deadline = float("inf")
        self.was_cut = False
        self.opened = 0

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """Give how long the next step may take; raises `late` where the time is over."""
        left = self.deadline - self._pace.monotonic()
        if left <= 0:
            raise late("the time is over")
        if left == float("inf"):
            return timeout
        return left if timeout is None else min(left, timeout)

    def cut(self) -> None:
        """End every connection at once, from any thread; no new one is made."""
        with self._lock:
            self.was_cut = True
            sockets = tuple(self._sockets)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 -- the libraries' signature
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that takes it, each getting its share."""
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(error) from error
        last: Exception = httpcore2.ConnectError("no address")
        for number, (family, kind, proto, _name, address) in enumerate(places):
            try:
                return self._connected(
                    socket.socket(family, kind, proto), address, timeout, len(places) - number
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    def forget(self, sock: socket.socket) -> None:
        """Drop a connection that is closed."""
        with self._lock:
            self._sockets.discard(sock)

    def replace(self, plain: socket.socket, secure: socket.socket) -> None:
        """Know a connection by its secure layer from now on."""
        with self._lock:
            self._sockets.discard(plain)
            self._sockets.add(secure)

    def _connected(
        self, sock: socket.socket, address: tuple[object, ...], timeout: float | None, shares: int
    ) -> httpcore2.NetworkStream:
        try:
            left = self.left(timeout, httpcore2.ConnectTimeout)
            with self._lock:
                self._sockets.add(sock)
                if self.was_cut:
                    raise httpcore2.ConnectError("cut")
            sock.settimeout(None if left is None else left / shares)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            self._dropped(sock)
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:
            self._dropped(sock)
            raise httpcore2.ConnectError(error) from error
        except BaseException:
            self._dropped(sock)
            raise
        self.opened += 1
        return _Wire(self, sock)

    def _dropped(self, sock: socket.socket) -> None:
        self.forget(sock)
        sock.close()


class _Wire(httpcore2.NetworkStream):
    """One connection of `Wires`, plain or secure."""

    def __init__(self, wires: Wires, sock: socket.socket) -> None:
        self._wires = wires
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _translated(httpcore2.ReadTimeout, httpcore2.ReadError):
            self._sock.settimeout(self._wires.left(timeout, httpcore2.ReadTimeout))
            return self._sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        with _translated(httpcore2.WriteTimeout, httpcore2.WriteError):
            while view:
                self._sock.settimeout(self._wires.left(timeout, httpcore2.WriteTimeout))
                view = view[self._sock.send(view) :]

    def close(self) -> None:
        self._wires.forget(self._sock)
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        # The handshake heeds its limit as a whole, whatever drips in.
        try:
            with _translated(httpcore2.ConnectTimeout, httpcore2.ConnectError):
                self._sock.settimeout(self._wires.left(timeout, httpcore2.ConnectTimeout))
                secure = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        self._wires.replace(self._sock, secure)
        return _Wire(self._wires, secure)

    def get_extra_info(self, info: str) -> object:
        if info == "socket":
            return self._sock
        if info == "is_readable":
            return _readable(self._sock)
        return None


class Transport(httpx2.BaseTransport):
    """Carries httpx2's requests over our own wires; one connection, kept for the next request."""

    def __init__(self, wires: Wires, secure: bool) -> None:
        context = (
            ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=_IDLE,
            network_backend=wires,
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and give its answer as soon as its head has come."""
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(asked)
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close the kept connection."""
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    """The body of an answer as its pieces come in."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def open_client(wires: Wires, secure: bool) -> httpx2.Client:
    """Give a client that follows nothing, keeps no cookies and heeds no environment."""
    return httpx2.Client(
        transport=Transport(wires, secure),
        trust_env=False,
        follow_redirects=False,
        timeout=None,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={
            "User-Agent": "gpuconsole",
            "Accept": "application/json, */*;q=0.5",
            # Compressed, a small answer may become a huge one.
            "Accept-Encoding": "identity",
        },
    )


@contextlib.contextmanager
def _translated(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(error) from error
    except OSError as error:
        raise failed(error) from error


def _readable(sock: socket.socket) -> bool:
    """Tell whether an idle connection has something to read, which means that it was closed."""
    import select

    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
