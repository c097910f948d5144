"""Watching the host while a load runs: the cards over time, and what goes wrong meanwhile."""

import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from actions.load.model import CardNow, Incident, Sample
from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from console.clock import Clock
from console.gpu.snapshot import Gpu
from console.text import clean_line

_DOWN = frozenset({"absent", "stopped", "created", "crash-looping", "unreachable", "starting"})
_MAYBE = frozenset({"starting", "unreachable"})
_BREATH_SECONDS = 0.1
_MOST_SAMPLES = 4000


class Watch:
    """Looks at the host again and again; what it found can be asked for from any thread.

    Args:
        look: gives the host as it is now; called by one thread only.
        services: names of those that the load goes to.
        clock: tells how long ago.
        offset: seconds since the run began, when this watch begins.
        told: is given each reading of the cards, and each incident with its number whenever it
            begins or ends.
    """

    def __init__(
        self,
        look: Callable[[], HostSnapshot],
        services: Sequence[str],
        clock: Clock,
        offset: float = 0.0,
        told: "Told | None" = None,
    ) -> None:
        self._look = look
        self._services = services
        self._clock = clock
        self._zero = clock.monotonic() - offset
        self._told = told or Told()
        self._lock = threading.Lock()
        self._ended = False
        self._news = threading.Event()
        self._read_at: float | None = None
        self._host: HostSnapshot | None = None
        self._samples: list[Sample] = []
        self._thinned = 1
        self._count = 0
        self._incidents: list[Incident] = []
        self._open: dict[tuple[str, str], int] = {}
        self._runs: dict[str, object] = {}
        self._engine_was_there = False

    def take(self, samples: Sequence[Sample], incidents: Sequence[Incident]) -> None:
        """Begin with what an earlier process of the same run has seen; what lasted is over."""
        with self._lock:
            self._samples = list(samples)
            last = samples[-1].at if samples else 0.0
            self._incidents = [
                msgspec.structs.replace(one, ended=max(one.begun, last))
                if one.ended is None
                else one
                for one in incidents
            ]

    def now(self) -> float:
        """Give the seconds since the run began."""
        return self._clock.monotonic() - self._zero

    def run(self, every: float) -> None:
        """Look until `end()` is called, and whenever there are news; for a thread of its own."""
        breath = threading.Event()
        while True:
            self._news.wait(every)
            self._news.clear()
            if self._ended:
                return
            self.see()
            breath.wait(_BREATH_SECONDS)

    def stir(self) -> None:
        """Have it look soon: what was away may be back before the next second."""
        self._news.set()

    def end(self) -> None:
        """Look no more."""
        self._ended = True
        self._news.set()

    def see(self) -> None:
        """Look once."""
        host = self._look()
        at = self.now()
        sample = Sample(at=round(at, 2), cards={gpu.uuid: _card(gpu) for gpu in host.gpu.gpus})
        with self._lock:
            self._host = host
            if sample.cards and self._is_new(host):
                self._keep(sample)
                self._told.read(sample)
            troubles = self._troubles(host)
            for key, detail in troubles.items():
                self._begin(key, detail, at, host)
            for key in [one for one in self._open if one not in troubles]:
                self._close(key, at)
            self._restarts(host, at)

    def add(self, incident: Incident) -> None:
        """Note something that somebody else saw."""
        with self._lock:
            self._incidents.append(incident)
            self._told.happened(len(self._incidents) - 1, incident)

    def host(self) -> HostSnapshot | None:
        """Give the newest look; None before the first."""
        with self._lock:
            return self._host

    def samples(self) -> tuple[Sample, ...]:
        """Give the readings of the cards, in order; of a long run, some of them."""
        with self._lock:
            return tuple(self._samples)

    def incidents(self) -> tuple[Incident, ...]:
        """Give what went wrong so far, in the order in which it began."""
        with self._lock:
            return tuple(self._incidents)

    def status(self, service: str) -> ServiceStatus | None:
        """Give how a service is; None where it is not known, or nobody has looked."""
        host = self.host()
        several = () if host is None else host.services
        return next((one for one in several if one.name == service), None)

    def card_of(self, service: str) -> str:
        """Give the UUID of the card that a service is on; empty where it is not known."""
        status = self.status(service)
        uuid = None if status is None else status.gpu_uuid
        return uuid if isinstance(uuid, str) else ""

    def well(self, service: str, since: float) -> bool:
        """Tell whether a service answers again and its card is there, by a look after a moment.

        Args:
            service: its name.
            since: seconds since the run began; what was seen before does not count.
        """
        status, host = self.status(service), self.host()
        reading = None if status is None else status.reading
        if status is None or host is None or reading is None or reading.answer != "ready":
            return False
        if reading.taken_monotonic - self._zero <= since:
            return False
        card = status.gpu_uuid
        return not any(gpu.uuid == card and gpu.lost is not None for gpu in host.gpu.gpus)

    def came_back(self, service: str, since: float) -> bool:
        """Tell whether what kept a service away after a moment is over: it is well by now.

        Args:
            service: its name.
            since: seconds since the run began.
        """
        its = {service, self.card_of(service), ""}
        several = [one for one in self.incidents() if one.ident in its]
        went = any(one.ended is not None and one.ended >= since for one in several)
        return went and all(one.ended is not None for one in several) and self.well(service, 0.0)

    def _is_new(self, host: HostSnapshot) -> bool:
        """Tell whether the cards were read since the last look, and answered."""
        before, self._read_at = self._read_at, host.gpu.taken_monotonic
        stale = host.gpus_stale or host.gpu.problem is not None
        return not stale and (before is None or before != self._read_at)

    def _keep(self, sample: Sample) -> None:
        """Keep every reading of a short run; of a long one every second, every fourth, ..."""
        self._count += 1
        if self._count % self._thinned:
            return
        self._samples.append(sample)
        if len(self._samples) >= _MOST_SAMPLES:
            self._samples = self._samples[::2]
            self._thinned *= 2

    def _troubles(self, host: HostSnapshot) -> dict[tuple[str, str], str]:
        """Give what is wrong now: kind and whose, with more in words."""
        found: dict[tuple[str, str], str] = {}
        engine = host.engine
        self._engine_was_there |= engine.state == "connected"
        if engine.state == "lost" and self._engine_was_there:
            found["engine-away", ""] = engine.problem.title if engine.problem else ""
        for gpu in host.gpu.gpus:
            if gpu.lost is not None:
                found["card-lost", gpu.uuid] = gpu.lost.title
        for status in host.services:
            key = ("service-down", status.name)
            down = status.name in self._services and status.state in _DOWN
            # One that was not asked yet is neither down nor up: it stays what it was.
            if down and (key in self._open or not _not_asked(status)):
                found[key] = _why(status)
        return found

    def _begin(self, key: tuple[str, str], detail: str, at: float, host: HostSnapshot) -> None:
        if key in self._open:
            return
        kind, ident = key
        names = {gpu.uuid: str(gpu.name or gpu.uuid) for gpu in host.gpu.gpus}
        incident = Incident(
            kind=kind,
            subject=names.get(ident, ident),
            ident=ident,
            detail=clean_line(detail, 200),
            begun=round(at, 2),
        )
        self._open[key] = len(self._incidents)
        self._incidents.append(incident)
        self._told.happened(self._open[key], incident)

    def _close(self, key: tuple[str, str], at: float) -> None:
        number = self._open.pop(key)
        over = msgspec.structs.replace(self._incidents[number], ended=round(at, 2))
        self._incidents[number] = over
        self._told.happened(number, over)

    def _restarts(self, host: HostSnapshot, at: float) -> None:
        """Note a new run of a container that nobody saw go down."""
        began = {one.id: one.started_at for one in host.engine.containers}
        for status in host.services:
            run = began.get(status.container_id)
            if status.name not in self._services or not run:  # nobody knows, or it does not run
                continue
            before = self._runs.get(status.name)
            self._runs[status.name] = run
            key = ("service-down", status.name)
            seen = key in self._open or any(
                one.kind == "service-down" and one.ident == status.name and one.lasts_at(at - 5, at)
                for one in self._incidents
            )
            if before is None or before == run or seen:
                continue
            again = Incident(
                kind="service-restarted",
                subject=status.name,
                ident=status.name,
                begun=round(at, 2),
                ended=round(at, 2),
            )
            self._incidents.append(again)
            self._told.happened(len(self._incidents) - 1, again)


