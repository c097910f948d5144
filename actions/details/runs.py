"""How the runs of a container went, from what the engine remembers of its events."""

import threading
from collections.abc import Iterable
from datetime import datetime

from actions.containers.signals import ends_container, signal_name
from actions.details.snapshot import Run, Runs
from console.engine.client import EngineClient, unix_seconds
from console.engine.exit_codes import meaning
from console.engine.faults import EngineError
from console.engine.parse import event
from console.engine.snapshot import Container, EngineEvent
from console.errors import UsageError
from console.unknown import Unknown

_LONGEST = 3.0
"""Seconds: an engine whose clock is behind ours would make us wait until it has caught up."""
_MOST_RUNS = 50


def read_runs(client: EngineClient, container: Container, now: datetime) -> Runs | Unknown:
    """Ask the engine for the events it remembers, and give the container's runs among them."""
    try:
        told = _remembered(client, now)
    except EngineError as error:
        return Unknown(error.code, error.title, error.hint)
    return runs_of(container, told)


def _remembered(client: EngineClient, now: datetime) -> list[EngineEvent]:
    stream = client.events(since=0.0, until=unix_seconds(now))
    limit = threading.Timer(_LONGEST, stream.cancel)
    limit.daemon = True
    limit.start()
    try:
        found = (event(entry) for entry in stream.events())
        return [one[1] for one in found if one is not None]
    finally:
        limit.cancel()


def runs_of(container: Container, told: Iterable[EngineEvent]) -> Runs:
    """Give a container's runs from events of all containers, in the order they happened."""
    everything = sorted(told, key=lambda one: one.at)
    mine = [one for one in everything if one.container_id == container.id]
    runs = _runs(mine)
    count = container.restart_count if isinstance(container.restart_count, int) else 0
    ended = sum(1 for run in runs if run.ended_at is not None)
    return Runs(
        runs=tuple(reversed(runs))[:_MOST_RUNS],
        forgotten=max(0, count - ended),
        since=everything[0].at if everything else None,
    )


def _runs(events: list[EngineEvent]) -> list[Run]:
    """Put starts and ends together; an end without its start began before the engine remembers."""
    runs: list[Run] = []
    started: datetime | None = None
    asked = memory = goes_on = False
    for one in events:
        if one.action == "start":
            started, asked, memory, goes_on = one.at, False, False, True
        elif one.action == "kill":
            asked = asked or _ends(one.signal)
        elif one.action == "oom":
            memory = True
        elif one.action == "die":
            runs.append(_ended(one, started, asked=asked, memory=memory))
            started, asked, memory, goes_on = None, False, False, False
    if goes_on:
        runs.append(
            Run(started_at=started, ended_at=None, exit_code=None, meaning=None, asked=False)
        )
    return runs


def _ended(end: EngineEvent, started: datetime | None, *, asked: bool, memory: bool) -> Run:
    said = meaning(end.exit_code, oom_killed=memory, asked_to_stop=asked)
    return Run(
        started_at=started,
        ended_at=end.at,
        exit_code=end.exit_code,
        meaning=said,
        asked=asked,
    )


def _ends(signal: str | None) -> bool:
    """Tell whether a signal asks for an end; the engine gives its number or its name."""
    try:
        return ends_container(signal_name(signal or ""))
    except UsageError:
        return False
