"""Everything known about one card, with units, sources, reasons for what is not."""

from datetime import datetime
from typing import Any

from actions.snapshot import Alert, Claim, HostSnapshot
from console.gpu.snapshot import Gpu, GpuProcess
from console.units import format_age, format_bytes
from console.unknown import Unknown, known
from screens.tui.holders import holders
from screens.tui.paint import BLANK, UNKNOWN, Line, Span, left, wrap
from screens.tui.words import (
    card_text,
    local_clock,
    unknown_span,
)
from screens.words import SOURCE_WORDS, SYMBOLS

LABEL = 22

CARD_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("UUID", "uuid", "{}"),
    ("driver index", "index", "{}  (nvidia-smi's order)"),
    ("CUDA ordinal", "cuda_ordinal", "{}  (worked out: fastest first)"),
    ("PCI bus", "pci_bus_id", "{}"),
    ("compute capability", "compute_capability", "{}"),
    ("memory in all", "memory_total_bytes", "bytes"),
    ("memory used", "memory_used_bytes", "bytes"),
    ("memory free", "memory_free_bytes", "bytes"),
    ("busy", "utilization_percent", "{} %"),
    ("memory busy", "memory_utilization_percent", "{} %"),
    ("temperature", "temperature_celsius", "{} °C"),
    ("power", "power_watts", "{:.0f} W"),
    ("power limit", "power_limit_watts", "{:.0f} W"),
    ("graphics clock", "clock_graphics_mhz", "{} MHz"),
    ("memory clock", "clock_memory_mhz", "{} MHz"),
    ("fan", "fan_percent", "{} %"),
    ("throttled by", "throttle_reasons", "list"),
    ("PCIe generation", "pcie_generation", "{}"),
    ("PCIe lanes", "pcie_width", "{}"),
    ("performance state", "performance_state", "{}"),
    ("ECC", "ecc_mode", "{}"),
    ("ECC errors", "ecc_errors", "{}"),
)


def card_details(snapshot: HostSnapshot, uuid: str, width: int) -> list[Line] | None:
    """Give all about a card in lines of `width`; None where it is gone."""
    gpu = next((item for item in snapshot.gpu.gpus if item.uuid == uuid), None)
    if gpu is None:
        return None
    about = [alert for alert in snapshot.alerts if alert.subject_id == uuid]
    lines = alert_lines(about, snapshot.taken_at, width)
    lines += head("Card, as the driver tells")
    if gpu.lost is not None:
        lines += pair("state", gpu.lost, width, "error")
    for label, field, pattern in CARD_FIELDS:
        lines += pair(label, formatted(getattr(gpu, field), pattern), width)
    lines += head("Who holds its memory")
    lines += _held(snapshot, gpu)
    lines += head("Processes on it")
    lines += _processes(snapshot, gpu, width)
    return lines


def claim_lines(snapshot: HostSnapshot, claim: Claim | None, width: int) -> list[Line]:
    """Give which card a container uses, and each setting that leads there with what it does."""
    indexes = {gpu.uuid: gpu.index for gpu in snapshot.gpu.gpus}
    if claim is None:
        return [(Span("  not worked out yet", "dim"),)]
    if not claim.uses_gpu:
        return [(Span("  nothing points to a card"),)]
    names = {gpu.uuid: gpu.name for gpu in snapshot.gpu.gpus}
    cards = ", ".join(str(names.get(uuid) or uuid) for uuid in claim.gpu_uuids)
    lines = pair("card", f"{card_text(claim, indexes)}  {cards}".rstrip(), width)
    lines += pair("known by", SOURCE_WORDS.get(claim.source, claim.source), width)
    lines += pair("memory held", formatted(claim.used_bytes, "bytes"), width)
    return lines + chain_lines(claim, width)


