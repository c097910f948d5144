"""Alerts about containers: crash loops, ends with their meaning, out of memory, ill health."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from actions.snapshot import Alert
from actions.thresholds import thresholds
from console.engine.exit_codes import meaning
from console.engine.snapshot import Container, EngineEvent, EngineSnapshot
from console.engine.texts import explain
from console.text import clean_line
from console.unknown import Unknown, known


def container_alerts(
    engine: EngineSnapshot, now: datetime, only: Collection[str] | None = None
) -> Iterator[Alert]:
    """Give at most one alert for each container: the one that says most.

    `only` are the ids of those that are asked about; None is all.
    """
    deaths: dict[str, list[EngineEvent]] = defaultdict(list)
    for event in engine.events:
        if event.action == "die":
            deaths[event.container_id].append(event)
    remembered = min((event.at for event in engine.events), default=now)
    for container in engine.containers:
        if only is not None and container.id not in only:
            continue
        asked = container.id in engine.asked_to_stop
        dies = _Deaths(deaths.get(container.id, []), remembered)
        alert = _alert_of(container, dies, asked, now)
        if alert is not None:
            yield alert


class _Deaths(NamedTuple):
    """The ends of one container that are remembered, and since when any event is.

    An engine keeps 256 events, and health checks alone fill that in minutes: that an end is not
    among them says nothing of the time before.
    """

    events: list[EngineEvent]
    remembered: datetime

    def within(self, window: timedelta, now: datetime) -> int | None:
        """Count the ends of the last while; None where memory does not reach so far."""
        if self.remembered > now - window:
            return None
        return sum(1 for event in self.events if now - event.at <= window)

    def present_run(self, window: timedelta) -> list[EngineEvent]:
        """Give the newest ends, going back while the gaps between them stay within `window`."""
        run: list[EngineEvent] = []
        for event in sorted(self.events, key=lambda event: event.at, reverse=True):
            if run and run[-1].at - event.at > window:
                break
            run.append(event)
        return run


def exit_meaning(container: Container, asked: bool) -> str | None:
    """Say in words what a container's exit code means; None where it has none."""
    if not isinstance(container.exit_code, int):
        return None
    oom = container.oom_killed is True
    error = container.error if isinstance(container.error, str) else ""
    return meaning(container.exit_code, oom, asked, error)


def _alert_of(container: Container, deaths: _Deaths, asked: bool, now: datetime) -> Alert | None:
    return (
        _crash_loop(container, deaths, asked, now)
        or _failed_start(container)
        or _bad_end(container, asked, now)
        or _unwell(container)
    )


def _crash_loop(container: Container, deaths: _Deaths, asked: bool, now: datetime) -> Alert | None:
    """Restarting now, or restarted often and up only for a short while."""
    limit = thresholds().container
    if container.state not in {"running", "restarting"} or asked:
        return None
    window = timedelta(minutes=limit.loop_window_minutes)
    restarts = container.restart_count if isinstance(container.restart_count, int) else 0
    recent = deaths.within(window, now)
    started = container.started_at
    young = isinstance(started, datetime) and now - started <= window
    often = min(restarts, restarts if recent is None else recent) >= limit.loop_restarts
    if container.state != "restarting" and not (young and often):
        return None
    run = deaths.present_run(window)
    since = run[-1].at if run else None
    # The engine counts restarts since the last start by hand, which may have been a month ago.
    count = max(min(restarts, len(run)) if run else restarts, 1)
    began = f" since {_clock(since)}" if since else ""
    if since and restarts > count:
        began += f" ({restarts} in all)"
    return Alert(
        id="container.crash-loop",
        severity="error",
        subject=container.name,
        subject_id=container.id,
        title=f"crash-looping: {_times(count)}{began}{_exit_words(container, asked, run)}",
        hint="read its log for the first error; stop it to end the loop",
        since=since,
        count=count,
    )


def _failed_start(container: Container) -> Alert | None:
    error = container.error
    if not isinstance(error, str) or not error or container.state not in {"created", "exited"}:
        return None
    said = clean_line(error, 300)
    known_case = explain(error)
    title, hint = said, "mend what the engine names, then start it again"
    if known_case is not None:
        title, hint = known_case.title, f"{known_case.hint} (the engine: {said})".strip()
    return Alert(
        id="container.failed-start",
        severity="error",
        subject=container.name,
        subject_id=container.id,
        title=f"could not start: {title}",
        hint=hint,
        since=_time(container.finished_at),
    )


def _bad_end(container: Container, asked: bool, now: datetime) -> Alert | None:
    limit = thresholds().container
    code = container.exit_code
    if container.state != "exited" or not isinstance(code, int):
        return None
    oom = container.oom_killed is True
    if not oom and (code == 0 or (asked and code in limit.stop_exit_codes)):
        return None
    ended = _time(container.finished_at)
    fresh = ended is None or now - ended <= timedelta(hours=limit.fresh_exit_hours)
    if oom and code == 0:
        return _survived_out_of_memory(container, ended)
    # 130, 137 and 143 are also what a stop leaves that happened before anyone was watching.
    likely_stopped = not oom and code in limit.stop_exit_codes
    return Alert(
        id="container.out-of-memory" if oom else "container.exited",
        severity="info" if likely_stopped and code != 137 else _weight(fresh, likely_stopped),
        subject=container.name,
        subject_id=container.id,
        title=f"ended{_exit_words(container, asked, [])}",
        hint="read the end of its log",
        since=ended,
    )


def _survived_out_of_memory(container: Container, ended: datetime | None) -> Alert:
    return Alert(
        id="container.out-of-memory",
        severity="warning",
        subject=container.name,
        subject_id=container.id,
        title="finished, but a process in it was killed: out of memory",
        hint="give it a higher memory limit, or load less",
        since=ended,
    )


def _weight(fresh: bool, likely_stopped: bool) -> str:
    return "error" if fresh and not likely_stopped else "warning"


def _unwell(container: Container) -> Alert | None:
    kind, severity, title, hint = "", "error", "", ""
    if container.state == "dead":
        kind, title = "container.dead", "is dead: the engine could not remove it"
        hint = "docker rm -f it, or restart the engine"
    elif container.state == "running" and container.health == "unhealthy":
        kind, title = "container.unhealthy", "runs but its health check fails"
        hint = "read its health log and its own log"
    elif container.state == "paused":
        kind, severity, title = "container.paused", "warning", "is paused"
        hint = f"docker unpause {container.name}"
    elif container.state == "running" and container.oom_killed is True:
        kind, severity = "container.out-of-memory", "warning"
        title = "runs, but a process in it was killed: out of memory"
        hint = "give the host more memory, or load less"
    if not kind:
        return None
    return Alert(
        id=kind,
        severity=severity,
        subject=container.name,
        subject_id=container.id,
        title=title,
        hint=hint,
        since=_time(container.started_at),
    )


def _exit_words(container: Container, asked: bool, dies: list[EngineEvent]) -> str:
    code = container.exit_code
    if not isinstance(code, int) or (container.state == "running" and dies):
        code = next((event.exit_code for event in dies if event.exit_code is not None), None)
    if code is None:
        return ""
    error = container.error if isinstance(container.error, str) else ""
    words = meaning(code, container.oom_killed is True, asked, error)
    return f", exit {code}" + (f": {words}" if words else "")


def _times(count: int) -> str:
    return "1 restart" if count == 1 else f"{count} restarts"


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M")


def _time(value: datetime | Unknown | None) -> datetime | None:
    return value if known(value) else None
