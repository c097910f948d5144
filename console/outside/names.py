"""Names into addresses, within a limit: the system's resolver may take half a minute."""

import queue
import socket
import threading

from console.errors import ConsoleError
from console.outside.address import PublicAddress

_MOST = 8


def addresses_of(address: PublicAddress, seconds: float) -> tuple[str, ...]:
    """Give the addresses of the host, in the system's order.

    The system's resolver is left to itself where it takes longer.

    Raises:
        ConsoleError: `outside.no-name` or `outside.name-late`.
    """
    if address.numeric:
        return (address.host,)
    told: queue.SimpleQueue[tuple[str, ...] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            told.put(error)
        else:
            told.put(tuple(dict.fromkeys(str(one[4][0]) for one in found)))

    threading.Thread(target=ask, name="outside-name", daemon=True).start()
    try:
        answer = told.get(timeout=seconds)
    except queue.Empty:
        raise ConsoleError(
            "outside.name-late",
            f"{address.host} was not resolved within {seconds:g} s",
            "the name server does not answer: see /etc/resolv.conf",
        ) from None
    if isinstance(answer, tuple) and answer:
        return answer[:_MOST]
    words = answer.strerror if isinstance(answer, OSError) and answer.strerror else ""
    raise ConsoleError(
        "outside.no-name",
        f"the name {address.host} does not resolve",
        "check the DNS record, and the name server of this host",
        words or "the name is no name",
    )
