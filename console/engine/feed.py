"""The thread that listens to the engine's events."""

import threading

from console.engine.client import EngineClient
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineError, EngineUnreachableError, fault
from console.engine.inbox import Ended, Heard, Inbox
from console.engine.streams import EventStream


class Feed(threading.Thread):
    """Puts every event into the inbox until the stream ends, then says so.

    It has a client of its own: the stream keeps its connection busy for as long as it lives.
    """

    def __init__(self, endpoint: Endpoint, inbox: Inbox, since: float, limit: float) -> None:
        super().__init__(name="engine-events", daemon=True)
        self._client = EngineClient(endpoint, limit)
        self._inbox = inbox
        self._since = since
        self._stream: EventStream | None = None

    def run(self) -> None:
        """Listen until the stream ends, by itself or by `cancel`."""
        error: EngineError = fault(EngineUnreachableError, "engine.lost", what="events")
        try:
            with self._client, self._client.events(self._since) as stream:
                self._stream = stream
                for event in stream.events():
                    self._inbox.put(Heard(event))
        except EngineError as raised:
            error = raised
        finally:
            # Whatever ended it: a watcher that hears nothing more must know that it does not.
            self._inbox.put(Ended(error))

    def cancel(self) -> None:
        """End the stream from any thread, at once."""
        if self._stream is not None:
            self._stream.cancel()
        self._client.abort()
