"""Which bytes are asked for next, in order, and how many may be under way at once."""

import threading

from console.transfer.part_file import PartFile
from console.transfer.part_map import CHUNK

MOST_UNDER_WAY = 15
"""MiB asked for and not yet marked, over all connections.

A killed process loses no more than these, whatever lies in the buffers of sockets; the promise is
16 MiB, and one is left for whoever reads a header or asks twice.
"""


class Blocks:
    """Hands out what is missing of a part, from its beginning on, and follows what is there."""

    def __init__(self, part: PartFile, lanes: int) -> None:
        self._part = part
        self._runs = part.there.missing()
        self._idle = lanes
        self._under_way = 0
        self._turn = threading.Condition()
        self._closed = False
        self._missing = sum(stop - first for first, stop in self._runs)
        self._frontier = 0
        self._move_frontier()

    def take(self) -> tuple[int, int] | None:
        """Give the next bytes to fetch, from and to; None where there are none left."""
        with self._turn:
            while not self._closed and self._runs and self._under_way >= MOST_UNDER_WAY:
                self._turn.wait()
            if self._closed or not self._runs:
                return None
            first, behind = self._runs[0]
            share = (MOST_UNDER_WAY - self._under_way) // max(self._idle, 1)
            stop = min(behind, first + max(share, 1))
            self._runs[0:1] = [(stop, behind)] if stop < behind else []
            self._under_way += stop - first
            self._idle -= 1
            return first * CHUNK, min(stop * CHUNK, self._part.wanted.size)

    def finished(self) -> None:
        """Note that a connection has what it took, and may take more."""
        with self._turn:
            self._idle += 1

    def mark(self, chunk: int) -> None:
        """Note that a MiB was written; a second time changes nothing."""
        with self._turn:
            if chunk in self._part.there:
                return
            self._part.mark(chunk)
            self._under_way -= 1
            self._missing -= 1
            self._move_frontier()
            self._turn.notify()

    def frontier(self) -> int:
        """Give the bytes before which everything is there."""
        return min(self._frontier * CHUNK, self._part.wanted.size)

    def complete(self) -> bool:
        """Tell whether everything is there."""
        return self._missing == 0

    def close(self) -> None:
        """Hand out nothing more."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _move_frontier(self) -> None:
        there = self._part.there
        while self._frontier < there.count and self._frontier in there:
            self._frontier += 1
