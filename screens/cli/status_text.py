"""`status` for people: the whole host as text, and as one line for a status bar."""

from collections.abc import Sequence

from actions.assignment import NOT_INSPECTED
from actions.card_alerts import NO_CARD_CODES, short_name
from actions.container_alerts import exit_meaning
from actions.services.snapshot import ServiceStatus
from actions.snapshot import Claim, HostSnapshot
from console.engine.snapshot import UP, Container, EngineSnapshot
from console.gpu.faults import slowing, throttle_label
from console.gpu.snapshot import Gpu
from console.host.snapshot import HostFacts
from console.units import format_age, format_bytes, format_gib
from console.unknown import NOT_KNOWN, Unknown, known
from screens.cli.service_text import services_text
from screens.cli.table import columns, cut
from screens.words import SOURCE_WORDS, SYMBOLS, age, age_begins, ports_text

NAME_WIDTH = 40
MOST_HOLDERS = 6


def status_text(snapshot: HostSnapshot) -> str:
    """Give the page that `gpuconsole status` prints, without a line break at its end."""
    blocks = [
        [_host_line(snapshot), _verdict_line(snapshot)],
        _cards(snapshot),
        services_text(snapshot),
        _containers(snapshot),
        _alerts(snapshot),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def status_line(snapshot: HostSnapshot) -> str:
    """Give the host in one short line, made for a tmux status bar."""
    parts = [_card_brief(gpu) for gpu in snapshot.gpu.gpus] or [_no_cards(snapshot)]
    engine = snapshot.engine
    if engine.state == "connected":
        up = sum(1 for item in engine.containers if item.state == "running")
        parts.append(f"{up}/{len(engine.containers)} up")
    else:
        parts.append("no engine")
    if snapshot.gpus_stale:
        parts.append("stale")
    if snapshot.verdict.severity in {"error", "warning"}:
        parts.append(f"{SYMBOLS[snapshot.verdict.severity]} {snapshot.verdict.text}")
    return " | ".join(parts)


def _no_cards(snapshot: HostSnapshot) -> str:
    """Say that there is no card only where that is so, not where the driver does not tell."""
    problem = snapshot.gpu.problem
    absent = problem is None or problem.code in NO_CARD_CODES
    return "no card" if absent else f"cards {NOT_KNOWN}"


def _host_line(snapshot: HostSnapshot) -> str:
    parts = []
    host = snapshot.host
    if isinstance(host, HostFacts):
        parts += [host.hostname, *_platform(host), memory_text(host)]
    driver = snapshot.gpu.driver
    if not isinstance(driver, Unknown):
        parts += [f"driver {_text(driver.version)}", f"CUDA {_text(driver.cuda_version)}"]
    engine = snapshot.engine
    version = f"docker {_text(engine.version)}" if known(engine.version) else "docker"
    parts.append(f"{version} at {engine.endpoint} ({engine.endpoint_source})")
    return "  ".join(parts)


def _platform(host: HostFacts) -> list[str]:
    if not known(host.platform):
        return []
    return [host.platform.upper() if host.platform.startswith("wsl") else "Linux"]


def _verdict_line(snapshot: HostSnapshot) -> str:
    verdict = snapshot.verdict
    word = verdict.severity if verdict.severity in {"error", "warning"} else "ok"
    return f"{SYMBOLS[verdict.severity]} {word}: {verdict.text}"


def _cards(snapshot: HostSnapshot) -> list[str]:
    if not snapshot.gpu.gpus:
        problem = snapshot.gpu.problem
        if problem is None:
            problem = Unknown("gpu.none", "no card was found")
        return [f"cards: {problem.title}", f"       {problem.hint}".rstrip()]
    rows = [["card", "name", "VRAM GiB", "busy", "temp", "power", "fan", "throttled by", "held by"]]
    rows += [_card_row(gpu, snapshot) for gpu in snapshot.gpu.gpus]
    lines = columns(rows, frozenset({2, 3, 4, 5, 6}))
    if snapshot.gpus_stale and snapshot.gpus_age_seconds is not None:
        lines.append(f"stale: these readings are {format_age(snapshot.gpus_age_seconds)} old")
    return lines


def _card_row(gpu: Gpu, snapshot: HostSnapshot) -> list[str]:
    name = short_name(gpu.name) if known(gpu.name) else NOT_KNOWN
    if gpu.lost is not None:
        return [str(gpu.index), name, f"lost: {gpu.lost.title}"]
    return [
        str(gpu.index),
        name,
        f"{_gib(gpu.memory_used_bytes)} / {_gib(gpu.memory_total_bytes)}",
        _with_unit(gpu.utilization_percent, "%"),
        _with_unit(gpu.temperature_celsius, "°C"),
        f"{_whole(gpu.power_watts)}/{_whole(gpu.power_limit_watts)} W",
        _with_unit(gpu.fan_percent, "%"),
        _reasons(gpu),
        ", ".join(_holders(gpu, snapshot)) or NOT_KNOWN,
    ]


def _holders(gpu: Gpu, snapshot: HostSnapshot) -> list[str]:
    """Name who holds VRAM of a card; services say themselves where they are and what they hold."""
    services = {one.container_id: one for one in snapshot.services if one.container_id}
    holders = []
    for container in snapshot.engine.containers:
        cards, used = _held(services.get(container.id), snapshot.claims.get(container.id))
        if gpu.uuid in cards and container.state in UP:
            holders.append(_holder(container.name, used))
    plain = (one for one in snapshot.services if not one.container_id and one.up)
    holders += [_holder(one.name, one.vram_used_bytes) for one in plain if one.gpu_uuid == gpu.uuid]
    more = len(holders) - MOST_HOLDERS
    return [*holders[:MOST_HOLDERS], f"{more} more"] if more > 1 else holders


def _held(status: ServiceStatus | None, claim: Claim | None) -> tuple[Sequence[str], int | Unknown]:
    """Give the cards that a container is on and how much it holds."""
    claim = claim or NOT_INSPECTED
    cards, used = claim.gpu_uuids, claim.used_bytes
    if status is None:
        return cards, used
    if isinstance(status.gpu_uuid, str):
        cards = (status.gpu_uuid,)
    elif status.gpu_uuid is None:
        cards = ()
    return cards, used if known(used) else status.vram_used_bytes


def _holder(name: str, used: int | Unknown) -> str:
    told = f" {format_gib(used)}" if known(used) else "?"
    return cut(name, NAME_WIDTH) + told


def _reasons(gpu: Gpu) -> str:
    if not known(gpu.throttle_reasons):
        return NOT_KNOWN
    return ", ".join(map(throttle_label, slowing(gpu.throttle_reasons))) or "nothing"


def _containers(snapshot: HostSnapshot) -> list[str]:
    engine = snapshot.engine
    if not engine.containers:
        if engine.problem is not None:
            return [f"engine: {engine.problem.title}", f"        {engine.problem.hint}".rstrip()]
        return ["containers: none"]
    rows = [["container", "state", "health", "restarts", "age", "card", "known by", "ports"]]
    rows += [_container_row(item, snapshot) for item in engine.containers]
    lines = columns(rows, frozenset({3, 4}))
    if engine.state != "connected":
        lines.append("stale: the engine does not answer, this is how it was when last heard of")
    return lines


def _container_row(container: Container, snapshot: HostSnapshot) -> list[str]:
    claim = snapshot.claims.get(container.id)
    return [
        cut(container.name, NAME_WIDTH),
        _state(container, snapshot.engine),
        _text(container.health) if container.health != "none" else "",
        _text(container.restart_count),
        age(age_begins(container), snapshot.taken_at),
        _claim_cards(claim, snapshot),
        SOURCE_WORDS[claim.source] if claim and claim.uses_gpu else "",
        ports_text(container.ports),
    ]


def _state(container: Container, engine: EngineSnapshot) -> str:
    if container.state not in {"created", "exited", "dead", "restarting"}:
        return container.state
    words = exit_meaning(container, container.id in engine.asked_to_stop)
    if not isinstance(container.exit_code, int):
        return container.state
    return f"{container.state} {container.exit_code}" + (f" ({words})" if words else "")


def _claim_cards(claim: Claim | None, snapshot: HostSnapshot) -> str:
    if claim is None or (claim.source == "unknown" and claim.uses_gpu):
        return NOT_KNOWN
    if not claim.uses_gpu:
        return ""
    index = {gpu.uuid: str(gpu.index) for gpu in snapshot.gpu.gpus}
    return ",".join(index.get(uuid, uuid) for uuid in claim.gpu_uuids) or "none"


def _alerts(snapshot: HostSnapshot) -> list[str]:
    rows = []
    for alert in snapshot.alerts:
        since = alert.since.astimezone().strftime("%H:%M") if alert.since else ""
        rows.append([since, SYMBOLS[alert.severity], f"{alert.subject} {alert.title}"])
        if alert.hint:
            rows.append(["", "", f"  → {alert.hint}"])
    return columns(rows)


def _card_brief(gpu: Gpu) -> str:
    if gpu.lost is not None:
        return f"{gpu.index} lost"
    used = f"{_gib(gpu.memory_used_bytes)}/{_gib(gpu.memory_total_bytes)}G"
    return f"{gpu.index} {used} {_with_unit(gpu.utilization_percent, '%')}".rstrip()


def _gib(value: int | Unknown) -> str:
    return format_gib(value) if known(value) else NOT_KNOWN


def _whole(value: float | Unknown) -> str:
    return f"{value:.0f}" if known(value) else NOT_KNOWN


def _with_unit(value: float | Unknown, unit: str) -> str:
    return f"{value:.0f} {unit}" if known(value) else NOT_KNOWN


def _text(value: object) -> str:
    return NOT_KNOWN if value is None or isinstance(value, Unknown) else str(value)


def memory_text(host: HostFacts) -> str:
    """Give RAM and swap in words, such as `RAM 41 of 62 GiB free`."""
    if not (known(host.memory_available_bytes) and known(host.memory_total_bytes)):
        return f"RAM {NOT_KNOWN}"
    free = format_bytes(host.memory_available_bytes)
    return f"RAM {free} of {format_bytes(host.memory_total_bytes)} free"
