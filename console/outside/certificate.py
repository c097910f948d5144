"""The certificate at a public address: whether it is accepted, and until when."""

import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from console.clock import SystemClock
from console.errors import ConsoleError
from console.outside.address import PublicAddress
from console.text import clean_line

_EXPIRED, _EARLY, _NAME = 10, 9, 62
_OWN = frozenset({18, 19, 20, 21})
_DER_TIMES = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
_SEQUENCE, _VERSION = 0x30, 0xA0
_PACE = SystemClock()


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What the certificate is.

    Attributes:
        ends: when it expires; None where it does not tell.
        problem: `expired`, `not-yet`, `name`, `issuer` or `other`; empty where it is accepted.
        words: the library's own, where it is not.
    """

    ends: datetime | None
    problem: str = ""
    words: str = ""


def trust(environ: Mapping[str, str], *, verify: bool = True) -> ssl.SSLContext:
    """Give what decides which certificates are accepted: the system's, or SSL_CERT_FILE's."""
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    file, folder = environ.get("SSL_CERT_FILE") or None, environ.get("SSL_CERT_DIR") or None
    try:
        return ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ssl.SSLError):
        return ssl.create_default_context()


def read_certificate(
    address: PublicAddress, addresses: tuple[str, ...], environ: Mapping[str, str], seconds: float
) -> Certificate:
    """Shake hands and give the certificate; a second time without asking who it is, if need be.

    Raises:
        ConsoleError: `outside.unreachable`, `outside.late` or `outside.no-tls`.
    """
    try:
        der = _shaken(address, addresses, trust(environ), seconds)
        return Certificate(ends=expiry(der))
    except ssl.SSLCertVerificationError as error:
        code, words = error.verify_code, clean_line(error.verify_message or str(error), 200)
    der = _shaken(address, addresses, trust(environ, verify=False), seconds)
    problem = {_EXPIRED: "expired", _EARLY: "not-yet", _NAME: "name", 64: "name"}.get(code, "other")
    return Certificate(ends=expiry(der), problem="issuer" if code in _OWN else problem, words=words)


def _shaken(
    address: PublicAddress, addresses: tuple[str, ...], context: ssl.SSLContext, seconds: float
) -> bytes:
    last: OSError | None = TimeoutError()
    until = _PACE.monotonic() + seconds
    for one in addresses:
        left = until - _PACE.monotonic()
        if left <= 0:
            break
        try:
            with (
                socket.create_connection((one, address.port), left) as plain,
                context.wrap_socket(plain, server_hostname=address.host) as secure,
            ):
                return secure.getpeercert(binary_form=True) or b""
        except ssl.SSLCertVerificationError:
            raise
        except OSError as error:
            last = error
    raise told(last, address, seconds)


def told(error: BaseException | None, address: PublicAddress, seconds: float) -> ConsoleError:
    """Give what kept us from talking to a public address as an error in words."""
    where = f"{address.host}:{address.port}"
    words = clean_line(str(error or ""), 200)
    if isinstance(error, ssl.SSLError):
        return ConsoleError(
            "outside.no-tls",
            f"no secure connection to {where}",
            "what listens there does not speak https, or only an old form of it",
            words,
        )
    if isinstance(error, TimeoutError):
        return ConsoleError(
            "outside.late",
            f"{where} did not answer within {seconds:g} s",
            "a firewall drops what is sent to it, the port is not forwarded, or the proxy hangs",
            words,
        )
    refused = isinstance(error, ConnectionRefusedError)
    return ConsoleError(
        "outside.unreachable",
        f"nothing listens at {where}" if refused else f"no connection to {where}",
        "the proxy does not run, or its port is not forwarded to it",
        words,
    )


def expiry(der: bytes) -> datetime | None:
    """Read from a certificate when it expires; None where it is none."""
    try:
        whole = _within(der, 0)
        inner = _within(whole, 0)
        at = 0
        if inner[at] == _VERSION:
            at = _behind(inner, at)
        for _ in range(3):  # serial number, signature algorithm, issuer
            at = _behind(inner, at)
        validity = _within(inner, at)
        end = _behind(validity, 0)
        form = _DER_TIMES[validity[end]]
        start, stop = _bounds(validity, end)
        text = validity[start:stop].decode("ascii")
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except (IndexError, KeyError, ValueError):
        return None


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Give where the content of the element at a place begins and ends."""
    length, begin = data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4:
            raise ValueError("a length that is none")
        length = int.from_bytes(data[begin : begin + count])
        begin += count
    if begin + length > len(data):
        raise ValueError("it is cut off")
    return begin, begin + length


def _behind(data: bytes, at: int) -> int:
    return _bounds(data, at)[1]


def _within(data: bytes, at: int) -> bytes:
    if data[at] != _SEQUENCE:
        raise ValueError("no sequence")
    begin, end = _bounds(data, at)
    return data[begin:end]
