"""CPU, memory and traffic of the containers somebody looks at, each sampled every few seconds."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from console.clock import Clock, SystemClock
from console.engine.client import EngineClient
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineConflictError, EngineError, NoSuchContainerError
from console.engine.snapshot import NO_FLOW, ContainerUsage, Flow
from console.engine.values import integer, items, mapping, moment
from console.unknown import Unknown

_LIMIT = 5.0
_PAUSE_AFTER_ERROR = 5.0
_SECOND_SAMPLE = 1.0
_FIRST_SAMPLE = Unknown("engine.first-sample", "needs a second sample")
_NO_LIMIT = Unknown("engine.no-memory-limit", "no memory limit of its own")
_NOT_TOLD = Unknown("engine.no-statistics", "the engine gives no figure")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample of a container: processor time in nanoseconds so far, memory in bytes.

    `at` is the engine's own time of it.
    """

    at: datetime | None
    cpu_nanoseconds: int | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    received_bytes: int | None = None
    sent_bytes: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None


def read_sample(stats: Mapping[str, Any]) -> Sample | None:
    """Read an answer to `GET /containers/{id}/stats`; None for a container that does not run."""
    cpu = integer(mapping(mapping(stats.get("cpu_stats")).get("cpu_usage")).get("total_usage"))
    memory = mapping(stats.get("memory_stats"))
    used = integer(memory.get("usage"))
    if not cpu and used is None:
        return None
    return Sample(
        at=moment(stats.get("read")),
        cpu_nanoseconds=cpu,
        memory_bytes=_without_cache(used, mapping(memory.get("stats"))),
        memory_limit_bytes=integer(memory.get("limit")),
        received_bytes=_over_networks(stats, "rx_bytes"),
        sent_bytes=_over_networks(stats, "tx_bytes"),
        read_bytes=_of_devices(stats, "read"),
        written_bytes=_of_devices(stats, "write"),
    )


def _over_networks(stats: Mapping[str, Any], field: str) -> int | None:
    """Add a counter up over all networks; None where the container has none of its own."""
    counters = [integer(mapping(one).get(field)) for one in mapping(stats.get("networks")).values()]
    counted = [number for number in counters if number is not None]
    return sum(counted) if counted else None


def _of_devices(stats: Mapping[str, Any], operation: str) -> int | None:
    """Add bytes up over all block devices; cgroup v1 writes `Read`, v2 `read`."""
    told = mapping(stats.get("blkio_stats")).get("io_service_bytes_recursive")
    if not isinstance(told, Sequence):
        return None
    entries = [mapping(entry) for entry in items(told)]
    wanted = (one for one in entries if str(one.get("op")).lower() == operation)
    return sum(integer(one.get("value")) or 0 for one in wanted)


def _without_cache(used: int | None, details: Mapping[str, Any]) -> int | None:
    """Take the page cache that can be dropped off, as `docker stats` does.

    cgroup v1 counts it with its children as total_inactive_file, v2 as inactive_file.
    """
    if used is None:
        return None
    for name in ("total_inactive_file", "inactive_file"):
        cache = integer(details.get(name))
        if cache is not None:
            return used - cache if 0 <= cache < used else used
    return used


def usage_between(
    before: Sample | None, now: Sample, taken: float, host_memory: int
) -> ContainerUsage:
    """Give the usage from two samples.

    Args:
        before: the sample before; None at the first.
        now: the newest sample.
        taken: when it was taken, on the monotonic counter.
        host_memory: bytes of the host; a limit not below it is none.
    """
    limit = now.memory_limit_bytes
    limited = limit is not None and 0 < limit < host_memory
    return ContainerUsage(
        cpu_percent=_cpu(before, now),
        memory_bytes=_NOT_TOLD if now.memory_bytes is None else now.memory_bytes,
        memory_limit_bytes=limit if limited and limit is not None else _NO_LIMIT,
        taken_monotonic=taken,
        received=_flow(before, now, "received_bytes"),
        sent=_flow(before, now, "sent_bytes"),
        read=_flow(before, now, "read_bytes"),
        written=_flow(before, now, "written_bytes"),
    )


def _flow(before: Sample | None, now: Sample, field: str) -> Flow:
    """Give a counter and how fast it grew; one that went back was begun anew."""
    total: int | None = getattr(now, field)
    if total is None:
        return NO_FLOW
    last: int | None = getattr(before, field) if before is not None else None
    if before is None or last is None or before.at is None or now.at is None or total < last:
        return Flow(total_bytes=total, per_second=_FIRST_SAMPLE)
    seconds = (now.at - before.at).total_seconds()
    speed = _FIRST_SAMPLE if seconds <= 0 else round((total - last) / seconds, 1)
    return Flow(total_bytes=total, per_second=speed)


