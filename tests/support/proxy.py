"""A proxy before a real engine's socket that makes it slow, or cuts it off."""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self


class SlowProxy:
    """Passes bytes on; each answer waits `delay` seconds first, `cut()` ends all connections.

    Without a path it listens on a TCP port of the loopback.
    """

    def __init__(self, path: Path | None, target: str, delay: float = 0) -> None:
        self.delay = delay
        self._target = target.removeprefix("unix://")
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        if path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self.address = f"unix://{path}"
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection in the middle of what it is at."""
        with self._lock:
            broken, self._open = self._open, []
        for connection in broken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self._target)
            except OSError:
                near.close()
                far.close()
                continue
            with self._lock:
                self._open += [near, far]
            for source, sink, waits in ((near, far, False), (far, near, True)):
                pass_on = threading.Thread(
                    target=self._pass_on, args=(source, sink, waits), daemon=True
                )
                pass_on.start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, waits: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if waits and self.delay:
                    self._over.wait(self.delay)
                sink.sendall(data)
        for connection in (source, sink):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        source.close()
