"""Which port of this host is free, and who has one that is not."""

import contextlib
import errno
import socket
from ipaddress import ip_address

from actions.snapshot import HostSnapshot
from console.engine.snapshot import UP

_LAST = 65535
_TRIED = 200


def free_port(snapshot: HostSnapshot, first: int, address: str, *, but: str = "") -> int:
    """Give the first port from `first` on that nobody has, on one address of this host.

    Args:
        snapshot: the host; what its containers publish counts as taken, also while they are down.
        first: where to begin.
        address: as it would be bound.
        but: name of a container whose ports count as free.
    """
    for port in range(first, min(first + _TRIED, _LAST)):
        if not holder(snapshot, port, address, but=but):
            return port
    return first


def holder(snapshot: HostSnapshot, port: int, address: str, *, but: str = "") -> str:
    """Say who has a port, in words; empty where it is free."""
    mine = False
    for one in snapshot.engine.containers:
        for each in one.ports:
            if each.host_port == port and each.protocol == "tcp":
                if one.name != but:
                    return f"the container {one.name}"
                mine = mine or one.state in UP
    for status in snapshot.services:
        service = status.service
        if service.container != but and service.url.rstrip("/").endswith(f":{port}"):
            return f"the service {status.name}"
    return "" if mine or _free(port, address) else "a program of this host"


def is_address(text: str) -> bool:
    """Tell whether a text is an address that a port can be bound at."""
    with contextlib.suppress(ValueError):
        ip_address(text)
        return True
    return False


def is_here(address: str) -> bool:
    """Tell whether an address is one of this host's; what cannot be told counts as one."""
    return _tried(0, address) != errno.EADDRNOTAVAIL


def open_to_network(address: str) -> bool:
    """Tell whether others than this host reach what is bound at an address."""
    return not ip_address(address).is_loopback


def _free(port: int, address: str) -> bool:
    """Tell whether nobody has it; what cannot be told counts as free: the engine will say so."""
    return _tried(port, address) != errno.EADDRINUSE


def _tried(port: int, address: str) -> int | None:
    """Bind a port and let it go again; gives the error's number where that cannot be done."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((address, port))
            # Two may bind it with that option; only one may listen.
            tried.listen(1)
    except OSError as error:
        return error.errno
    return None


def port_of(text: str) -> int | None:
    """Give a port as somebody wrote it; None where it is none."""
    digits = text.strip()
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 5 else 0
    return number if 0 < number <= _LAST else None
