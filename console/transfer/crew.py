"""All who work on one part at once: the connections, the hash behind them, the one who settles."""

import threading
import time
from collections.abc import Callable

from console.clock import Clock
from console.transfer.blocks import Blocks
from console.transfer.hashing import HashThread
from console.transfer.lane import Alone, Lane, Shared
from console.transfer.pacing import Pace, Patience
from console.transfer.part_file import PartFile
from console.transfer.wanted import Source

STALL_SECONDS = 30.0
"""Without a byte for so long, a connection is cut and asked again."""

_JOIN_SECONDS = 5.0
_SETTLE_SECONDS = 3.0


class Crew:
    """The threads of one attempt at a file, from its start to `close`."""

    def __init__(
        self,
        part: PartFile,
        source: Source,
        clock: Clock,
        connections: int,
        changed: Callable[[], None],
        limit: float | None = None,
    ) -> None:
        self._part = part
        self._source = source
        self._clock = clock
        self._closing = threading.Event()
        self._changed = changed
        self.blocks = Blocks(part, connections)
        self.pace = Pace(clock, self._closing)
        self.pace.set(limit)
        self.patience = Patience(clock, self._closing)
        git = bool(part.wanted.git_oid)
        self.hash = HashThread(part.handle, part.wanted.size, git=git, ended=changed)
        self.hash.advance(self.blocks.frontier())
        shared = Shared(
            part=part,
            blocks=self.blocks,
            source=source,
            clock=clock,
            pace=self.pace,
            patience=self.patience,
            closing=self._closing,
            alone=Alone(),
            progressed=self._progressed,
        )
        count = 0 if self.blocks.complete() else max(1, connections)
        self._lanes = [Lane(shared) for _ in range(count)]
        self._settle_error: OSError | None = None
        self._settler = threading.Thread(target=self._settle, name="transfer-settle", daemon=True)
        self._settler.start()

    def fetched(self) -> int:
        """Give the bytes that came over all connections."""
        return sum(lane.fetched for lane in self._lanes)

    def there(self) -> int:
        """Give the bytes on disk, with those of MiB that are not whole yet."""
        partial = sum(lane.partial for lane in self._lanes)
        return min(self._part.there.bytes_there() + partial, self._part.wanted.size)

    def error(self) -> BaseException | None:
        """Give what stopped one of them; None while all is well."""
        errors = [lane.error for lane in self._lanes]
        return next(
            (one for one in (*errors, self.hash.error, self._settle_error) if one is not None), None
        )

    def complete(self) -> bool:
        """Tell whether all bytes are there, and hashed."""
        return self.blocks.complete() and self.hash.ended.is_set() and self.hash.error is None

    def stalled(self) -> int:
        """Cut connections that had no byte for too long; give how many there were."""
        now, count = self._clock.monotonic(), 0
        for lane in self._lanes:
            since = lane.waiting_since
            if since is not None and now - since >= STALL_SECONDS:
                lane.waiting_since = now
                count += 1
        if count:
            # It cuts the others too; they ask again for what they do not have yet.
            self._source.abandon()
        return count

    def close(self, *, settle: bool) -> int:
        """End all threads, and give the bytes that came over the network.

        A thread that cannot be ended (a network that answers nothing, not even to being cut) is
        left to itself; the part's body then stays open, and the part takes nothing more from it.

        Args:
            settle: have the disk confirm what is there, as it will be gone on with.
        """
        self._closing.set()
        self.blocks.close()
        if not self.complete():
            self._source.abandon()
        self.hash.close()
        deadline = time.monotonic() + _JOIN_SECONDS
        for lane in self._lanes:
            lane.thread.join(max(0.0, deadline - time.monotonic()))
        self._settler.join()
        if settle and self._settle_error is None:
            try:
                self._part.settle()
            except OSError as error:
                self._settle_error = error
        if any(lane.thread.is_alive() for lane in self._lanes):
            self._part.close(in_use=True)
        return self.fetched()

    def _progressed(self) -> None:
        self.hash.advance(self.blocks.frontier())
        self._changed()

    def _settle(self) -> None:
        """Have the disk confirm every few seconds what is there, so that a reboot costs little."""
        while not self._closing.wait(_SETTLE_SECONDS):
            try:
                self._part.settle()
            except OSError as error:
                self._settle_error = error
                self._changed()
                return
