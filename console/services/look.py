"""One look at all services side by side, for commands that print and end and for plans."""

import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from console.clock import Clock, SystemClock
from console.engine.client import EngineClient
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineError
from console.services.door import Door, open_door, overdue, unasked_reading
from console.services.reading import Reading, StartLog, Target
from console.services.start_log import read_start_log
from console.unknown import Unknown, known
from console.web.client import PATIENCE

LOGGED_KINDS = frozenset({"forge", "comfyui"})
# Importing the HTTP libraries in the first thread keeps the others waiting too.
_MARGIN = 0.5
_PAUSE = 0.2


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found: readings by service name, start logs by full container id."""

    readings: dict[str, Reading]
    start_logs: dict[str, StartLog]


def look_once(
    targets: Sequence[Target],
    endpoint: Endpoint,
    environ: Mapping[str, str],
    clock: Clock,
    patience: float = PATIENCE,
) -> Looked:
    """Ask every service, and the engine for their start logs, all side by side.

    Never raises and takes about `patience` seconds at most: a service that hangs is then
    `unreachable`, and a start log that has not come is not there. Services whose container does not
    run, or whose address nobody knows, are not asked.
    """
    return Look(endpoint, environ, clock, patience).finish(targets)


class Look:
    """One look at all services, of which some may be asked before the engine has told of them.

    Args:
        endpoint: of the engine, for start logs.
        environ: where secrets are looked up.
        clock: stamps the readings.
        patience: seconds that each service gets.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        environ: Mapping[str, str],
        clock: Clock,
        patience: float = PATIENCE,
    ) -> None:
        self._endpoint = endpoint
        self._environ = environ
        self._clock = clock
        self._patience = patience
        self._pace: Clock = SystemClock()
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}
        self._start_logs: dict[str, StartLog] = {}
        self._answered: dict[str, threading.Event] = {}
        self._doors: dict[str, Door] = {}
        self._threads: list[threading.Thread] = []

    def ask(self, targets: Sequence[Target]) -> None:
        """Begin to ask services; returns at once. Who was asked before is not asked again."""
        for target in targets:
            before = self._doors.get(target.name)
            if before is not None and _same_address(before.target, target):
                continue
            if unasked_reading(target, self._clock) is not None:
                continue
            self._answered[target.name] = threading.Event()
            door = open_door(target, self._environ, self._clock, self._patience)
            self._doors[target.name] = door
            self._begin(f"service-{target.name}", self._ask, door)

    def finish(self, targets: Sequence[Target]) -> Looked:
        """Ask whoever was not asked yet, and for start logs; give all that comes in time."""
        deadline = self._pace.monotonic() + self._patience + _MARGIN
        self.ask(targets)
        logged = tuple(filter(has_start_log, targets))
        client = EngineClient(self._endpoint, self._patience)
        if logged:
            self._begin("service-logs", self._read_logs, client, logged)
        for thread in self._threads:
            thread.join(max(deadline - self._pace.monotonic(), 0))
        if any(thread.is_alive() for thread in self._threads):
            client.abort()
            for door in self._doors.values():
                door.abort()
            for thread in self._threads:
                thread.join(max(deadline + _PAUSE - self._pace.monotonic(), 0))
        return self._result(targets)

    def _result(self, targets: Sequence[Target]) -> Looked:
        """Give what came; a copy, so that whoever comes late changes nothing."""
        with self._lock:
            readings = dict(self._readings)
            start_logs = dict(self._start_logs)
        late = msgspec.structs.replace(
            overdue(self._patience), taken_monotonic=self._clock.monotonic()
        )
        told: dict[str, Reading] = {}
        for target in targets:
            reading = unasked_reading(target, self._clock) or readings.get(target.name, late)
            told[target.name] = completed(reading, start_logs.get(target.container_id))
        return Looked(readings=told, start_logs=start_logs)

    def _begin(self, name: str, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _ask(self, door: Door) -> None:
        name = door.target.name
        answered = self._answered[name]
        try:
            with door:
                reading = door.look()
            with self._lock:
                if self._doors[name] is door:
                    self._readings[name] = reading
        finally:
            answered.set()

    def _read_logs(self, client: EngineClient, targets: Sequence[Target]) -> None:
        with client:
            for target in sorted(targets, key=lambda target: target.kind == "comfyui"):
                if target.kind == "comfyui" and self._told_itself(target.name):
                    continue
                try:
                    found = read_start_log(client, target.container_id, target.started_at)
                except EngineError:
                    # Without a log the service's own word and its settings remain.
                    continue
                with self._lock:
                    self._start_logs[target.container_id] = found

    def _told_itself(self, name: str) -> bool:
        """Tell whether a service said all that its start log could say, which is dear to read."""
        answered = self._answered.get(name)
        if answered is None or not answered.wait(self._patience):
            return False
        with self._lock:
            reading = self._readings.get(name)
        if reading is None or reading.answer != "ready" or isinstance(reading.device, Unknown):
            return False
        return known(reading.device.name) and known(reading.arguments)


def _same_address(one: Target, other: Target) -> bool:
    """Tell whether asking the one is asking the other."""
    return (one.kind, one.url, one.scheme, one.secret_env, one.secret_file, one.parameter) == (
        other.kind, other.url, other.scheme, other.secret_env, other.secret_file, other.parameter,
    )  # fmt: skip


def completed(reading: Reading, log: StartLog | None) -> Reading:
    """Add to a reading what only the start log tells: the stage of a start, Forge's version."""
    if log is None:
        return reading
    if reading.answer == "starting" and log.stage:
        return msgspec.structs.replace(reading, stage=log.stage)
    if reading.answer == "ready" and log.version and isinstance(reading.version, Unknown):
        return msgspec.structs.replace(reading, version=log.version)
    return reading


def has_start_log(target: Target) -> bool:
    """Tell whether a service's container runs and its log says something of its card."""
    in_container = target.running and bool(target.container_id and target.started_at)
    return in_container and target.kind in LOGGED_KINDS
