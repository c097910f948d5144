"""The live host: samplers in threads of their own, merged into one snapshot on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from actions.alerts import AlertBook
from actions.merge import Merger
from actions.notes import standing_notes
from actions.paths import paths_that_matter
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.engine.snapshot import ContainerUsage, EngineSnapshot
from console.gpu.sampler import GpuSampler
from console.host.snapshot import NOT_READ_YET, HostFacts
from console.unknown import Unknown

if TYPE_CHECKING:
    from actions.services.known import KnownServices
    from console.engine.usage import UsageSampler
    from console.engine.watcher import EngineWatcher
    from console.host.sampler import HostSampler
    from console.services.reading import Target
    from console.services.sampler import ServiceSampler

RECORD_AFTER_SECONDS = 4.0


class LiveHost:
    """Everything that moves on the host, for views that stay open.

    Each source is read in a daemon thread of its own; one that hangs leaves the others alone and
    never holds up `snapshot()` or `stop()`. Subscribers are called from those threads, without
    arguments, whenever something new can be read.
    """

    def __init__(
        self, session: Session, interval: float | None = None, *, recorded: bool = False
    ) -> None:
        """Take what is read; `interval` in seconds, of the cards, else as the config has it.

        What is seen goes on the timeline, in a thread of its own, where it is to be `recorded`.
        """
        self._session = session
        self._recorded = recorded
        self._latest: HostSnapshot | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._subscribers: list[Callable[[], None]] = []
        self._watched: Sequence[str] = ()
        interval = session.settings.ui.interval if interval is None else interval
        self._gpu = GpuSampler(session.clock, session.environ, interval, self._changed)
        self._engine: EngineWatcher | None = None
        self._usage: UsageSampler | None = None
        self._host: HostSampler | None = None
        self._known: KnownServices | None = None
        self._services: ServiceSampler | None = None
        self._targets: tuple[Target, ...] = ()
        self._stopped = False
        self._merger = Merger(session.clock, AlertBook(standing_notes(session)), interval)

    def start_cards(self) -> None:
        """Start reading the cards ahead of the rest: they are what a first frame shows."""
        self._gpu.start()

    def start(self) -> None:
        """Start every sampler that does not run yet; returns at once.

        The doors to engine and host are imported here, not before a first frame is drawn.
        """
        from console.engine.usage import UsageSampler
        from console.engine.watcher import EngineWatcher
        from console.host.sampler import HostSampler

        self._gpu.start()
        if self._engine is not None:
            return
        session = self._session
        self._engine = EngineWatcher(session.endpoint, session.clock, self._changed)
        self._usage = UsageSampler(session.endpoint, session.clock, on_change=self._changed)
        self._host = HostSampler(session.root, paths_that_matter(session), on_change=self._changed)
        self._usage.watch(self._watched)
        for sampler in (self._engine, self._usage, self._host):
            sampler.start()
        if self._recorded:
            threading.Thread(target=self._record, name="timeline", daemon=True).start()

    def stop(self) -> None:
        """Ask every sampler to end; returns at once, whatever hangs."""
        self._stopped = True
        self._over.set()
        for sampler in (self._gpu, self._engine, self._usage, self._host, self._services):
            if sampler is not None:
                sampler.stop()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call `callback` from a sampler's thread after each change."""
        with self._lock:
            self._subscribers.append(callback)

    def watch_usage(self, ids: Sequence[str]) -> None:
        """Say which containers are on the screen: only their CPU and memory are read."""
        self._watched = ids
        if self._usage is not None:
            self._usage.watch(ids)

    def snapshot(self) -> HostSnapshot:
        """Give the picture of this moment; cheap, for the view's own thread only."""
        usage: dict[str, ContainerUsage] = self._usage.usage() if self._usage is not None else {}
        host: HostFacts | Unknown = NOT_READ_YET if self._host is None else self._host.snapshot()
        engine = self._engine_snapshot()
        known = self._look_for_services(engine)
        asked = self._services
        self._latest = self._merger.merge(
            self._gpu.snapshot(),
            engine,
            host,
            usage,
            known,
            asked.readings() if asked is not None else {},
            asked.start_logs() if asked is not None else {},
        )
        return self._latest

    def _record(self) -> None:
        """Keep the timeline, once the start is over and whoever looks has what they look at."""
        if self._over.wait(RECORD_AFTER_SECONDS):
            return
        from actions.watching.background import record

        record(self._session, lambda: self._latest, self._over)

    def _look_for_services(self, engine: EngineSnapshot) -> KnownServices | None:
        """Find services once the engine has answered, and have those asked that are new.

        Imported here: a first frame has no containers yet, and should not wait for this.
        """
        if self._engine is None or engine.state == "connecting":
            return self._known
        if not engine.containers and not self._session.settings.services:
            return self._known
        from actions.services.known import KnownServices

        if self._known is None:
            self._known = KnownServices(self._session)
        targets = self._known.targets(engine)
        if targets != self._targets and not self._stopped:
            self._targets = targets
            self._ask(targets)
        return self._known

    def _ask(self, targets: tuple[Target, ...]) -> None:
        from console.services.sampler import ServiceSampler

        session = self._session
        if self._services is None:
            self._services = ServiceSampler(
                session.endpoint, session.environ, session.clock, self._changed
            )
            self._services.watch(targets)
            self._services.start()
            return
        self._services.watch(targets)

    def _engine_snapshot(self) -> EngineSnapshot:
        if self._engine is not None:
            return self._engine.snapshot()
        endpoint = self._session.endpoint
        return EngineSnapshot(
            endpoint=endpoint.shown, endpoint_source=endpoint.source, state="connecting"
        )

    def _changed(self) -> None:
        with self._lock:
            subscribers = list(self._subscribers)
        for callback in subscribers:
            callback()
