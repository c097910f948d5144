"""All alerts of the host: cards, containers, engine, configuration, with when each began."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from actions.card_alerts import card_alerts, driver_alerts
from actions.services.snapshot import ServiceStatus
from actions.snapshot import Alert, Claim
from actions.verdict import newest_first
from console.engine.snapshot import EngineSnapshot
from console.gpu.snapshot import GpuSnapshot
from console.unknown import Unknown


class AlertBook:
    """Remembers when each alert was first seen, so that views can show them newest first.

    An alert that brings its own beginning (from the engine's events) keeps it.
    """

    def __init__(self, notes: Iterable[Alert] = ()) -> None:
        self._notes = tuple(notes)
        self._first_seen: dict[tuple[str, str], datetime] = {}

    def look(
        self,
        gpu: GpuSnapshot,
        engine: EngineSnapshot,
        claims: dict[str, Claim],
        now: datetime,
        services: Sequence[ServiceStatus] = (),
    ) -> tuple[Alert, ...]:
        """Give every alert that stands now, newest first; `now` is aware.

        What is wrong with a service is told under its name, and once: a container's crash loop is
        its service's.
        """
        wanted = any(claim.uses_gpu for claim in claims.values())
        standing = frozenset(self._first_seen)
        found: list[Alert] = list(self._notes)
        found += driver_alerts(gpu, wanted)
        if gpu.problem is None or gpu.problem.code == "gpu.stale":
            found += card_alerts(gpu.gpus, standing)
        found += _engine_alerts(engine)
        if engine.containers:
            # Imported here: a first frame has no containers yet, and should not wait for this.
            from actions.container_alerts import container_alerts

            found += container_alerts(engine, now)
        if services:
            from actions.services.alerts import service_alerts, told_once

            own = list(service_alerts(services, engine, gpu.gpus, now))
            found = [*told_once(found, services, own), *own]
        self._forget_all_but(found)
        return tuple(newest_first([self._dated(alert, now) for alert in found]))

    def _forget_all_but(self, found: Sequence[Alert]) -> None:
        """Forget when alerts began that stand no more: one that comes again begins anew."""
        stand = {_key(alert) for alert in found}
        self._first_seen = {key: at for key, at in self._first_seen.items() if key in stand}

    def _dated(self, alert: Alert, now: datetime) -> Alert:
        first = self._first_seen.setdefault(_key(alert), now)
        if alert.since is not None:
            return alert
        return msgspec.structs.replace(alert, since=first)


def _key(alert: Alert) -> tuple[str, str]:
    return alert.id, alert.subject_id or alert.subject


def note(kind: str, subject: str, problem: Unknown, severity: str = "warning") -> Alert:
    """Turn a standing problem of our own (config, database) into an alert."""
    return Alert(
        id=kind, severity=severity, subject=subject, title=problem.title, hint=problem.hint
    )


def _engine_alerts(engine: EngineSnapshot) -> Iterator[Alert]:
    problem = engine.problem
    if problem is None:
        return
    yield Alert(
        id=problem.code,
        severity="error",
        subject="engine:",
        title=problem.title,
        hint=problem.hint,
    )
