"""The one who writes the timeline of a host: what changed since the last look, and nothing else."""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.watching.container_changes import (
    ContainerFacts,
    container_changes,
    with_known,
)
from actions.watching.container_events import container_happenings
from actions.watching.file_changes import (
    ModelLook,
    model_changes,
    settings_changes,
    settings_files,
)
from actions.watching.host_changes import ClockWatch, host_changes, host_facts
from actions.watching.hysteresis import Change, Hysteresis, key_of, unseen_of
from actions.watching.keeper import Keeper
from actions.watching.minutes import Minutes
from console.engine.memory import Memory
from console.engine.snapshot import EngineEvent
from console.store.bodies import pack, unpack
from console.store.database import Store
from console.store.locks import Held, Holder, LockFolder
from console.store.observed import Observed
from console.store.rows import Happening
from console.store.timeline import TimelineRecords
from console.store.vram import VramRecords
from console.unknown import Unknown, iso_time

LOCK = "timeline"
ELECTION_SECONDS = 15.0
FILES_SECONDS = 60.0
MODELS_SECONDS = 120.0
ALERT_STANDS_SECONDS = 10.0
ALERT_GONE_SECONDS = 60.0
_ALERTS = "alerts"


class Recorder:
    """Writes the timeline and the history of VRAM while it is the one of its user that does.

    Belongs to one thread, which calls `look` every few seconds. All readers of the same state
    directory may have one: the first has the lock, and another follows within seconds when it ends,
    however it ends.

    Args:
        session: whose state directory it is.
        what: who writes, for those who ask who has the lock.
    """

    def __init__(self, session: Session, what: str) -> None:
        self._session = session
        self._what = what
        self._keeper = Keeper(session)
        self._locks = LockFolder(session.places)
        self._held: Held | None = None
        self._elect_at = 0.0
        self._minutes = Minutes()
        self._begin()

    def _begin(self) -> None:
        """Begin as one who knows nothing but what is written."""
        self._events: tuple[EngineEvent, ...] = ()
        self._began_at: datetime = self._session.clock.now()
        self._facts = ContainerFacts()
        self._known: dict[str, dict[str, Any] | None] = {}
        self._containers: object = None
        self._files_at = self._models_at = 0.0
        self._files_named = False
        self._models = ModelLook(self._session)
        self._clock = ClockWatch()
        self._memory: Memory | None = None
        self._alerts = Hysteresis(ALERT_STANDS_SECONDS, ALERT_GONE_SECONDS, "warning")
        self._alerts_known = False

    @property
    def problem(self) -> Unknown | None:
        """Say why what is written is not kept on the disk; None while it is."""
        return self._keeper.problem

    @property
    def writes(self) -> bool:
        """Tell whether this one is the writer."""
        return self._held is not None

    def look(self, snapshot: HostSnapshot) -> tuple[Happening, ...]:
        """Write what is new in a picture of the host; give what was written, the oldest first."""
        if not self._elected():
            return ()
        rows = self._minutes.take(snapshot.gpu)
        if rows:
            now = snapshot.taken_at
            self._keeper.do(lambda store: VramRecords(store).put(rows, now))
        found = [
            *self._remembered(snapshot),
            *self._events_of(snapshot),
            *self._write(list(self._changes(snapshot))),
        ]
        return tuple(sorted(found, key=lambda one: one.at))

    def note(self, verb: str, text: str, outcome: str = "info") -> None:
        """Write that the watching itself began, ended or failed, whoever is the writer."""
        happening = Happening(
            at=self._session.clock.now(),
            kind="watch",
            subject="watch",
            key=f"watch {verb} {text}"[:300],
            body={"verb": verb, "outcome": outcome, "text": text, "facts": {}},
        )
        self._write([happening])

    def close(self) -> None:
        """Write the minute under way and let another one write."""
        if self._held is not None:
            rows, now = self._minutes.flush(), self._session.clock.now()
            self._keeper.do(lambda store: VramRecords(store).put(rows, now))
        self._keeper.close()
        if self._held is not None:
            self._held.release()
            self._held = None

    # -- who writes ---------------------------------------------------------------------------

    def _elected(self) -> bool:
        now = self._session.clock.monotonic()
        if self._held is not None:
            return True
        if now < self._elect_at:
            return False
        self._elect_at = now + ELECTION_SECONDS
        asker = self._session.asker("")
        holder = Holder(
            pid=os.getpid(),
            user=asker.user + (f" from {asker.ssh_origin}" if asker.ssh_origin else ""),
            host=socket.gethostname(),
            plan_id="",
            since=iso_time(self._session.clock.now()),
            what=self._what,
        )
        got = self._locks.acquire([LOCK], holder)
        if not isinstance(got, Held):
            return False
        self._held = got
        self._begin()
        return True

    # -- what is new --------------------------------------------------------------------------

    def _remembered(self, snapshot: HostSnapshot) -> tuple[Happening, ...]:
        """Write what the engine remembers from before anybody looked, once it answers."""
        if self._memory is None:
            if snapshot.engine.state == "connected":
                self._memory = Memory(self._session.endpoint, self._session.clock.now())
                self._memory.start()
            return ()
        events = self._memory.take()
        if not events:
            return ()
        return self._write(list(container_happenings(events)), told_again=True)

    def _events_of(self, snapshot: HostSnapshot) -> tuple[Happening, ...]:
        """Write the engine's events that have not been written.

        Those from before we wrote were told to others too; whose rows cover them knows them.
        """
        events = snapshot.engine.events
        if events is self._events:
            return ()
        newest = self._events[0] if self._events else None
        new = next((n for n, event in enumerate(events) if event is newest), len(events))
        self._events = events
        told = container_happenings(events, new)
        before = [one for one in told if one.at < self._began_at]
        after = [one for one in told if one.at >= self._began_at]
        return (*self._write(before, told_again=True), *self._write(after))

    def _changes(self, snapshot: HostSnapshot) -> Iterator[Happening]:
        now, monotonic = snapshot.taken_at, self._session.clock.monotonic()
        jump = self._clock.look(self._session.clock.now(), monotonic)
        if jump is not None:
            # From now on events have other times: none of them was told before.
            self._began_at = min(self._began_at, now - timedelta(minutes=1))
            yield jump
        yield from self._host_changes(snapshot)
        if snapshot.engine.containers is not self._containers and snapshot.engine.problem is None:
            self._containers = snapshot.engine.containers
            yield from self._container_changes(snapshot, now)
        connected = snapshot.engine.state == "connected"
        # Which compose files there are is known once the engine has answered: no minute is lost.
        if monotonic >= self._files_at or (connected and not self._files_named):
            self._files_at, self._files_named = monotonic + FILES_SECONDS, connected
            files = settings_files(self._session, snapshot, self._before("files") or {})
            yield from self._compared(
                "files", files, lambda old, new: tuple(settings_changes(old, new, now))
            )
        yield from self._model_changes(now, monotonic)
        yield from self._alert_changes(snapshot, monotonic)

    def _host_changes(self, snapshot: HostSnapshot) -> Iterator[Happening]:
        # Whoever compares versions waits until there is one: at the start nothing is known.
        if snapshot.gpu.taken_at is None or isinstance(snapshot.host, Unknown):
            return
        before = self._before("host")
        facts = host_facts(snapshot, self._session.root, before or {})
        yield from self._compared(
            "host", facts, lambda old, new: tuple(host_changes(old, new, snapshot))
        )

    def _container_changes(self, snapshot: HostSnapshot, now: datetime) -> Iterator[Happening]:
        before = self._before("containers") or {}
        facts = with_known(self._facts.of(snapshot.engine.containers), before)
        # A container between its removal and its new creation is still the one it was.
        merged = {**before, **facts}
        if len(merged) > len(facts) + 200:
            merged = facts
        yield from self._compared(
            "containers", merged, lambda old, new: tuple(container_changes(old, new, now))
        )

    def _model_changes(self, now: datetime, monotonic: float) -> Iterator[Happening]:
        if monotonic >= self._models_at:
            self._models_at = monotonic + MODELS_SECONDS
            self._models.begin()
        found = self._models.take()
        if found is None:
            return
        before = self._before("models")
        told: tuple[Happening, ...] = ()
        if before is not None:
            told, found = model_changes(before, found, now)
        if found != before:
            self._keep("models", found, now)
        yield from told

    def _compared(
        self,
        name: str,
        facts: dict[str, Any],
        compare: Callable[[dict[str, Any], dict[str, Any]], tuple[Happening, ...]],
    ) -> tuple[Happening, ...]:
        """Tell what is another than at the last look; the first look ever tells nothing."""
        before = self._before(name)
        after = unpack(pack(facts))
        if after == before:
            return ()
        self._keep(name, after, self._session.clock.now())
        return () if before is None else compare(before, after)

    def _before(self, name: str) -> dict[str, Any] | None:
        if name not in self._known:
            self._known[name] = self._keeper.read(lambda store: Observed(store).get(name))
        return self._known[name]

    def _keep(self, name: str, facts: dict[str, Any], now: datetime) -> None:
        self._known[name] = facts
        self._keeper.do(lambda store: Observed(store).put(name, facts, now))

    # -- alerts -------------------------------------------------------------------------------

    def _alert_changes(self, snapshot: HostSnapshot, monotonic: float) -> Iterator[Happening]:
        if not self._alerts_known:
            self._alerts_known = True
            self._alerts.remember(self._before(_ALERTS) or {})
        changes = self._alerts.look(snapshot.alerts, monotonic, unseen_of(snapshot.unavailable))
        if changes:
            self._keep(_ALERTS, self._alerts.told(), snapshot.taken_at)
        for change in changes:
            yield alert_happening(change, snapshot.taken_at)

    def _write(
        self, happenings: list[Happening], *, told_again: bool = False
    ) -> tuple[Happening, ...]:
        if not happenings:
            return ()

        def work(store: Store) -> tuple[Happening, ...]:
            return TimelineRecords(store).happen(happenings, told_again=told_again)

        return self._keeper.do(work)


def alert_happening(change: Change, now: datetime) -> Happening:
    """Give an alert that is raised, worse or over as an entry of the timeline."""
    alert = change.alert
    cleared = change.event == "cleared"
    text = f"over: {alert.title}" if cleared else alert.title
    # An alert of a container's end, an hour ago, is seen only now: `since` tells both.
    return Happening(
        at=now,
        kind="alert",
        subject=alert.subject.rstrip(":"),
        subject_id=alert.subject_id,
        key=f"alert {change.event} {key_of(alert)}"[:300],
        body={
            "verb": alert.id,
            "outcome": "ok" if cleared else alert.severity,
            "text": text,
            "facts": {
                "event": change.event,
                "severity": alert.severity,
                "hint": alert.hint,
                "since": iso_time(alert.since) if alert.since is not None else None,
            },
        },
    )
