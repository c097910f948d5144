"""The newest container events, and what they tell about ends that were asked for."""

from collections import deque

from console.engine.snapshot import EngineEvent

MOST_EVENTS = 200
_MOST_SEEN = 1024
_SECOND = 1_000_000_000
# How long after a signal an end still counts as asked for. Signals that end a container may be
# followed by a long grace period; any other (HUP, USR1) that ends it does so at once.
_GRACE = 900 * _SECOND
_PROMPT = 15 * _SECOND
_ENDING = frozenset({"2", "3", "9", "15", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM"})


class Tape:
    """Keeps the newest 200 events and whose end was asked for; one thread's own.

    `docker stop` shows as kill (with its signal), die, stop; `docker kill` as kill, die; a crash as
    die alone. A container that starts again has no end to explain any more.
    """

    def __init__(self) -> None:
        self._events: deque[EngineEvent] = deque(maxlen=MOST_EVENTS)
        self._seen: dict[tuple[int, str, str], None] = {}
        self._signals: dict[str, tuple[int, str]] = {}
        self._asked: set[str] = set()
        self.newest_nanoseconds = 0

    def add(self, nanoseconds: int, event: EngineEvent) -> bool:
        """Take an event in; False where it is known already (a reconnect tells some again)."""
        key = (nanoseconds, event.container_id, event.action)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        self._events.appendleft(event)
        self.newest_nanoseconds = max(self.newest_nanoseconds, nanoseconds)
        self._judge(nanoseconds, event)
        return True

    def events(self) -> tuple[EngineEvent, ...]:
        """Give the events, newest first."""
        return tuple(self._events)

    def asked_to_stop(self) -> frozenset[str]:
        """Give the ids of containers whose last end was asked for."""
        return frozenset(self._asked)

    def last_exit_code(self, container_id: str) -> int | None:
        """Give the exit code of a container's last `die` event that is still remembered."""
        for event in self._events:
            if event.container_id == container_id and event.action == "die":
                return event.exit_code
        return None

    def _judge(self, nanoseconds: int, event: EngineEvent) -> None:
        container_id = event.container_id
        if event.action == "kill":
            self._signals[container_id] = (nanoseconds, event.signal or "")
        elif event.action == "die":
            self._asked.discard(container_id)
            if self._was_signalled(container_id, nanoseconds):
                self._asked.add(container_id)
        elif event.action == "stop":
            self._asked.add(container_id)
        elif event.action in {"start", "destroy"}:
            self._asked.discard(container_id)
            self._signals.pop(container_id, None)

    def _was_signalled(self, container_id: str, died: int) -> bool:
        sent = self._signals.pop(container_id, None)
        if sent is None:
            return False
        return died - sent[0] <= (_GRACE if sent[1] in _ENDING else _PROMPT)
