"""All about one service: its state with what it rests on, its card, its VRAM, its pre-check."""

from actions.fit.model import Fit
from actions.services.snapshot import Evidence, ServiceStatus
from actions.snapshot import HostSnapshot
from console.errors import ConsoleError
from console.unknown import Unknown, known
from screens.tui.details import chain_lines, head, pair
from screens.tui.holders import holders
from screens.tui.paint import BLANK, UNKNOWN, Line, Span, left, wrap
from screens.tui.panels.cards import card_name
from screens.tui.panels.precheck import precheck_lines, way_lines, ways_out
from screens.tui.service_words import WHO_WORDS, busy_text, service_state
from screens.tui.view import Scene
from screens.tui.words import local_clock
from screens.words import age

SOURCES = {
    "config": "from the config",
    "port": "a published port of its container",
    "variant": "worked out from its variant",
    "service": "its own word",
    "driver": "the driver",
}


def details(
    scene: Scene,
    status: ServiceStatus,
    fit: Fit | None,
    trouble: ConsoleError | None,
    width: int,
    whole: bool,
) -> list[Line]:
    """Give all about a service in lines of `width`.

    Args:
        scene: host and view.
        status: the service.
        fit: its pre-check; None while it is worked out.
        trouble: why there is no pre-check.
        width: columns.
        whole: every term of the arithmetic.
    """
    lines = _state(scene, status, width)
    lines += _card(scene.snapshot, status, width)
    lines += _precheck(scene.snapshot, fit, trouble, width, whole)
    lines += _what(status, scene.snapshot, width)
    return lines


def _state(scene: Scene, status: ServiceStatus, width: int) -> list[Line]:
    snapshot = scene.snapshot
    indexes = {gpu.uuid: gpu.index for gpu in snapshot.gpu.gpus}
    container = next(
        (one for one in snapshot.engine.containers if one.id == status.container_id), None
    )
    state = service_state(status, container, None, indexes, scene.view.now)
    since = age(status.since, scene.view.now)
    # A service that starts says so already beside its stage.
    told = f"  for {since}" if since != UNKNOWN and status.state != "starting" else ""
    lines: list[Line] = [
        (
            Span(f"  {state.symbol} ", state.role),
            Span(status.name, "title"),
            Span(f"  {state.words}", state.role),
            Span(told, "dim"),
        )
    ]
    for evidence in status.evidence:
        lines += _evidence(evidence, scene, width)
    problem = status.reading.problem if status.reading is not None else None
    if problem is not None and problem.hint and status.state not in {"stopped", "absent"}:
        lines += [(Span(" " * 6), Span(text)) for text in wrap(f"→ {problem.hint}", width - 8)]
    return lines


def _evidence(evidence: Evidence, scene: Scene, width: int) -> list[Line]:
    when = f"  {local_clock(evidence.at, scene.view.now)}" if evidence.at is not None else ""
    parts = wrap(evidence.text, max(10, width - 14 - len(when)))
    return [
        (
            Span(left(f"    {evidence.source}" if not place else "", 13), "dim"),
            Span(part),
            Span(when if not place else "", "dim"),
        )
        for place, part in enumerate(parts)
    ]


def _card(snapshot: HostSnapshot, status: ServiceStatus, width: int) -> list[Line]:
    lines = head("Its card and its VRAM")
    role = "warning" if status.misplaced else "text"
    who = WHO_WORDS.get(status.gpu_source, UNKNOWN)
    on_it = _card_words(snapshot, status.gpu_uuid)
    if isinstance(on_it, str) and isinstance(status.gpu_uuid, str):
        on_it = (
            f"{on_it}  (told by {who})"
            if status.gpu_source != "declared"
            else f"{on_it}  (declared only)"
        )
    lines += pair("is on", on_it, width, role)
    lines += pair("meant for", _card_words(snapshot, status.gpu_expected_uuid), width)
    lines += pair("its settings say", _card_words(snapshot, status.gpu_declared_uuid), width)
    claim = snapshot.claims.get(status.container_id)
    if claim is not None and claim.chain:
        lines += chain_lines(claim, width)
    if status.advice:
        lines += [(Span("  ▲ " if not place else "    ", "warning"), Span(part, "warning"))
                  for place, part in enumerate(wrap(status.advice, width - 6))]  # fmt: skip
    lines += pair("VRAM used", _bytes(status.vram_used_bytes, status.vram_used_source), width)
    lines += pair("VRAM budget", _bytes(status.vram_budget_bytes, status.vram_budget_source), width)
    return lines