def _cpu(before: Sample | None, now: Sample) -> float | Unknown:
    """Give the processor time per time, in percent of one core."""
    if now.cpu_nanoseconds is None:
        return _NOT_TOLD
    if before is None or before.cpu_nanoseconds is None or before.at is None or now.at is None:
        return _FIRST_SAMPLE
    spent = now.cpu_nanoseconds - before.cpu_nanoseconds
    seconds = (now.at - before.at).total_seconds()
    # Less than before means that the container was restarted in between.
    if seconds <= 0 or spent < 0:
        return _FIRST_SAMPLE
    return round(spent / 1e9 / seconds * 100, 1)


class UsageSampler:
    """Samples the watched containers, spread evenly over the interval, in a thread of its own.

    A sample that the engine keeps us waiting for delays the next ones and nothing else: figures
    then grow old, which their `taken_monotonic` tells.

    Args:
        endpoint: where the engine is.
        clock: for `taken_monotonic`.
        interval: seconds between two samples of one container.
        on_change: called without arguments from the sampler's thread after each sample.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        interval: float = 5.0,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._clock = clock
        self._pace: Clock = SystemClock()
        self._interval = interval
        self._on_change = on_change
        self._client = EngineClient(endpoint, _LIMIT)
        self._wake = threading.Condition()
        self._stopping = False
        self._due: dict[str, float] = {}
        self._samples: dict[str, Sample] = {}
        self._usage: dict[str, ContainerUsage] = {}
        self._host_memory = 0
        self._thread = threading.Thread(target=self._run, name="engine-usage", daemon=True)

    def start(self) -> None:
        """Begin to sample, in the background; does nothing where it has begun."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End at once, also in the middle of a call; never waits."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._client.abort()

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end after `stop`; False where it has not after `timeout`."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def watch(self, ids: Sequence[str]) -> None:
        """Sample these containers from now on, and no others; new ones within moments."""
        wanted = dict.fromkeys(ids)
        with self._wake:
            new = [name for name in wanted if name not in self._due]
            self._due = {name: at for name, at in self._due.items() if name in wanted}
            self._samples = {name: one for name, one in self._samples.items() if name in wanted}
            self._usage = {name: one for name, one in self._usage.items() if name in wanted}
            now = self._pace.monotonic()
            for number, name in enumerate(new):
                self._due[name] = now + self._interval * number / max(len(wanted), 1) / 5
            self._wake.notify()

    def usage(self) -> dict[str, ContainerUsage]:
        """Give the newest figures by container id; a copy, from any thread."""
        with self._wake:
            return dict(self._usage)

    def _run(self) -> None:
        with self._client:
            while (container_id := self._next()) is not None:
                self._sample(container_id)

    def _next(self) -> str | None:
        """Wait for the next container whose time has come; None when it is time to stop."""
        with self._wake:
            while not self._stopping:
                now = self._pace.monotonic()
                name = min(self._due, key=self._due.__getitem__, default=None)
                if name is None:
                    self._wake.wait()
                elif self._due[name] > now:
                    self._wake.wait(self._due[name] - now)
                else:
                    self._reschedule(name, now)
                    return name
        return None

    def _reschedule(self, name: str, now: float) -> None:
        """Set a container's next time: an interval on, in the widest gap the others leave."""
        at = now + self._interval
        share = self._interval / max(len(self._due), 1)
        others = sorted(due for other, due in self._due.items() if other != name)
        if others and at - others[-1] < share / 2:
            at = others[-1] + share / 2
        self._due[name] = at

    def _sample(self, container_id: str) -> None:
        try:
            host_memory = self._memory_of_host()
            sample = read_sample(self._client.stats_once(container_id))
        except (NoSuchContainerError, EngineConflictError):
            sample = None
        except EngineError:
            # The old figures stay and age; a broken engine is not asked at full pace.
            self._pause()
            return
        self._keep(container_id, sample, host_memory if sample is not None else 0)

    def _keep(self, container_id: str, sample: Sample | None, host_memory: int) -> None:
        with self._wake:
            before = self._samples.pop(container_id, None)
            self._usage.pop(container_id, None)
            if sample is not None and container_id in self._due:
                taken = self._clock.monotonic()
                self._samples[container_id] = sample
                self._usage[container_id] = usage_between(before, sample, taken, host_memory)
                if before is None:
                    # The first figure of the processor needs a second sample: soon.
                    soon = self._pace.monotonic() + min(_SECOND_SAMPLE, self._interval)
                    self._due[container_id] = min(self._due[container_id], soon)
        if self._on_change is not None:
            self._on_change()

    def _memory_of_host(self) -> int:
        """Give the memory of the engine's host in bytes, asked once."""
        if not self._host_memory:
            try:
                self._host_memory = integer(self._client.info().get("MemTotal")) or 0
            except EngineError:
                self._host_memory = 0
            if self._host_memory <= 0:
                self._host_memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return self._host_memory

    def _pause(self) -> None:
        with self._wake:
            if not self._stopping:
                later = self._pace.monotonic() + _PAUSE_AFTER_ERROR
                self._due = {name: max(at, later) for name, at in self._due.items()}
