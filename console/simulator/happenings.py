"""What happened on the simulated engine: its events, remembered and passed on."""

from collections import deque
from collections.abc import Callable

import msgspec

_REMEMBERED = 256
"""As many as a real engine keeps for `since` (moby, daemon/events)."""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One event; `at` in seconds since the scene opened, `sort` is container or network."""

    at: float
    sort: str
    action: str
    actor_id: str
    image: str = ""
    attributes: dict[str, str]


Listener = Callable[[Happening], None]


class Happenings:
    """The newest events and those who listen for more."""

    def __init__(self) -> None:
        self._kept: deque[Happening] = deque(maxlen=_REMEMBERED)
        self._listeners: list[Listener] = []

    def add(self, happening: Happening) -> None:
        """Keep an event and tell every listener, in the order they came."""
        self._kept.append(happening)
        for listener in tuple(self._listeners):
            listener(happening)

    def since(self, start: float) -> list[Happening]:
        """Give the remembered events from `start` on, oldest first."""
        return [happening for happening in self._kept if happening.at >= start]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each event from now on; gives what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
