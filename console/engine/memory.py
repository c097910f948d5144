"""What the engine still remembers: its last 256 events, however old, asked for once."""

import logging
import threading
from datetime import datetime, timedelta

from console.engine.client import EngineClient, unix_seconds
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineError
from console.engine.parse import event as parse_event
from console.engine.snapshot import EngineEvent

log = logging.getLogger("gpuconsole.engine")

MOST = 1_000
_REACHES = timedelta(days=90)


class Memory(threading.Thread):
    """Asks in a thread of its own, which an engine that hangs may keep for good.

    Args:
        endpoint: where the engine is.
        now: nothing newer is asked for, or the answer would never end.
    """

    def __init__(self, endpoint: Endpoint, now: datetime) -> None:
        super().__init__(name="engine-memory", daemon=True)
        self._endpoint = endpoint
        self._now = now
        self._found: tuple[EngineEvent, ...] | None = None

    def take(self) -> tuple[EngineEvent, ...] | None:
        """Give the events, the newest first, once they are all there, and only once."""
        found, self._found = self._found, None
        return found

    def run(self) -> None:
        """Ask; an engine that does not answer remembers nothing."""
        begin, end = unix_seconds(self._now - _REACHES), unix_seconds(self._now)
        found: list[EngineEvent] = []
        try:
            with EngineClient(self._endpoint) as client, client.events(begin, end) as stream:
                for told in stream.events():
                    parsed = parse_event(told)
                    if parsed is not None and not parsed[1].action.startswith("exec_"):
                        found.append(parsed[1])
                    if len(found) >= MOST:
                        break
        except EngineError as error:
            # What came until then is true all the same.
            log.info("the engine's memory was not told to its end: %s", error.title)
        except Exception:
            log.exception("reading the engine's memory failed")
        self._found = tuple(sorted(found, key=lambda one: one.at, reverse=True))
