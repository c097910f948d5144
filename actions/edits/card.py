"""The card that an edit runs on, watched while it runs: memory, power, heat, by the driver's word.

All edits of a process share one reader of the driver, which reads four times a second.
"""

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from actions.session import Session
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.unknown import Unknown, known

if TYPE_CHECKING:
    from console.gpu.sampler import GpuSampler

N = TypeVar("N", int, float)

SECONDS = 0.25
NOT_NAMED = Unknown("gpu.not-told", "which card the service computes on is not known")
NOT_READ = Unknown("gpu.not-read", "the driver has not told of the card while the edit ran")


class CardNow(NamedTuple):
    """Figures of a whole card, memory in bytes; None where the driver does not tell."""

    used: int | None = None
    total: int | None = None
    watts: float | None = None
    celsius: float | None = None
    lost: bool = False


class CardWatch:
    """Watches one card from `start` to `stop`, as a context manager.

    Attributes:
        uuid: of the card; without one nothing is read.
        before: its memory in use at the first reading.
        peak, watts_peak, celsius_peak: the most of all readings; None before the first.
        lost: it was gone from the driver at some time.
    """

    def __init__(
        self, session: Session, uuid: str, heard: Callable[[CardNow], None] | None = None
    ) -> None:
        """Take what to watch.

        Args:
            session: whose driver.
            uuid: of the card; empty where it is not known.
            heard: given each reading, from the reader's thread.
        """
        self.uuid = uuid
        self._session = session
        self._heard = heard
        self._shared: _Shared | None = None
        self.now = CardNow()
        self.before: int | None = None
        self.peak: int | None = None
        self.watts_peak: float | None = None
        self.celsius_peak: float | None = None
        self.lost = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to watch; answers at once, whatever the driver does."""
        if self.uuid and self._shared is None:
            self._shared = _shared(self._session)
            self._shared.join(self._take)

    def stop(self) -> None:
        """Watch no more."""
        if self._shared is not None:
            self._shared.leave(self._take)
            self._shared = None

    @property
    def problem(self) -> Unknown | None:
        """Say why there is no figure; None where there is one."""
        if self.peak is not None:
            return None
        return NOT_READ if self.uuid else NOT_NAMED

    def _take(self, snapshot: GpuSnapshot) -> None:
        gpu = next((one for one in snapshot.gpus if one.uuid == self.uuid), None)
        if gpu is None or snapshot.problem is not None:
            return
        self.now = now = _figures(gpu)
        self.lost = self.lost or now.lost
        if self.before is None:
            self.before = now.used
        self.peak = _more(self.peak, now.used)
        self.watts_peak = _more(self.watts_peak, now.watts)
        self.celsius_peak = _more(self.celsius_peak, now.celsius)
        if self._heard is not None:
            self._heard(now)


class _Shared:
    """One sampler for all who watch in this process; it reads while anybody does."""

    def __init__(self, session: Session) -> None:
        self._clock = session.clock
        self._environ = session.environ
        self._lock = threading.Lock()
        self._listeners: list[Callable[[GpuSnapshot], None]] = []
        self._sampler: GpuSampler | None = None

    def join(self, listener: Callable[[GpuSnapshot], None]) -> None:
        from console.gpu.sampler import GpuSampler

        with self._lock:
            self._listeners.append(listener)
            if self._sampler is None:
                self._sampler = GpuSampler(self._clock, self._environ, SECONDS, self._tell)
                self._sampler.start()

    def leave(self, listener: Callable[[GpuSnapshot], None]) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners and self._sampler is not None:
                self._sampler.stop()
                self._sampler = None

    def _tell(self) -> None:
        with self._lock:
            sampler, listeners = self._sampler, tuple(self._listeners)
        if sampler is None:
            return
        snapshot = sampler.snapshot()
        for listener in listeners:
            listener(snapshot)


_every: "weakref.WeakKeyDictionary[Session, _Shared]" = weakref.WeakKeyDictionary()
_every_lock = threading.Lock()


def _shared(session: Session) -> _Shared:
    with _every_lock:
        found = _every.get(session)
        if found is None:
            found = _every[session] = _Shared(session)
        return found


def _figures(gpu: Gpu) -> CardNow:
    if gpu.lost is not None:
        return CardNow(lost=True)
    return CardNow(
        used=_told(gpu.memory_used_bytes),
        total=_told(gpu.memory_total_bytes),
        watts=_told(gpu.power_watts),
        celsius=_told(gpu.temperature_celsius),
    )


def _told(value: N | Unknown) -> N | None:
    return value if known(value) else None


def _more(before: N | None, now: N | None) -> N | None:
    if before is None or now is None:
        return now if before is None else before
    return max(before, now)
