"""The overview: what the container is, how it is doing, how its runs ended, which card it uses."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from actions.details.snapshot import (
    ContainerDetails,
    Health,
    ImageFacts,
    Network,
    Probe,
    Run,
    Runs,
)
from actions.snapshot import Alert, HostSnapshot
from console.engine.exit_codes import meaning
from console.engine.snapshot import Container, ContainerUsage, Flow
from console.units import format_age, format_bytes, format_duration
from console.unknown import Unknown
from screens.tui.container.tab import LinesTab
from screens.tui.container.telling import nothing_yet, said_lines, staleness
from screens.tui.details import (
    LABEL,
    alert_lines,
    claim_lines,
    formatted,
    head,
    moment_text,
    pair,
    yes_no,
)
from screens.tui.paint import BLANK, UNKNOWN, Line, Span, left, right, side_by_side, wrap
from screens.tui.panels.footer import Key
from screens.tui.rows import alerts_by_subject
from screens.tui.words import container_state
from screens.words import ports_text

COLUMNS_FROM = 120
_SHOWN_RUNS = 8
_SHOWN_PROBES = 5


class OverviewTab(LinesTab):
    """Draws from the host's picture at once, and the rest when the container was inspected."""

    name, title, letter = "overview", "Overview", "O"
    keys = (Key("↑↓", "scroll", "key down"),)

    def content(self, width: int) -> Sequence[Line]:
        """Give everything, in one column or two."""
        app = self.screen.console_app
        app.watch_usage((self.screen.ident,))
        details = self.screen.details
        known = self.screen.container or (details.container if details is not None else None)
        if known is None:
            return nothing_yet(self.screen)
        half = width // 2 - 1 if width >= COLUMNS_FROM else width
        now = app.session.clock.now()
        first = _first(app.snapshot, known, details, now, half)
        if details is None:
            asked = nothing_yet(self.screen)
            return [*first, *asked]
        second = _second(details, now, half)
        old = staleness(self.screen, width)
        if half == width:
            return [*old, *first, *second]
        return old + side_by_side([(first, half), (second, half)])


def _first(
    snapshot: HostSnapshot,
    container: Container,
    details: ContainerDetails | None,
    now: datetime,
    width: int,
) -> list[Line]:
    """Give how it is: what is wrong, state, runs, health, card, use."""
    alert = alerts_by_subject(snapshot).get(container.id)
    about = [one for one in snapshot.alerts if one.subject_id == container.id]
    lines = alert_lines(about, now, width)
    lines += head("State") + _state(container, alert, snapshot, width)
    for label, value in _state_facts(container, now):
        lines += pair(label, value, width)
    if details is not None:
        lines += head("Restarts, by the engine's events")
        lines += _runs(details.runs, container, now, width)
        lines += head("Health") + _health(details.health, width)
    lines += head("Card, and how we know it")
    lines += claim_lines(snapshot, snapshot.claims.get(container.id), width)
    lines += head("Use") + _use(snapshot.usage.get(container.id), container, width)
    return lines


def _second(details: ContainerDetails, now: datetime, width: int) -> list[Line]:
    """Give what it was made of: image, command, ports, networks, compose."""
    container = details.container
    lines = head("Image") + _image(details.image, container, now, width)
    lines += head("Command") + _command(details, width)
    lines += head("Ports and networks")
    lines += pair("ports", ports_text(container.ports) or "none published", width)
    for network in details.networks:
        lines += pair(network.name, _network(network), width)
    lines += head("Made by") + _made_by(details, now, width)
    return lines


def _state(
    container: Container, alert: Alert | None, snapshot: HostSnapshot, width: int
) -> list[Line]:
    state = container_state(container, alert)
    lines = pair("state", f"{state.symbol} {state.words}", width, state.role)
    said = meaning(
        container.exit_code,
        oom_killed=container.oom_killed,
        asked_to_stop=container.id in snapshot.engine.asked_to_stop,
        error=container.error,
    )
    return lines + (pair("which means", said, width, "strong") if said else [])


