"""Listening to a ComfyUI: a WebSocket that may drop, be refused, or go silent, and comes back."""

import contextlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from console.clock import Clock
from console.web.client import WebClient
from console.web.faults import ServiceFault

if TYPE_CHECKING:
    from console.web.socket import WebSocket

_PATIENCE = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_PING_AFTER, _DEAD_AFTER = 10.0, 25.0
# It counts only as the very first message, and brings pictures that say whose they are.
_FEATURES = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


class Listener:
    """The messages for one client's name; never raises, and tells whether it hears at all.

    The old connection is closed, and its closing waited for, before a new one is opened: a server
    that sees the old one close after the new one came forgets the name, and the new one stays deaf.
    """

    def __init__(
        self, client: WebClient, name: str, clock: Clock, pause: Callable[[float], None]
    ) -> None:
        self._client = client
        self._path = f"/ws?clientId={quote(name, safe='')}"
        self._clock = clock
        self._pause = pause
        self._socket: WebSocket | None = None
        self._retry_at = 0.0
        self._wait = _FIRST_PAUSE
        self._pinged = False
        self._heard = False
        self.drops = 0

    @property
    def hears(self) -> bool:
        """Whether there is a connection; silence on it is no proof that nothing happens."""
        return self._socket is not None

    def open(self) -> bool:
        """Connect where there is no connection and it is time to try; tells whether there is."""
        now = self._clock.monotonic()
        if self._socket is not None:
            return True
        if now < self._retry_at:
            return False
        try:
            made = self._client.socket(self._path, patience=_PATIENCE)
            made.send(_FEATURES)
        except ServiceFault:
            self._retry_at = self._clock.monotonic() + self._wait
            self._wait = min(2 * self._wait, _LONGEST_PAUSE)
            return False
        self._socket, self._pinged, self._heard = made, False, False
        return True

    def hear(self, seconds: float) -> str | bytes | None:
        """Give the next message; None where none came within `seconds`, or nobody listens."""
        if not self.open() or self._socket is None:
            self._pause(seconds)
            return None
        try:
            message = self._socket.receive(seconds)
            self._keep_alive(self._socket)
        except ServiceFault:
            self._lost()
            return None
        if message is not None and not self._heard:
            self._heard, self._wait = True, _FIRST_PAUSE
        return message

    def close(self) -> None:
        """Close the connection in order."""
        made, self._socket = self._socket, None
        if made is not None:
            made.close()

    def abort(self) -> None:
        """End it from any thread."""
        made = self._socket
        if made is not None:
            made.abort()

    def _keep_alive(self, socket: "WebSocket") -> None:
        """Ask for a sign of life where nothing came for long; the server never asks."""
        silent = self._clock.monotonic() - socket.heard_monotonic
        if silent > _DEAD_AFTER:
            self._lost()
        elif silent > _PING_AFTER and not self._pinged:
            self._pinged = True
            socket.ping()
        elif silent <= _PING_AFTER:
            self._pinged = False

    def _lost(self) -> None:
        self.drops += 1
        with contextlib.suppress(ServiceFault):
            self.close()
        # The first try at once; a server that drops each connection is asked less and less.
        self._retry_at = self._clock.monotonic() + (0.0 if self._heard else self._wait)
        self._wait = min(2 * self._wait, _LONGEST_PAUSE)
