"""Several containers' entries as one log, by time, as they come."""

import heapq
import threading
from operator import attrgetter

from actions.logs.line import Entry
from console.clock import Clock, SystemClock

# Lines of several containers that come within this are put in order of their times.
_HOLD = 0.1
_ROOM = 50_000
_ROOM_CHARACTERS = 16 << 20


class _Queue:
    """What one reader brought and nobody took yet."""

    __slots__ = ("arrived", "caught_up", "entries", "over", "size")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.arrived: list[tuple[float, int]] = []
        self.size = 0
        self.caught_up = False
        self.over = False


class Merge:
    """Takes entries from several threads and gives them to one, in the order of their times.

    Each container's own order stays as the engine gave it, also where its clock jumped. A reader
    that brings more than is taken waits.

    Args:
        count: how many readers there are.
        room: how many entries of one reader may wait.
    """

    def __init__(self, count: int, room: int = _ROOM) -> None:
        self._queues = [_Queue() for _ in range(count)]
        self._room = room
        self._changed = threading.Condition()
        self._closed = False
        self._pace: Clock = SystemClock()

    def put(self, number: int, entries: list[Entry]) -> None:
        """Take a reader's next entries; waits while it has brought too many."""
        queue = self._queues[number]
        size = sum([len(entry.text) for entry in entries])
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(queue) or self._closed)
            if self._closed:
                return
            queue.entries += entries
            queue.size += size
            queue.arrived.append((self._pace.monotonic(), len(queue.entries)))
            self._changed.notify_all()

    def mark(self, number: int, *, caught_up: bool, over: bool) -> None:
        """Note whether a reader has read all there was, and whether it has ended."""
        with self._changed:
            queue = self._queues[number]
            queue.caught_up, queue.over = caught_up, over
            self._changed.notify_all()

    def close(self) -> None:
        """Let everybody who waits go on; what comes from now on is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, wait: float) -> list[Entry] | None:
        """Give the next entries in order; none where none came within `wait` seconds.

        None means that no reader will bring any more, or that it was closed.
        """
        deadline = self._pace.monotonic() + wait
        with self._changed:
            while True:
                if self._closed:
                    return None
                ready, soon = self._ready()
                if ready:
                    self._changed.notify_all()
                    return ready
                if all(queue.over for queue in self._queues) and not soon:
                    return None
                left = deadline - self._pace.monotonic()
                if left <= 0:
                    return []
                self._changed.wait(min(left, _HOLD) if soon else left)

    def _has_room(self, queue: _Queue) -> bool:
        return len(queue.entries) < self._room and queue.size < _ROOM_CHARACTERS

    def _ready(self) -> tuple[list[Entry], bool]:
        """Take out what may be given now; tells whether there is more that has to wait a little."""
        if len(self._queues) == 1:
            queue = self._queues[0]
            entries, queue.entries, queue.size = queue.entries, [], 0
            queue.arrived.clear()
            return entries, False
        # What a reader that is still in the past will bring is not known yet: no one may pass it.
        limit: str | None = None
        for queue in self._queues:
            if not queue.caught_up and not queue.over:
                if not queue.entries:
                    return [], any(other.entries for other in self._queues)
                newest = queue.entries[-1].stamp
                limit = newest if limit is None else min(limit, newest)
        held = any(queue.caught_up and not queue.over for queue in self._queues)
        before = self._pace.monotonic() - _HOLD if held else float("inf")
        counts = [_old_enough(queue, limit, before) for queue in self._queues]
        newest = max(
            (
                queue.entries[count - 1].stamp
                for queue, count in zip(self._queues, counts, strict=True)
                if count
            ),
            default="",
        )
        # A line is not held back while a newer one goes.
        parts = [
            _taken(queue, _up_to(queue, count, newest))
            for queue, count in zip(self._queues, counts, strict=True)
        ]
        ready = list(heapq.merge(*parts, key=attrgetter("stamp")))
        return ready, any(queue.entries for queue in self._queues)


def _old_enough(queue: _Queue, limit: str | None, before: float) -> int:
    """Give how many of a queue's first entries are not newer than `limit` and came long ago."""
    most = max((end for at, end in queue.arrived if at <= before), default=0)
    return most if limit is None else min(most, _up_to(queue, 0, limit))


def _up_to(queue: _Queue, count: int, newest: str) -> int:
    """Give how many of a queue's first entries may go where `newest` goes."""
    entries = queue.entries
    while count < len(entries) and entries[count].stamp <= newest:
        count += 1
    return count


def _taken(queue: _Queue, count: int) -> list[Entry]:
    part = queue.entries[:count]
    del queue.entries[:count]
    queue.size -= sum([len(entry.text) for entry in part])
    queue.arrived = [(at, end - count) for at, end in queue.arrived if end > count]
    return part
