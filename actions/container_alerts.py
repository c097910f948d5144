"""Alerts about containers: crash loops, ends with their meaning, out of memory, ill health."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from actions.snapshot import Alert
from actions.thresholds import thresholds
from console.engine.exit_codes import meaning
from console.engine.snapshot import Container, EngineEvent, EngineSnapshot
from console.engine.texts import explain
from console.text import clean_line
from console.unknown import Unknown, known


def container_alerts(engine: EngineSnapshot, now: datetime) -> Iterator[Alert]:
    """Give at most one alert for each container: the one that says most."""
    deaths: dict[str, list[EngineEvent]] = defaultdict(list)
    for event in engine.events:
        if event.action in {"die", "oom"}:
            deaths[event.container_id].append(event)
    for container in engine.containers:
        asked = container.id in engine.asked_to_stop
        alert = _alert_of(container, deaths.get(container.id, []), asked, now)
        if alert is not None:
            yield alert


def exit_meaning(container: Container, asked: bool) -> str | None:
    """Say in words what a container's exit code means; None where it has none."""
    if not isinstance(container.exit_code, int):
        return None
    oom = container.oom_killed is True
    error = container.error if isinstance(container.error, str) else ""
    return meaning(container.exit_code, oom, asked, error)


def _alert_of(
    container: Container, deaths: list[EngineEvent], asked: bool, now: datetime
) -> Alert | None:
    return (
        _crash_loop(container, deaths, asked, now)
        or _failed_start(container)
        or _bad_end(container, asked, now)
        or _unwell(container)
    )


def _crash_loop(
    container: Container, deaths: list[EngineEvent], asked: bool, now: datetime
) -> Alert | None:
    """Restarting now, or restarted often and up only for a short while."""
    limit = thresholds().container
    if container.state not in {"running", "restarting"} or asked:
        return None
    window = timedelta(minutes=limit.loop_window_minutes)
    dies = [event for event in deaths if event.action == "die"]
    recent = [event for event in dies if now - event.at <= window]
    restarts = container.restart_count if isinstance(container.restart_count, int) else 0
    started = container.started_at
    young = isinstance(started, datetime) and now - started <= window
    looping = container.state == "restarting" or (
        young and min(restarts, max(len(recent), 0 if dies else restarts)) >= limit.loop_restarts
    )
    if not looping:
        return None
    since = _onset(dies, window)
    count = max(restarts, len(recent), 1)
    began = f" since {_clock(since)}" if since else ""
    return Alert(
        id="container.crash-loop",
        severity="error",
        subject=container.name,
        subject_id=container.id,
        title=f"crash-looping: {_times(count)}{began}{_exit_words(container, asked, dies)}",
        hint="read its log for the first error; stop it to end the loop",
        since=since,
        count=count,
    )


def _onset(dies: list[EngineEvent], window: timedelta) -> datetime | None:
    """Find where the present run of ends began: going back while gaps stay within the window."""
    newest_first = sorted(dies, key=lambda event: event.at, reverse=True)
    onset: datetime | None = None
    for event in newest_first:
        if onset is not None and onset - event.at > window:
            break
        onset = event.at
    return onset


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
