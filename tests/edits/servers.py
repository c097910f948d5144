"""A rehearsed service on a port of its own, in a thread, driven by the real clock."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from console.clock import SystemClock
from console.simulator.ports import KeptPort
from console.simulator.services.comfyui import ComfyUI
from console.simulator.services.cuda import GIB, Card, Picked
from console.simulator.services.forge import Forge
from console.simulator.services.server import ServiceServer
from console.simulator.services.solo import Habits, Solo
from console.web.client import WebClient


class Served:
    """A service that is up; `crash` and `restart` do what kill -9 and a new start do to it."""

    def __init__(self, kind: str, version: str, habits: Habits) -> None:
        self._kind, self._version, self._habits = kind, version, habits
        self._port = KeptPort(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{self._port.number}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.solo: Solo
        self.server: ServiceServer
        self.restart()

    def client(self) -> WebClient:
        return WebClient(self.url)

    def mood(self, mood: str) -> None:
        self._do(lambda: setattr(self.server, "mood", mood))

    def crash(self) -> None:
        self._do(self.server.close)

    def hang(self, seconds: float) -> None:
        """Answer nothing for a while, and do nothing either."""
        self._loop.call_soon_threadsafe(time.sleep, seconds)

    def back(self) -> None:
        """Listen again with everything as it was: only the connections were lost."""
        self._do(self.server.open)

    def restart(self) -> None:
        def start() -> None:
            clock = SystemClock()
            card = Card(index=0, name="NVIDIA GeForce RTX 3090", memory=24 * GIB)
            self.solo = Solo(
                self._habits, Picked(ordinal=None, cards=(card,)), clock.monotonic,
                lambda: clock.now().timestamp(),
            )  # fmt: skip
            comfy = self._kind == "comfyui"
            api = ComfyUI(self.solo, self._version) if comfy else Forge(self.solo, self._version)
            self.server = ServiceServer(self.solo, api, None, self._port)
            self.server.open()

        self._do(start)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _do(self, act: object) -> None:
        async def done() -> None:
            act()  # type: ignore[operator]

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(5)


@contextlib.contextmanager
def served(
    kind: str, files: Path, version: str = "", job: float = 0.4, **more: object
) -> Iterator[Served]:
    """Give a service whose every job takes `job` seconds; its files lie in a folder."""
    habits = Habits(kind=kind, files=files, job=job, idle=GIB, busy=2 * GIB, **more)  # type: ignore[arg-type]
    made = Served(kind, version, habits)
    try:
        yield made
    finally:
        made.close()
