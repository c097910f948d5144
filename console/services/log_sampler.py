"""Reads the start log of each watched container: again while it starts, once more when it is up."""

import threading
from collections.abc import Callable, Sequence

import msgspec

from console.clock import Clock, SystemClock
from console.engine.client import EngineClient
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineError
from console.services.reading import StartLog, Target
from console.services.start_log import read_start_log

_LIMIT = 5.0
_STARTING_SECONDS = 4.0
_LATER_SECONDS = 20.0
_LONG_START = 600.0
_ERROR_SECONDS = 15.0


class _Watched(msgspec.Struct):
    """One run of a container: when its log is read next; `settled` once it was read while up."""

    started_at: str
    due: float
    since: float
    up: bool = False
    settled: bool = False


class StartLogSampler:
    """Keeps the newest start log of each watched container; one thread, the engine's client in it.

    Args:
        endpoint: the engine.
        on_change: called without arguments, from its thread, after a log that says something new.
    """

    def __init__(self, endpoint: Endpoint, on_change: Callable[[], None] | None = None) -> None:
        self._on_change = on_change
        self._pace: Clock = SystemClock()
        self._client = EngineClient(endpoint, _LIMIT)
        self._wake = threading.Condition()
        self._stopping = False
        self._watched: dict[str, _Watched] = {}
        self._logs: dict[str, StartLog] = {}
        self._thread = threading.Thread(target=self._run, name="service-logs", daemon=True)

    def start(self) -> None:
        """Begin to read, in the background; does nothing where it has begun."""
        if self._thread.ident is None and not self._stopping:
            self._thread.start()

    def stop(self) -> None:
        """End at once, also in the middle of a call; never waits."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._client.abort()

    def watch(self, targets: Sequence[Target]) -> None:
        """Read the logs of these containers; a new run of one is read at once."""
        now = self._pace.monotonic()
        wanted = {target.container_id: target.started_at for target in targets}
        with self._wake:
            self._watched = {
                name: self._watched[name]
                if name in self._watched and self._watched[name].started_at == started_at
                else _Watched(started_at, now, now)
                for name, started_at in wanted.items()
            }
            self._wake.notify()

    def note(self, container_id: str, up: bool) -> None:
        """Hear whether its service answers: the log is read once more when that begins."""
        with self._wake:
            watched = self._watched.get(container_id)
            if watched is None or watched.up == up:
                return
            watched.up = up
            # A run that was up and is not any more tells why at its end.
            watched.settled = False
            watched.due = self._pace.monotonic()
            self._wake.notify()

    def start_logs(self) -> dict[str, StartLog]:
        """Give the newest logs by container id; a copy, from any thread."""
        with self._wake:
            return dict(self._logs)

    def _run(self) -> None:
        with self._client:
            while (found := self._next()) is not None:
                self._read(*found)

    def _next(self) -> tuple[str, str, bool] | None:
        """Wait for the next log whose time has come: id, run, whether the service was up."""
        with self._wake:
            while not self._stopping:
                waiting = [(w.due, name) for name, w in self._watched.items() if not w.settled]
                due, name = min(waiting, default=(0.0, ""))
                now = self._pace.monotonic()
                if not name:
                    self._wake.wait()
                elif due > now:
                    self._wake.wait(due - now)
                else:
                    watched = self._watched[name]
                    return name, watched.started_at, watched.up
        return None

    def _read(self, container_id: str, started_at: str, up: bool) -> None:
        try:
            log: StartLog | None = read_start_log(self._client, container_id, started_at)
        except EngineError:
            log = None
        with self._wake:
            changed = log is not None and self._logs.get(container_id) != log
            if log is not None:
                self._logs[container_id] = log
            watched = self._watched.get(container_id)
            if watched is not None and watched.started_at == started_at:
                watched.settled = up and log is not None and watched.up
                watched.due = self._pace.monotonic() + self._pause(watched, log)
            for gone in self._logs.keys() - self._watched.keys():
                del self._logs[gone]
        if changed and self._on_change is not None:
            self._on_change()

    def _pause(self, watched: _Watched, log: StartLog | None) -> float:
        if log is None:
            return _ERROR_SECONDS
        long = self._pace.monotonic() - watched.since > _LONG_START
        return _LATER_SECONDS if long else _STARTING_SECONDS