def _state_facts(container: Container, now: datetime) -> Iterable[tuple[str, object]]:
    yield "engine's words", container.status
    if container.error:
        yield "start error", container.error
    if container.oom_killed is not False:
        yield "out of memory", yes_no(container.oom_killed)
    yield "started", moment_text(container.started_at, now)
    if container.finished_at is not None and container.state not in {"running", "paused"}:
        yield "ended", moment_text(container.finished_at, now)
    policy = container.restart_policy
    name = policy if isinstance(policy, str) else UNKNOWN
    yield "restarts", formatted(container.restart_count, f"{{}}  (its policy: {name})")


def _runs(runs: Runs | Unknown, container: Container, now: datetime, width: int) -> list[Line]:
    if isinstance(runs, Unknown):
        return pair("runs", runs, width)
    lines: list[Line] = []
    for run in runs.runs[:_SHOWN_RUNS]:
        lines += _run(run, now, width)
    hidden = len(runs.runs) - _SHOWN_RUNS
    if hidden > 0:
        lines += said_lines(f"and {hidden} earlier runs", width)
    if runs.forgotten:
        text = f"{runs.forgotten} earlier restarts: the engine no longer remembers when"
        lines += said_lines(text, width)
    if not lines:
        return said_lines(_no_runs(runs, container, now), width)
    return lines


def _no_runs(runs: Runs, container: Container, now: datetime) -> str:
    if container.state == "created":
        return "it was never started"
    if runs.since is None:
        return "the engine remembers no events"
    age = format_age((now - runs.since).total_seconds())
    return f"nothing in the {age} that the engine's events reach back"


def _run(run: Run, now: datetime, width: int) -> list[Line]:
    """Give a run: when it ended, with which code, what that means, how long it lasted."""
    if run.ended_at is None:
        at, words, role = run.started_at, "goes on", "ok"
    else:
        at = run.ended_at
        code = "" if run.exit_code is None else f"exit {run.exit_code}"
        words = f"{code}: {run.meaning}" if run.meaning else code or "ended"
        role = "text" if run.asked or run.exit_code == 0 else "error"
    lasted = ""
    if run.started_at is not None:
        end = run.ended_at or now
        seconds = max(0.0, (end - run.started_at).total_seconds())
        lasted = f"  after {format_duration(seconds)}" if run.ended_at else ""
    when = at.astimezone().strftime("%m-%d %H:%M:%S") if at is not None else UNKNOWN
    parts = wrap(f"{words}{lasted}", max(10, width - LABEL))
    return [
        (Span(left(f"  {when}" if not number else "", LABEL), "dim"), Span(part, role))
        for number, part in enumerate(parts)
    ]


def _health(health: Health | None, width: int) -> list[Line]:
    if health is None:
        return said_lines("it has no health check: running says nothing of what is inside", width)
    role = {"healthy": "ok", "unhealthy": "error"}.get(health.status, "text")
    symbol = {"healthy": "✔ ", "unhealthy": "✖ "}.get(health.status, "")
    failing = f", failed {health.failing_streak} times in a row" if health.failing_streak else ""
    lines = pair("health", f"{symbol}{health.status}{failing}", width, role)
    command = [word for word in health.command if word not in {"CMD", "CMD-SHELL"}]
    every = health.interval_seconds
    often = f"  (every {format_duration(every)})" if every else ""
    lines += pair("check", f"{' '.join(command)}{often}", width)
    for probe in health.probes[:_SHOWN_PROBES]:
        lines += _probe(probe, width)
    return lines


def _probe(probe: Probe, width: int) -> list[Line]:
    at = probe.at.astimezone().strftime("%H:%M:%S") if isinstance(probe.at, datetime) else UNKNOWN
    bad = probe.exit_code != 0
    took = "" if isinstance(probe.seconds, Unknown) else f" in {format_duration(probe.seconds)}"
    code = UNKNOWN if isinstance(probe.exit_code, Unknown) else str(probe.exit_code)
    words = f"{'✖' if bad else '✔'} exit {code}{took}  {probe.output}".rstrip()
    parts = wrap(words, max(10, width - LABEL))[:3]
    return [
        (
            Span(left(f"  {at}" if not number else "", LABEL), "dim"),
            Span(part, "error" if bad else "dim"),
        )
        for number, part in enumerate(parts)
    ]


