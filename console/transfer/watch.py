"""How a fetch goes, seen five times a second: its state, its rate, and when it is hopeless."""

from collections.abc import Callable

from console.clock import Clock
from console.transfer.crew import STALL_SECONDS, Crew
from console.transfer.faults import gave_up
from console.transfer.pacing import Meter
from console.transfer.wanted import Progress, Wanted

NOTHING_CAME_SECONDS = 15 * 60.0
"""Without a byte for so long, the fetch ends; waits that the other side asked for do not count."""

_STOOD_STILL_SECONDS = NOTHING_CAME_SECONDS / 3
"""Nobody looked for so long: this process was stopped, or its whole machine, not the line."""

_REPORT_SECONDS = 0.2


class Watch:
    """What is told of a fetch.

    Attributes:
        resumed_from: bytes that an earlier attempt had fetched.
        fetched_before: bytes over the network of crews that have ended.
        twice: why all is fetched once more; empty where it is not.
    """

    def __init__(self, wanted: Wanted, clock: Clock, report: Callable[[Progress], None]) -> None:
        self._wanted = wanted
        self._clock = clock
        self._report = report
        self._meter = Meter(clock)
        self._count = 0
        self._looked_at = self._last_byte_at = clock.monotonic()
        self._reported_at = float("-inf")
        self._cut = ""
        self.twice = ""
        self.resumed_from = 0
        self.fetched_before = 0

    def again(self, why: str) -> None:
        """Note that all is fetched once more, and why."""
        self.twice = f"{why}: fetched once more"
        self._meter.restart()
        self._looked_at = self._last_byte_at = self._clock.monotonic()

    def look(self, crew: Crew) -> None:
        """See how it goes, cut what stalls, and tell.

        Raises:
            TransferFault: nothing came for a quarter of an hour (`transfer.gave-up`).
        """
        now, count = self._clock.monotonic(), self.fetched_before + crew.fetched()
        if now - self._looked_at >= _STOOD_STILL_SECONDS:
            self._last_byte_at = now
        self._looked_at = now
        if count != self._count:
            self._count, self._last_byte_at, self._cut = count, now, ""
        if stalled := crew.stalled():
            self._cut = f"no byte for {STALL_SECONDS:.0f} s on {_connections(stalled)}: asked again"
        if crew.blocks.complete():
            self._last_byte_at = now
        waited_until = crew.patience.until if crew.patience.rate_limited else 0.0
        silent = now - max(self._last_byte_at, min(waited_until, now))
        if silent >= NOTHING_CAME_SECONDS:
            minutes = NOTHING_CAME_SECONDS / 60
            why = f"; last: {crew.patience.why}" if crew.patience.why else ""
            raise gave_up(self._wanted.path, f"nothing came for {minutes:.0f} minutes{why}")
        if now - self._reported_at >= _REPORT_SECONDS:
            state, note = self._state(crew, silent)
            self.tell(state, crew.there(), note)

    def tell(self, state: str, done: int, note: str = "") -> None:
        """Tell the state now."""
        self._reported_at = self._clock.monotonic()
        moving = state == "fetching"
        rate = self._meter.rate(self._count)
        self._report(
            Progress(
                state=state,
                done=done,
                total=self._wanted.size,
                resumed_from=self.resumed_from,
                fetched=self._count,
                rate=rate if moving else None,
                note=note or self.twice,
            )
        )

    def _state(self, crew: Crew, silent: float) -> tuple[str, str]:
        if crew.blocks.complete():
            return "checking", ""
        left, patience = crew.patience.left(), crew.patience
        if left > 0 and patience.rate_limited:
            return "rate-limited", f"{patience.why}; goes on in {left:.0f} s"
        if silent >= STALL_SECONDS:
            return "stalled", self._cut or f"no byte for {silent:.0f} s"
        if left > 0:
            return "fetching", f"{patience.why}; asked again in {left:.0f} s"
        return "fetching", self._cut


def _connections(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"
