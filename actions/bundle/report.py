"""An examination as Markdown, to paste into a ticket or a chat: masked, nothing to run in it."""

from collections.abc import Iterator

from actions.bundle.secrets import Scrubber
from actions.doctor.check import Examination
from actions.doctor.ground import Ground
from actions.runbook.finding import Finding
from actions.services.snapshot import ServiceStatus
from actions.timeline import TimelineEntry, read_timeline
from console.gpu.snapshot import Gpu
from console.text import clean_line
from console.units import format_bytes
from console.unknown import iso_time, known
from console.version import version

_MOST_FINDINGS = 40
_MOST_ENTRIES = 20


def report(ground: Ground, examination: Examination, scrub: Scrubber) -> str:
    """Give the report: findings with evidence and fix, cards, services, what happened."""
    snapshot = ground.snapshot
    made = f"{len(examination.results)} checks in {examination.seconds:.1f} s"
    lines = [
        f"# {_words(snapshot.verdict.text)}",
        "",
        f"gpuconsole {version()}, {iso_time(snapshot.taken_at)}, {made}",
        "",
        "## Findings",
        "",
    ]
    shown = [one for one in examination.findings if one.severity != "info"][:_MOST_FINDINGS]
    for one in shown:
        lines += _finding(one)
    if not shown:
        lines += ["Nothing is wrong, as far as can be seen.", ""]
    lines += ["## Cards", "", "| card | VRAM | busy | °C |", "|---|---|---|---|"]
    lines += [_card(gpu) for gpu in snapshot.gpu.gpus]
    lines += ["", "## Services", "", "| service | state | card | evidence |", "|---|---|---|---|"]
    lines += [_service(one) for one in snapshot.services]
    lines += ["", "## What happened", ""]
    entries = read_timeline(ground.session, _MOST_ENTRIES)
    lines += [_entry(one) for one in entries] or ["Nothing is known."]
    return scrub.clean("\n".join(lines)) + "\n"


def _finding(one: Finding) -> Iterator[str]:
    mark = "consequence" if one.consequence_of else one.severity
    yield f"### {_words(one.title)}"
    yield ""
    yield f"`{_words(one.id)}`, {mark}, {_words(one.subject)}"
    yield ""
    yield from (
        f"    {one_line.source}: {clean_line(one_line.text, 200)}" for one_line in one.evidence
    )
    if one.evidence:
        yield ""
    if one.cause:
        yield f"Cause: {_words(one.cause)}"
        yield ""
    yield from (f"{number}. {_words(step)}" for number, step in enumerate(one.fix, 1))
    yield ""


def _card(gpu: Gpu) -> str:
    used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
    memory = (
        f"{format_bytes(used)} of {format_bytes(total)}" if known(used) and known(total) else "-"
    )
    busy = f"{gpu.utilization_percent} %" if known(gpu.utilization_percent) else "-"
    heat = str(gpu.temperature_celsius) if known(gpu.temperature_celsius) else "-"
    name = _words(gpu.name) if isinstance(gpu.name, str) else "-"
    return f"| {gpu.index} {name} | {memory} | {busy} | {heat} |"


def _service(one: ServiceStatus) -> str:
    card = one.gpu_uuid if isinstance(one.gpu_uuid, str) else "-"
    evidence = one.evidence[0].text if one.evidence else ""
    return f"| {_words(one.name)} | {one.state} | {card} | {_words(evidence)} |"


def _entry(one: TimelineEntry) -> str:
    text = f"{one.verb} {one.target} {one.outcome}: {one.text}"
    return f"- {iso_time(one.at)} {_words(text)} ({_words(one.user)})"


def _words(text: str) -> str:
    """Give text that is no markup: what stands in a log must not become a link or a picture."""
    line = clean_line(text, 400)
    for mark in "\\`*_{}[]<>#|!":
        line = line.replace(mark, f"\\{mark}")
    return line