class Told:
    """Who is told of what a watch sees; this one lets it pass."""

    def read(self, sample: Sample) -> None:
        """Take a reading of the cards."""

    def happened(self, number: int, incident: Incident) -> None:
        """Take an incident that began or ended."""


def _card(gpu: Gpu) -> CardNow:
    """Give a card's figures; what the driver does not tell is None, never 0."""
    figures: Mapping[str, float | None] = {
        name: value if isinstance(value := getattr(gpu, field), int | float) else None
        for name, field in (
            ("used_bytes", "memory_used_bytes"),
            ("total_bytes", "memory_total_bytes"),
            ("temperature_celsius", "temperature_celsius"),
            ("power_watts", "power_watts"),
        )
    }
    lost = gpu.lost is not None
    if lost:  # its figures are those of before
        figures = {**dict.fromkeys(figures), "total_bytes": figures["total_bytes"]}
    name = gpu.name if isinstance(gpu.name, str) else gpu.uuid
    return msgspec.convert({"name": name, "lost": lost, **figures}, CardNow)


def _not_asked(status: ServiceStatus) -> bool:
    reading = status.reading
    return status.state in _MAYBE and (reading is None or reading.answer == "not-asked")


def _why(status: ServiceStatus) -> str:
    return status.evidence[0].text if status.evidence else status.state