def chain_lines(claim: Claim, width: int) -> list[Line]:
    """Give each setting that leads to a claim's card, with what it does on this host."""
    lines: list[Line] = []
    for place, step in enumerate(claim.chain, 1):
        lines.append(
            (Span(f"  {place}  ", "dim"), Span(step.setting, "strong"), Span(f" = {step.value}"))
        )
        lines += [
            (Span(" " * 5), Span(text, "dim")) for text in wrap(f"→ {step.effect}", width - 6)
        ]
    return lines


def _held(snapshot: HostSnapshot, gpu: Gpu) -> list[Line]:
    found = holders(snapshot, gpu)
    if not found:
        return [(Span("  nobody that we can see", "dim"),)]
    return [
        (
            Span(
                left(
                    "  "
                    + (
                        format_bytes(holder.used_bytes)
                        if holder.used_bytes is not None
                        else UNKNOWN
                    ),
                    12,
                ),
                "strong",
            ),
            Span(f"{holder.mark or ' '} {left(holder.name, 30)}"),
            Span(f"  {holder.how}", "dim"),
        )
        for holder in found
    ]


def _processes(snapshot: HostSnapshot, gpu: Gpu, width: int) -> list[Line]:
    if isinstance(gpu.processes, Unknown):
        return pair("processes", gpu.processes, width)
    names = {item.id: item.name for item in snapshot.engine.containers}
    return [_process(process, names) for process in gpu.processes] or [(Span("  none", "dim"),)]


def _process(process: GpuProcess, names: dict[str, str]) -> Line:
    size = format_bytes(process.used_bytes) if known(process.used_bytes) else UNKNOWN
    name = process.name if known(process.name) else UNKNOWN
    where = names.get(process.container_id, "") if isinstance(process.container_id, str) else "host"
    return (
        Span(f"  {process.pid:>8}  ", "dim"),
        Span(left(name, 24)),
        Span(f"{size:>10}  ", "strong"),
        Span(f"{process.kind}  {where}", "dim"),
    )


def alert_lines(alerts: list[Alert], now: datetime, width: int) -> list[Line]:
    """Give what is wrong, with hints; nothing where all is well."""
    lines: list[Line] = []
    for alert in alerts:
        text = f"{SYMBOLS[alert.severity]} {alert.title}  (since {local_clock(alert.since, now)})"
        role = "dim" if alert.severity == "info" else alert.severity
        lines += [(Span("  "), Span(part, role)) for part in wrap(text, width - 4)]
        if alert.hint:
            lines += [(Span("    "), Span(part)) for part in wrap(alert.hint, width - 6)]
    return [BLANK, *lines] if lines else []


def head(title: str) -> list[Line]:
    """Give a heading with a blank line before it."""
    return [BLANK, (Span(f"  {title}", "title"),)]


def pair(label: str, value: Any, width: int, role: str = "text") -> list[Line]:
    """Give a label and its value; an unknown one with its reason, long ones wrapped."""
    span = unknown_span(value) if isinstance(value, Unknown) else Span(str(value), role)
    parts = wrap(span.text, max(10, width - LABEL - 2)) if span.text else [""]
    return [
        (Span(left(f"  {label}" if not place else "", LABEL), "dim"), Span(part, span.role))
        for place, part in enumerate(parts)
    ]


def formatted(value: Any, pattern: str) -> Any:
    """Write a value by a pattern, `bytes` or `list`; an unknown one stays as it is."""
    if isinstance(value, Unknown):
        return value
    if pattern == "bytes":
        return format_bytes(value)
    if pattern == "list":
        return ", ".join(value) or "nothing"
    return pattern.format(value)


def yes_no(value: Any) -> Any:
    """Write a truth as a word; an unknown one stays as it is."""
    return value if isinstance(value, Unknown) else "yes" if value else "no"


def moment_text(value: Any, now: datetime) -> Any:
    """Write a moment in local time, with how long ago it was."""
    if isinstance(value, Unknown):
        return value
    if value is None:
        return "not yet"
    ago = format_age((now - value).total_seconds())
    return f"{value.astimezone().strftime('%Y-%m-%d %H:%M:%S')}  ({ago} ago)"
