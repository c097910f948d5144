"""Where the engine door's helper threads leave what they heard, for the watcher to take."""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from console.engine.faults import EngineError

# Far above what an engine sends between two looks; should it overflow, the safety poll repairs it.
_MOST = 20_000


class Heard(msgspec.Struct, frozen=True):
    """An event as the engine sent it."""

    event: Mapping[str, Any]


class Looked(msgspec.Struct, frozen=True):
    """The answer to an inspect."""

    container_id: str
    answer: Mapping[str, Any]


class Vanished(msgspec.Struct, frozen=True):
    """A container was gone when it was to be inspected."""

    container_id: str


class NotTold(msgspec.Struct, frozen=True):
    """The engine could not tell about one container."""

    container_id: str
    error: EngineError


class Ended(msgspec.Struct, frozen=True):
    """The stream of events is over, and why."""

    error: EngineError


Item = Heard | Looked | Vanished | NotTold | Ended


class Inbox:
    """A queue between threads whose reader takes all there is at once."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=_MOST)
        self._arrived = threading.Event()

    def put(self, item: Item) -> None:
        """Leave something; any thread."""
        self._items.append(item)
        self._arrived.set()

    def wake(self) -> None:
        """Make the reader look up though nothing came; any thread."""
        self._arrived.set()

    def take(self, timeout: float) -> list[Item]:
        """Wait up to `timeout` seconds for something and give all that came; may be empty."""
        self._arrived.wait(max(timeout, 0))
        self._arrived.clear()
        taken = []
        while self._items:
            taken.append(self._items.popleft())
        return taken
