"""One connection of a fetch, in a thread of its own: asks for bytes, puts them in their place."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from console.clock import Clock
from console.errors import ConsoleError
from console.transfer.blocks import Blocks
from console.transfer.faults import gave_up
from console.transfer.pacing import LONGEST_REQUESTED_WAIT, Pace, Patience, wish_of
from console.transfer.part_file import PartFile
from console.transfer.part_map import CHUNK
from console.transfer.wanted import Body, Source

_MOST_FAILURES = 40
"""Faults in a row without a single new byte, after which asking again helps nobody."""


class Passing(ConsoleError):  # noqa: N818 -- as the faults of services and of the hub
    """A fault of a transfer's own that may pass, such as a body that ended early."""

    passing = True
    retry_after: float | None = None


class Shared(NamedTuple):
    """What the connections of one fetch have in common."""

    part: PartFile
    blocks: Blocks
    source: Source
    clock: Clock
    pace: Pace
    patience: Patience
    closing: threading.Event
    alone: "Alone"
    progressed: Callable[[], None]


class Alone:
    """The connection that goes on by itself, once it is known that ranges are ignored."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.lane: Lane | None = None

    def claim(self, lane: "Lane") -> bool:
        """Let a connection go on alone; False where another one does."""
        with self._guard:
            if self.lane is None:
                self.lane = lane
            return self.lane is lane


class Lane:
    """One connection.

    Attributes:
        fetched: bytes that came over it, with those that were in vain.
        partial: bytes of it on disk in MiB that are not whole yet.
        waiting_since: since when, by the monotonic clock, it waits for bytes; None while it does
            something else.
        error: what ended it; None where it just has nothing more to do.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._position = 0
        self._covered = 0
        self.fetched = 0
        self.partial = 0
        self.waiting_since: float | None = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="transfer-lane", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            while self._goes_on() and (block := self._shared.blocks.take()) is not None:
                self._fetch(*block)
                self._shared.blocks.finished()
            if self._shared.alone.lane is self:
                self._fetch_alone()
        except BaseException as error:  # noqa: BLE001 -- raised again by who waits for the lanes
            self.error = error
        finally:
            self.waiting_since = None
            self._shared.progressed()

    def _goes_on(self) -> bool:
        """Tell whether to go on with ranges."""
        return not self._shared.closing.is_set() and self._shared.alone.lane is None

    def _fetch(self, start: int, stop: int) -> None:
        """Fetch a block, however often it takes."""
        self._position = self._covered = start
        while self._position < stop and self._goes_on():
            if self._shared.patience.wait(lambda: not self._goes_on()):
                self._ask(stop)
        self.partial = 0

    def _fetch_alone(self) -> None:
        """Fetch all that is missing in one go, as the source gives no ranges."""
        shared = self._shared
        while not shared.blocks.complete() and not shared.closing.is_set():
            self._position = self._covered = shared.blocks.frontier()
            if shared.patience.wait(lambda: False):
                self._ask(shared.part.wanted.size)

    def _ask(self, stop: int) -> None:
        """Ask once, and take what comes; faults that may pass make all connections wait."""
        shared, asked_at = self._shared, self._shared.clock.monotonic()
        self.waiting_since = asked_at
        alone = shared.alone.lane is self
        try:
            with shared.source.open(self._position, stop) as body:
                self._drink(body, stop)
            if self._position < stop and (alone or self._goes_on()):
                raise Passing("transfer.cut", "the connection ended early")
        except ConsoleError as fault:
            if not shared.closing.is_set():
                self._wait_out(fault, asked_at)
        finally:
            self.waiting_since = None

    def _wait_out(self, fault: ConsoleError, asked_at: float) -> None:
        if not getattr(fault, "passing", False):
            raise fault
        path, wish = self._shared.part.wanted.path, wish_of(fault)
        if wish is not None and wish > LONGEST_REQUESTED_WAIT:
            raise gave_up(path, f"{fault.title}; asks to be left alone for {wish / 3600:.1f} h")
        if self._shared.patience.failed(fault, asked_at) > _MOST_FAILURES:
            raise gave_up(path, f"{fault.title}, {_MOST_FAILURES} times in a row")

    def _drink(self, body: Body, stop: int) -> None:
        """Write what comes until `stop`."""
        shared = self._shared
        if not self._begin(body):
            return
        if shared.alone.lane is self:
            stop = shared.part.wanted.size
        for piece in body.pieces():
            self.fetched += len(piece)
            if shared.closing.is_set() or shared.alone.lane not in (None, self):
                return
            self.waiting_since = None
            shared.pace.spend(len(piece))
            self._put(memoryview(piece)[: stop - self._position])
            self.waiting_since = shared.clock.monotonic()
            if self._position >= stop:
                return

    def _begin(self, body: Body) -> bool:
        """Look where a body begins; False where it is of no use."""
        if body.start == self._position:
            return True
        if not 0 <= body.start < self._position:
            raise Passing("transfer.wrong-range", "other bytes came than were asked for")
        if not self._shared.alone.claim(self):
            return False
        self._position = self._covered = body.start
        return True

    def _put(self, data: memoryview) -> None:
        """Write bytes at the position, MiB by MiB, and mark each MiB that is whole now."""
        shared, size = self._shared, self._shared.part.wanted.size
        while data:
            chunk = self._position // CHUNK
            begin, end = chunk * CHUNK, min((chunk + 1) * CHUNK, size)
            mine = data[: end - self._position]
            new = chunk not in shared.part.there
            if new:
                shared.part.write(mine, self._position)
                shared.patience.went_on()
            self._position += len(mine)
            whole = self._position == end
            self.partial = self._position - max(begin, self._covered) if new and not whole else 0
            if new and whole and self._covered <= begin:
                shared.blocks.mark(chunk)
                shared.progressed()
            data = data[len(mine) :]
