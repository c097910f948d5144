"""The docker SDK's low-level client, made safe for a console: closable, lenient, never endless.

Importing this module imports `docker` (more than 100 ms), so only a door's own thread does it.
"""

import contextlib
import http.client
import json
import socket
import threading
from typing import IO, Any

import docker.api.client
import msgspec
import requests
import urllib3
from docker.errors import DockerException
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnection, UnixHTTPConnectionPool

from console.engine.endpoint import Endpoint

# Everything the SDK and the layers below it raise for a reason that lies outside of this program;
# the last five come from answers that are not what the SDK takes for granted.
FAULTS: tuple[type[Exception], ...] = (
    DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
)


class _NoDockerConfig:
    """Stands where the SDK reads ~/.docker/config.json, of which this program needs nothing.

    What is in there concerns registries and builds; but a file that is odd in ways the SDK does not
    expect would keep it from talking to the engine at all.
    """

    @staticmethod
    def load_general_config(_config_path: str | None = None) -> dict[str, str]:
        """Give a configuration; an empty one would make the SDK look for the file once more."""
        return {"credsStore": "none"}


docker.api.client.config = _NoDockerConfig  # type: ignore[attr-defined]


class Api(docker.api.client.APIClient):
    """An APIClient of one thread whose calls another thread can cut off.

    Against the stock one: text with invalid UTF-8 is read instead of failing, the opening of an
    endless stream has a time limit too, the status of the last answer is kept (304 is an answer),
    no redirect is followed (engines send none), and `cut()` ends whatever waits on a unix socket.
    """

    last_status = 0
    last_stream: requests.Response | None = None

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        super().__init__(
            base_url=endpoint.address,
            # Without a version here the constructor would ask the engine for it.
            version="1.40",
            timeout=timeout,  # type: ignore[arg-type]  # requests takes fractions
            tls=_tls(endpoint),
        )
        self.sockets = Sockets()
        if endpoint.socket_path is not None:
            # Proxies and .netrc do not apply to a socket file; looking them up costs each call.
            self.trust_env = False
            adapter = _CuttableAdapter(self.sockets, endpoint.socket_path, timeout)
            self.mount("http+docker://", adapter)
            self._custom_adapter = adapter

    def speak(self, version: str) -> None:
        """Use this API version from now on."""
        self._version = version

    def open_log(self, container: str, params: dict[str, str]) -> requests.Response:
        """Ask for a container's log and read no more than the headers of the answer.

        The SDK's `logs` asks about the container first, and rounds times to what a float holds.
        """
        stock: Any = self
        url = stock._url("/containers/{0}/logs", container)
        response: requests.Response = stock._get(url, params=params, stream=True, timeout=None)
        stock._raise_for_status(response)
        return response

    def open_build(self, archive: IO[bytes], params: dict[str, str]) -> requests.Response:
        """Send a build's context and read no more than the headers of the answer.

        The SDK's `build` packs the context itself, and asks registries' passwords for it.
        """
        stock: Any = self
        response: requests.Response = stock._post(
            stock._url("/build"),
            data=archive,
            params=params,
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,
        )
        stock._raise_for_status(response)
        return response

    def cut(self) -> None:
        """End every call under way, from any thread; the client is of no use afterwards."""
        self.sockets.cut()

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Send one request; its answer reads leniently, and an endless one only opens in time."""
        endless = bool(kwargs.get("stream")) and kwargs.get("timeout") is None
        if endless:
            kwargs["timeout"] = self.timeout
        kwargs["allow_redirects"] = False
        response = super().send(request, **kwargs)
        self.last_status = response.status_code
        response.__class__ = LenientResponse
        if kwargs.get("stream"):
            self.last_stream = response
        if endless:
            connection = socket_of(response)
            if connection is not None:
                connection.settimeout(None)
        return response


class LenientResponse(requests.Response):
    """A response that reads JSON as engines write it."""

    def json(self, **kwargs: Any) -> Any:  # noqa: ARG002 -- the signature is the base's
        """Give the decoded body.

        Raises:
            ValueError: it is not JSON.
        """
        return decode(self.content)


def socket_of(response: requests.Response) -> socket.socket | None:
    """Find the socket a streamed response comes from, through the layers that wrap it."""
    found: Any = getattr(getattr(response.raw, "connection", None), "sock", None)
    if found is None:
        found = response.raw
        for name in ("_fp", "fp", "raw", "_sock"):
            found = getattr(found, name, None)
    return found if hasattr(found, "settimeout") else None


class Sockets:
    """The sockets a client has open, so that another thread can cut them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._cut = False

    def add(self, connection: socket.socket) -> None:
        """Take a new socket in; one that comes after the cut is cut at once."""
        with self._lock:
            self._open = [known for known in self._open if known.fileno() >= 0]
            self._open.append(connection)
            late = self._cut
        if late:
            _shut(connection)

    def cut(self) -> None:
        """Shut every open socket down: blocked reads end with an error or an end of file."""
        with self._lock:
            self._cut = True
            still_open = tuple(self._open)
        for connection in still_open:
            _shut(connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _CuttableConnection(UnixHTTPConnection):
    """A connection that tells its client which socket it opened."""

    def __init__(self, sockets: Sockets, path: str, timeout: float) -> None:
        super().__init__("http+docker://localhost", path, timeout)  # type: ignore[arg-type]
        self._sockets = sockets

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.timeout)
            connection.connect(self.unix_socket)
        except BaseException:
            connection.close()
            raise
        self._sockets.add(connection)
        self.sock = connection


class _CuttablePool(UnixHTTPConnectionPool):
    def __init__(self, sockets: Sockets, path: str, timeout: float, maxsize: int) -> None:
        super().__init__("http+docker://localhost", path, timeout, maxsize)  # type: ignore[arg-type]
        self._limit = timeout
        self._sockets = sockets

    def _new_conn(self) -> Any:
        return _CuttableConnection(self._sockets, self.socket_path, self._limit)


class _CuttableAdapter(UnixHTTPAdapter):
    def __init__(self, sockets: Sockets, path: str, timeout: float) -> None:
        super().__init__(f"http+unix://{path}", timeout)  # type: ignore[arg-type]
        self._limit = timeout
        self._sockets = sockets

    def get_connection(self, url: Any, proxies: Any = None) -> Any:  # noqa: ARG002
        # One engine, one pool: the stock adapter keys its pools by the whole URL, so each request
        # would open a connection of its own.
        with self.pools.lock:
            pool = self.pools.get("engine")
            if pool is None:
                pool = _CuttablePool(
                    self._sockets, self.socket_path, self._limit, self.max_pool_size
                )
                self.pools["engine"] = pool
        return pool


def _tls(endpoint: Endpoint) -> TLSConfig | bool:
    files = endpoint.tls
    if files is None:
        return False
    pair = (files.certificate, files.key) if files.certificate and files.key else None
    return TLSConfig(client_cert=pair, verify=files.verify, ca_cert=files.ca)


def decode(data: bytes) -> Any:
    """Read JSON as engines write it: also with invalid UTF-8 or lone surrogates in its texts.

    Raises:
        ValueError: it is not JSON at all.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
