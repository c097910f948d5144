"""A loopback port with a thread for each connection, which can close and open again."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from console.simulator.ports import KeptPort

_SEND_BUFFER = 256 << 10
"""Small, so that what was counted as sent has nearly all been received."""

_RESET = struct.pack("ii", 1, 0)


class Listener:
    """Listens on a port of its own and gives each connection to `serve`, in a thread."""

    def __init__(self, serve: Callable[[socket.socket], None], number: int = 0) -> None:
        self._serve = serve
        self._port = KeptPort(number)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listening: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where it is met."""
        return f"http://127.0.0.1:{self._port.number}"

    def open(self) -> None:
        """Take connections from now on."""
        with self._lock:
            if self._listening is not None:
                return
            self._listening = self._port.listening()
            self._listening.setblocking(True)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on, and break those that are open."""
        with self._lock:
            listening, self._listening = self._listening, None
            connections = set(self._connections)
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Close for good and give up the port."""
        self.close()
        self._port.give_up()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):
                self._serve(connection)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


def break_off(connection: socket.socket) -> None:
    """Let a connection end with a reset when it is closed, as one that was cut."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
