"""A loopback port that is kept for good, whether somebody listens on it or not."""

import socket

LOOPBACK = "127.0.0.1"
_BACKLOG = 64


class KeptPort:
    """A port of one's own: held by a socket that nobody can connect to, until it is given up.

    `SO_REUSEPORT` lets a second socket listen on it; when that one closes, the port is still taken
    and connections are refused, as with a service that is down.
    """

    def __init__(self, number: int = 0, address: str = LOOPBACK) -> None:
        self._address = address
        self._held = self._bound(number)
        self.number: int = self._held.getsockname()[1]

    def listening(self) -> socket.socket:
        """Give a socket that listens on it."""
        opened = self._bound(self.number)
        opened.listen(_BACKLOG)
        return opened

    def give_up(self) -> None:
        """Let others have it."""
        self._held.close()

    def _bound(self, number: int) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            opened.bind((self._address, number))
        except OSError:
            opened.close()
            raise
        opened.setblocking(False)
        return opened
