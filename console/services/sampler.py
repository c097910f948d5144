"""Looks at every service again and again, each in its own thread: who hangs holds up nobody."""

import threading
from collections.abc import Callable, Mapping, Sequence

from console.clock import Clock, SystemClock
from console.engine.endpoint import Endpoint
from console.services.door import Door, open_door, overdue, unasked_reading
from console.services.log_sampler import StartLogSampler
from console.services.look import completed, has_start_log
from console.services.pace import UP_ANSWERS, same, seconds_to_next
from console.services.reading import Reading, StartLog, Target

# A Forge that loads a model answers late; nobody waits for it here.
_PATIENCE = 4.0
# A look ends within its patience, but a name that does not resolve keeps it for longer.
_OVERDUE = _PATIENCE + 3.0


class ServiceSampler:
    """Keeps the newest reading of every watched service, and the start log of its container.

    A service that idles costs one or two small requests every five seconds over a kept connection;
    one that starts or works is asked every one and a half. A reading that is overdue is given as
    `unreachable`: its figures are not shown as if they were fresh.

    Args:
        endpoint: the engine, for start logs.
        environ: where secrets in environment variables are.
        clock: for the readings' times.
        on_change: called without arguments, from any of its threads, after a look that says
            something new.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        environ: Mapping[str, str],
        clock: Clock,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._targets: dict[str, Target] = {}
        self._lookers: dict[str, _Looker] = {}
        self._begun = False
        self._logs = StartLogSampler(endpoint, on_change)

    def watch(self, targets: Sequence[Target]) -> None:
        """Look at these services from now on, and no others; cheap where nothing changed.

        A service whose address, login or run of its container changed is looked at anew at once.
        """
        wanted = {target.name: target for target in targets}
        with self._lock:
            if wanted == self._targets:
                return
            self._targets = wanted
            if self._begun:
                self._arrange()

    def start(self) -> None:
        """Begin to look, in the background; does nothing where it has begun."""
        with self._lock:
            if self._begun:
                return
            self._begun = True
            self._arrange()
        self._logs.start()

    def stop(self) -> None:
        """End at once, also in the middle of a request; never waits."""
        with self._lock:
            lookers = tuple(self._lookers.values())
            self._targets, self._lookers, self._begun = {}, {}, False
        for looker in lookers:
            looker.stop()
        self._logs.stop()

    def readings(self) -> dict[str, Reading]:
        """Give the newest reading by service name; without those not looked at yet."""
        with self._lock:
            targets, lookers = dict(self._targets), dict(self._lookers)
        logs = self._logs_of(targets)
        found: dict[str, Reading] = {}
        for name, target in targets.items():
            reading = unasked_reading(target, self._clock)
            if reading is None and name in lookers:
                reading = lookers[name].reading()
            if reading is not None:
                found[name] = completed(reading, logs.get(target.container_id))
        return found

    def start_logs(self) -> dict[str, StartLog]:
        """Give the start logs read so far by full container id, of the present runs only."""
        with self._lock:
            targets = dict(self._targets)
        return self._logs_of(targets)

    def _logs_of(self, targets: Mapping[str, Target]) -> dict[str, StartLog]:
        runs = {target.container_id: target.started_at for target in targets.values()}
        logs = self._logs.start_logs()
        return {name: log for name, log in logs.items() if runs.get(name) == log.started_at}

    def _arrange(self) -> None:
        """Have one looker for each service that can be asked; called with the lock held."""
        asked = {n: t for n, t in self._targets.items() if unasked_reading(t, self._clock) is None}
        for name in [n for n, looker in self._lookers.items() if asked.get(n) != looker.target]:
            self._lookers.pop(name).stop()
        for name, target in asked.items():
            if name not in self._lookers:
                looker = _Looker(target, self._environ, self._clock, self._looked)
                self._lookers[name] = looker
                looker.start()
        self._logs.watch(tuple(filter(has_start_log, self._targets.values())))

    def _looked(self, target: Target, reading: Reading, changed: bool) -> None:
        if target.container_id:
            self._logs.note(target.container_id, reading.answer in UP_ANSWERS)
        if changed and self._on_change is not None:
            self._on_change()


class _Looker:
    """Looks at one service until it is stopped; its thread is left to itself then."""

    def __init__(
        self,
        target: Target,
        environ: Mapping[str, str],
        clock: Clock,
        looked: Callable[[Target, Reading, bool], None],
    ) -> None:
        self.target = target
        self._door: Door = open_door(target, environ, clock, _PATIENCE)
        self._looked = looked
        self._clock = clock
        self._pace: Clock = SystemClock()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._reading: Reading | None = None
        self._due = self._pace.monotonic()
        self._since = self._due
        self._thread = threading.Thread(
            target=self._run, name=f"service-{target.name}", daemon=True
        )

    def start(self) -> None:
        """Begin with a look at once."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and break off the look under way."""
        self._stopped.set()
        self._door.abort()

    def reading(self) -> Reading | None:
        """Give the newest reading, or an overdue one's stand-in; None before the first."""
        with self._lock:
            late = self._pace.monotonic() - self._due
            reading = self._reading
        if late > _OVERDUE:
            return overdue(late)
        return reading

    def _run(self) -> None:
        brief = False
        while not self._stopped.is_set():
            reading = self._door.look(brief)
            if self._stopped.is_set():
                break
            changed, pause = self._keep(reading)
            brief = reading.answer == "ready"
            self._looked(self.target, reading, changed)
            self._stopped.wait(pause)
        self._door.close()

    def _keep(self, reading: Reading) -> tuple[bool, float]:
        """Keep a reading; gives whether it says something new, and the pause until the next."""
        now = self._pace.monotonic()
        with self._lock:
            before = self._reading
            if before is None or before.answer != reading.answer:
                self._since = now
            pause = seconds_to_next(reading, now - self._since)
            self._reading, self._due = reading, now + pause
        return not same(before, reading), pause