def _bytes(size: int | Unknown, source: str) -> object:
    if isinstance(size, Unknown):
        return size
    from console.units import format_bytes

    words = SOURCES.get(source, source)
    return f"{format_bytes(size)}  ({words})" if words else format_bytes(size)


def _card_words(snapshot: HostSnapshot, uuid: str | Unknown | None) -> object:
    if uuid is None:
        return "nothing says"
    if isinstance(uuid, Unknown):
        return uuid
    gpu = next((one for one in snapshot.gpu.gpus if one.uuid == uuid), None)
    return f"GPU {gpu.index}  {card_name(gpu)}" if gpu is not None else f"{uuid}, which is not here"


def _precheck(
    snapshot: HostSnapshot,
    fit: Fit | None,
    trouble: ConsoleError | None,
    width: int,
    whole: bool,
) -> list[Line]:
    lines = head("Would it fit now")
    if trouble is not None:
        text = f"{trouble.title}; {trouble.hint}" if trouble.hint else trouble.title
        return lines + [(Span("  "), Span(part, "warning")) for part in wrap(text, width - 4)]
    if fit is None:
        return [*lines, (Span("  working it out …", "dim"),)]
    gpu = next((one for one in snapshot.gpu.gpus if one.uuid == fit.gpu_uuid), None)
    held = holders(snapshot, gpu) if gpu is not None else []
    lines += _indented(precheck_lines(fit, gpu, held, width - 3, whole))
    ways = ways_out((fit,))
    if ways:
        lines += _indented(way_lines(ways, width - 3))
        lines.append(
            (Span("  s asks for the start, where a way out is chosen by its digit", "dim"),)
        )
    return lines


def _indented(lines: list[Line]) -> list[Line]:
    return [(Span("  "), *line) for line in lines]


def _what(status: ServiceStatus, snapshot: HostSnapshot, width: int) -> list[Line]:
    service = status.service
    reading = status.reading
    lines = head("What it is")
    kind = (
        service.kind if service.source == "config" else f"{service.kind}, discovered: x adopts it"
    )
    lines += pair("kind", kind, width)
    for reason in service.reasons:
        lines += pair("", reason, width)
    where = SOURCES.get(service.url_source, service.url_source)
    lines += pair("URL", f"{service.url}  ({where})" if service.url else UNKNOWN, width)
    if service.public_url:
        lines += pair("public URL", service.public_url, width)
    container = next(
        (one for one in snapshot.engine.containers if one.id == status.container_id), None
    )
    named = f"{container.name}  {container.state}" if container is not None else "it has none"
    lines += pair("container", named, width)
    if service.compose_service or service.compose_file:
        file = service.compose_file or UNKNOWN
        lines += pair("compose", f"{service.compose_service or UNKNOWN}  in {file}", width)
    if service.variant:
        lines += pair("variant", service.variant, width)
    if reading is None:
        return lines
    lines += pair("version", reading.version, width)
    lines += pair("model", reading.model, width)
    lines += pair("queue", _queue(status), width)
    if reading.job is not None:
        lines += pair("job", busy_text(status) or "under way", width)
    return lines


def _queue(status: ServiceStatus) -> object:
    reading = status.reading
    if reading is None or isinstance(reading.queue_running, Unknown):
        return reading.queue_running if reading is not None else UNKNOWN
    waiting = reading.queue_pending if known(reading.queue_pending) else UNKNOWN
    return f"{reading.queue_running} under way, {waiting} waiting"


def nothing_selected() -> list[Line]:
    """Give what stands beside an empty list."""
    return [BLANK]
