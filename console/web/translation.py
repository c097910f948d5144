"""Which of our faults an error of the HTTP libraries, of TLS or of the system stands for.

Importing this module imports the HTTP libraries; it is imported where something has gone wrong.
"""

import socket
import ssl

import httpcore2
import httpx2

FAULTS = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError,
          httpcore2.UnsupportedProtocol, httpcore2.ConnectionNotAvailable, httpx2.HTTPError,
          httpx2.InvalidURL, httpx2.StreamError, OSError)  # fmt: skip
"""Everything that a request may raise for reasons outside."""

_LONGEST_CHAIN = 12

_BY_ROOT: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "web.tls"),
    (socket.gaierror, "web.no-host"),
    (UnicodeError, "web.no-host"),
    (ConnectionRefusedError, "web.refused"),
)
_BY_ERROR: tuple[tuple[type[BaseException], str], ...] = (
    (httpcore2.ConnectTimeout, "web.connect-timeout"),
    (httpcore2.TimeoutException, "web.timeout"),
    (TimeoutError, "web.timeout"),
    (httpx2.InvalidURL, "web.address"),
    (httpcore2.UnsupportedProtocol, "web.address"),
    (httpcore2.LocalProtocolError, "web.address"),
    (httpcore2.ConnectError, "web.no-connection"),
)


def code_of(error: BaseException) -> str:
    """Choose the code of a fault, by what is at the root of the error before its own class."""
    root = _root(error)
    if not isinstance(error, httpcore2.TimeoutException):
        for kind, code in _BY_ROOT:
            if isinstance(root, kind):
                return code
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return "web.closed" if hung_up(error) else "web.not-http"


def hung_up(error: BaseException) -> bool:
    """Tell whether the other side closed the connection, in order or by a reset."""
    if isinstance(error, httpcore2.RemoteProtocolError):
        return "disconnected" in str(error) or "closed connection" in str(error)
    return isinstance(error, httpcore2.ReadError | httpcore2.WriteError | ConnectionError)


def words_of(error: BaseException) -> str:
    """Give the system's own words at the root of an error."""
    root = _root(error)
    told = getattr(root, "verify_message", "") or getattr(root, "strerror", "")
    return str(told or root)


def _root(error: BaseException) -> BaseException:
    """Walk to what it all began with; the libraries drop causes but keep them as arguments."""
    for _ in range(_LONGEST_CHAIN):
        inner = error.__cause__ or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error