def _use(usage: ContainerUsage | None, container: Container, width: int) -> list[Line]:
    if container.state not in {"running", "paused"}:
        return said_lines(f"it is {container.state}: it uses nothing", width)
    if usage is None:
        return said_lines("not read yet", width)
    lines = pair("CPU", formatted(usage.cpu_percent, "{:.0f} %  (of one core)"), width)
    limit = usage.memory_limit_bytes
    of = "" if isinstance(limit, Unknown) else f" of {format_bytes(limit)}"
    memory = usage.memory_bytes
    text = memory if isinstance(memory, Unknown) else f"{format_bytes(memory)}{of}"
    lines += pair("memory", text, width)
    for label, flow in (
        ("network in", usage.received),
        ("network out", usage.sent),
        ("disk read", usage.read),
        ("disk written", usage.written),
    ):
        lines.append(_flow(label, flow))
    return lines


def _flow(label: str, flow: Flow) -> Line:
    if isinstance(flow.total_bytes, Unknown):
        words = f"{UNKNOWN}  {flow.total_bytes.title}"
        return (Span(left(f"  {label}", LABEL), "dim"), Span(words, "dim"))
    total = right(format_bytes(flow.total_bytes), 9)
    speed = flow.per_second
    lately = "" if isinstance(speed, Unknown) else f"  now {format_bytes(speed)}/s"
    return (Span(left(f"  {label}", LABEL), "dim"), Span(total), Span(lately, "dim"))


def _image(
    image: ImageFacts | Unknown, container: Container, now: datetime, width: int
) -> list[Line]:
    lines = pair("image", container.image, width)
    if isinstance(image, Unknown):
        return lines + pair("details", image, width)
    if isinstance(image.created_at, datetime):
        age = format_age((now - image.created_at).total_seconds())
        built: object = f"{image.created_at.astimezone():%Y-%m-%d}  ({age} ago)"
    else:
        built = image.created_at or "its builder told no time"
    lines += pair("built", built, width)
    lines += pair("size", formatted(image.size_bytes, "bytes"), width)
    lines += pair("id", image.id.removeprefix("sha256:")[:12], width)
    if image.platform:
        lines += pair("for", image.platform, width)
    if image.moved is True:
        text = "▲ the name means another image by now: a recreated container would differ"
        lines += pair("newer", text, width, "warning")
    elif isinstance(image.moved, Unknown):
        lines += pair("newer", image.moved, width)
    return lines


def _command(details: ContainerDetails, width: int) -> list[Line]:
    lines = pair("command", " ".join(details.arguments) or UNKNOWN, width)
    if details.working_directory:
        lines += pair("in folder", details.working_directory, width)
    return lines + pair("as user", details.user or "root (the image names none)", width)


def _network(network: Network) -> str:
    words = [network.address or "no address of its own"]
    if network.gateway:
        words.append(f"gateway {network.gateway}")
    if network.aliases:
        words.append(f"also known as {', '.join(network.aliases)}")
    return ", ".join(words)


def _made_by(details: ContainerDetails, now: datetime, width: int) -> list[Line]:
    container = details.container
    lines: list[Line] = []
    compose = container.compose
    if compose is None:
        lines += pair("compose", "no: made by hand or by another program", width)
    else:
        lines += pair("compose", f"{compose.project} / {compose.service}", width)
        for path in compose.config_files:
            lines += pair("file", path, width)
        if compose.working_dir:
            lines += pair("folder", compose.working_dir, width)
    lines += pair("created", moment_text(container.created_at, now), width)
    grace = container.stop_timeout
    text = "10 s (the engine's)" if grace is None else formatted(grace, "{} s")
    lines += pair("stop grace", text, width)
    if container.pid is not None:
        lines += pair("process id", formatted(container.pid, "{}"), width)
    lines += pair("log driver", details.log_driver or UNKNOWN, width)
    return lines + pair("id", container.id, width) + [BLANK]
