"""Readings of all cards in a thread of their own, so that a driver that hangs holds nothing up."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import structs

from console.clock import Clock
from console.gpu.faults import state
from console.gpu.snapshot import OVERDUE_SECONDS, GpuSnapshot

if TYPE_CHECKING:
    from console.gpu.reader import GpuReader

log = logging.getLogger("gpuconsole.gpu")


class GpuSampler:
    """Reads the cards once per interval and keeps the last snapshot.

    The NVML wrapper is imported by the thread, off the start-up path. All methods answer at once,
    whatever the driver does.

    Args:
        clock: for the time of readings and their age.
        environ: environment variables, see `console.gpu.library`.
        interval: seconds from the start of one pass to the start of the next.
        on_change: called without arguments after each pass, from the sampler's thread.
    """

    def __init__(
        self,
        clock: Clock,
        environ: Mapping[str, str],
        interval: float = 1.0,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._clock = clock
        self._environ = environ
        self._interval = interval
        self._on_change = on_change
        self._latest = GpuSnapshot()
        self._due: float | None = None
        self._stop: threading.Event | None = None
        self._reader: GpuReader | None = None

    def start(self) -> None:
        """Begin reading; does nothing where it has begun."""
        if self._stop is not None:
            return
        self._stop = threading.Event()
        self._due = self._clock.monotonic() + self._interval
        # A daemon, because a thread inside a hanging driver can't be waited for.
        threading.Thread(target=self._run, args=(self._stop,), name="gpu", daemon=True).start()

    def stop(self) -> None:
        """End reading, without waiting for a pass that is under way."""
        stop, self._stop, self._due = self._stop, None, None
        reader, self._reader = self._reader, None
        if stop:
            stop.set()
        if reader:
            reader.abandon()

    def snapshot(self) -> GpuSnapshot:
        """Give the last reading; while the next is overdue, with `gpu.stale` as its problem."""
        latest = self._latest
        if not self.is_stale():
            return latest
        return structs.replace(latest, problem=state("stale", age=round(self._silence())))

    def is_stale(self) -> bool:
        """Tell whether a reading is overdue by 3 s."""
        due = self._due
        if self._stop is None or due is None:
            return False
        return self._clock.monotonic() > due + OVERDUE_SECONDS

    def age(self) -> float | None:
        """Give the seconds since the last reading; None before the first."""
        taken = self._latest.taken_monotonic
        return None if taken is None else max(0.0, self._clock.monotonic() - taken)

    def _silence(self) -> float:
        """Give the seconds since the driver last answered or was first asked."""
        age = self.age()
        if age is not None:
            return age
        return self._clock.monotonic() - ((self._due or 0.0) - self._interval)

    def _run(self, stop: threading.Event) -> None:
        """Read until told to stop; what goes wrong in here is shown, and reading goes on."""
        from console.gpu.reader import GpuReader

        reader = GpuReader(self._clock, self._environ)
        self._reader = reader
        while not stop.is_set():
            begun = self._clock.monotonic()
            try:
                snapshot = reader.read()
            except Exception:
                log.exception("reading the cards failed")
                snapshot = structs.replace(
                    self._latest,
                    problem=state("reader-failed"),
                    taken_at=self._clock.now(),
                    taken_monotonic=self._clock.monotonic(),
                )
            if stop.is_set():
                break
            self._publish(snapshot)
            stop.wait(max(0.0, self._interval - (self._clock.monotonic() - begun)))
        reader.close()

    def _publish(self, snapshot: GpuSnapshot) -> None:
        self._latest = snapshot
        self._due = self._clock.monotonic() + self._interval
        if self._on_change:
            self._on_change()
