"""A public address taken apart: what is asked, and what counts as leaving it."""

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from console.errors import ConsoleError
from console.text import clean_line

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?")
_PORTS = {"https": 443, "http": 80}


class PublicAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where users reach a service.

    Attributes:
        scheme: `https` or `http`.
        host: the name, lower case, in the form that is sent (`xn--…`); an address without brackets.
        path: in front of the service's own paths; without a slash at its end.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def secure(self) -> bool:
        """Whether it is reached by TLS."""
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """What a browser sends as `Origin` from its pages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def base(self) -> str:
        """What the service's own paths are put behind; has no query and no login."""
        return f"{self.origin}{self.path}"

    @property
    def numeric(self) -> bool:
        """Whether the host is an address, which needs no name resolution."""
        return _address(self.host) is not None

    @property
    def here(self) -> bool:
        """Whether the host is this machine by its name."""
        number = _address(self.host)
        return self.host == "localhost" or (number is not None and number.is_loopback)


def public_address(url: str) -> PublicAddress:
    """Take an address apart; a query, a fragment or a login in it is left out.

    Raises:
        ConsoleError: `outside.no-address`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _sent(parts.hostname or "")
    except (ValueError, UnicodeError):
        host, port, parts = "", None, None
    if parts is None or not _is_host(host) or parts.scheme not in _PORTS:
        shown = clean_line(url.partition("?")[0].rpartition("@")[2], 120)
        raise ConsoleError(
            "outside.no-address", f"{shown} is no public address", "https://NAME[:PORT][/PATH]"
        )
    return PublicAddress(
        scheme=parts.scheme,
        host=host,
        port=_PORTS[parts.scheme] if port is None else port,
        path=parts.path.rstrip("/"),
    )


def leads(address: PublicAddress, location: str) -> PublicAddress | None:
    """Give the place that a redirect leads to; None where it is no web address.

    `path` of it is the whole path that it leads to.
    """
    if location.startswith("//"):
        location = f"{address.scheme}:{location}"
    elif not location.lower().startswith(("http:", "https:")):
        if _SCHEME.match(location):
            return None
        joint = "" if location.startswith("/") else "/"
        location = f"{address.origin}{joint}{location}"
    try:
        return public_address(location)
    except ConsoleError:
        return None


def is_private(host: str) -> bool:
    """Tell whether a host is an address that only its own network, or machine, can reach."""
    number = _address(host)
    if number is None:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return number.is_private or number.is_loopback or number.is_link_local


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    """Tell whether it can be a host's; a resolver would ask for anything, proxies' files run it."""
    return _NAME.fullmatch(host) is not None or _address(host) is not None


def _sent(host: str) -> str:
    """Give a host's name as it is sent; an international one in its plain form."""
    lower = host.lower().rstrip(".")
    return lower if lower.isascii() else lower.encode("idna").decode("ascii")
