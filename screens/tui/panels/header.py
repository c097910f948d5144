"""The first two rows: what host this is, whether it is live, and the verdict in one sentence."""

from actions.snapshot import HostSnapshot
from console.units import format_age
from console.unknown import Unknown, known
from screens.tui.paint import UNKNOWN, Line, Span, clickable, cut, fit, line_width
from screens.tui.view import Scene, View
from screens.tui.words import SEVERITY_WORDS
from screens.words import SYMBOLS

CLOCK_WIDTH = 20
REHEARSAL_NAME_FROM = 80
ENDPOINT_FROM = 110


def header(snapshot: HostSnapshot, view: View, width: int) -> Line:
    """Say which program, host, driver and engine; what does not fit is left out from the right."""
    parts: list[Span] = [Span("gpuconsole", "title")]
    parts += badges(view, named=width >= REHEARSAL_NAME_FROM)
    parts.append(Span(_host_name(snapshot), "strong"))
    parts.append(_driver(snapshot))
    parts.append(_engine(snapshot))
    parts.append(Span(_platform(snapshot), "dim"))
    if width >= ENDPOINT_FROM:
        parts.append(Span(_endpoint(snapshot), "dim"))
    line: list[Span] = [Span(" ")]
    for part in parts:
        if part.text and line_width(line) + 2 + len(part.text) <= width:
            line += [part, Span("  ")]
    return clickable(fit(line, width), "key i")


def badges(view: View, named: bool = False) -> list[Span]:
    """Give what every screen has to say of itself; `named` tells the rehearsal's scenario too."""
    found: list[Span] = []
    if view.rehearsal:
        scenario = f" {view.rehearsal}" if named else ""
        found.append(Span(f" REHEARSAL{scenario} ", "badge-warning"))
    if view.read_only:
        found.append(Span(" READ-ONLY ", "badge"))
    if view.journal is not None:
        found.append(Span(" JOURNAL TROUBLE ", "badge-warning"))
    return found


def journal_words(problem: Unknown) -> str:
    """Say in one sentence what is wrong with the journal, and what to do."""
    return f"{problem.title}; {problem.hint}" if problem.hint else problem.title


def with_badges(line: Line, view: View, width: int) -> Line:
    """Put the badges at the right end of a title line."""
    tail = [span for badge in badges(view) for span in (badge, Span(" "))]
    return fit((*fit(line, max(0, width - line_width(tail))), *tail), width)


def _endpoint(snapshot: HostSnapshot) -> str:
    engine = snapshot.engine
    return f"{engine.endpoint} from {engine.endpoint_source}"


def _host_name(snapshot: HostSnapshot) -> str:
    host = snapshot.host
    return "" if isinstance(host, Unknown) else cut(host.hostname, 24)


def _platform(snapshot: HostSnapshot) -> str:
    host = snapshot.host
    if isinstance(host, Unknown) or isinstance(host.platform, Unknown):
        return ""
    return host.platform


def _driver(snapshot: HostSnapshot) -> Span:
    driver = snapshot.gpu.driver
    if known(driver) and known(driver.version):
        return Span(f"driver {driver.version}", "dim")
    if snapshot.gpu.problem is None and snapshot.gpu.taken_monotonic is None:
        return Span("driver …", "dim")
    if known(driver):
        return Span(f"driver {UNKNOWN}", "dim")
    return Span("no driver", "warning")


def _engine(snapshot: HostSnapshot) -> Span:
    engine = snapshot.engine
    if engine.state == "connected" or (engine.state == "connecting" and engine.problem is None):
        version = engine.version if known(engine.version) else "…"
        return Span(f"docker {version}", "dim")
    return Span("docker lost" if engine.containers else "no docker", "warning")


def clock(snapshot: HostSnapshot, view: View) -> Line:
    """Say the time and whether the cards' figures are live; the changing part stands first."""
    time = Span(view.now.astimezone().strftime("%H:%M:%S"), "dim")
    return fit((time, Span("  ", "dim"), liveness(snapshot)), CLOCK_WIDTH)


def liveness(snapshot: HostSnapshot) -> Span:
    """Say `live`, or how old the cards' figures are once they are late."""
    seconds = snapshot.gpus_age_seconds
    if snapshot.gpu.problem is not None and not snapshot.gpu.gpus:
        return Span("", "dim")
    if seconds is None:
        return Span("reading …", "dim")
    if snapshot.gpus_stale:
        return Span(f"stale {format_age(seconds)}", "warning")
    return Span("live" if seconds < 2.5 else f"live {format_age(seconds)}", "ok")


def verdict(scene: Scene, width: int) -> Line:
    """Give row 1: the host in one sentence, worst first; a click opens what it speaks of."""
    found = scene.snapshot.verdict
    role = found.severity if found.severity in SYMBOLS else "text"
    role = "dim" if role == "info" else role
    symbol = SYMBOLS.get(found.severity, "·")
    opens = found.alert is not None
    tail = "  v open " if opens else " "
    room = width - 3 - len(tail)
    line = fit(
        (
            Span(f" {symbol} ", role),
            Span(cut(found.text, room), "strong" if role != "dim" else role),
        ),
        width - len(tail),
    )
    line = (*line, Span(tail, "dim"))
    return clickable(line, "verdict") if opens else line


def verdict_words(scene: Scene) -> str:
    """Give the verdict with its severity in words, for screens too small for anything else."""
    found = scene.snapshot.verdict
    return (
        f"{SYMBOLS.get(found.severity, '·')} {SEVERITY_WORDS.get(found.severity, '')}: {found.text}"
    )
