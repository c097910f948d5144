"""Services in `gpuconsole status`: a row each, and below it what their state rests on."""

from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from console.units import format_age, format_gib
from console.unknown import NOT_KNOWN, Unknown, known
from screens.cli.table import columns, cut
from screens.words import SOURCE_WORDS

WIDTH = 80
NAME_WIDTH = 16
MOST_EVIDENCE = 2
MOST_DISCOVERED = 6


def services_text(snapshot: HostSnapshot) -> list[str]:
    """Give the block of services, no line wider than `WIDTH`; nothing where there are none."""
    if not snapshot.services:
        return []
    rows = [["service", "kind", "state", "since", "card", "known by", "VRAM GiB", "needs"]]
    rows += [_row(status, snapshot) for status in snapshot.services]
    head, *lines = columns(rows, frozenset({6, 7}))
    block = [head]
    for line, status in zip(lines, snapshot.services, strict=True):
        block.append(line)
        telling = status.evidence[:MOST_EVIDENCE]
        block += [cut(f"  {one.source}: {one.text}", WIDTH) for one in telling]
    return block + _discovered(snapshot)


def _row(status: ServiceStatus, snapshot: HostSnapshot) -> list[str]:
    return [
        cut(status.name, NAME_WIDTH),
        status.service.kind,
        status.state,
        _since(status, snapshot),
        _card(status, snapshot),
        SOURCE_WORDS[status.gpu_source] if isinstance(status.gpu_uuid, str) else "",
        _gib(status.vram_used_bytes),
        _gib(status.vram_budget_bytes),
    ]


def _since(status: ServiceStatus, snapshot: HostSnapshot) -> str:
    if not known(status.since):
        return NOT_KNOWN
    return format_age((snapshot.taken_at - status.since).total_seconds())


def _card(status: ServiceStatus, snapshot: HostSnapshot) -> str:
    indexes = {gpu.uuid: str(gpu.index) for gpu in snapshot.gpu.gpus}
    if isinstance(status.gpu_uuid, str):
        return indexes.get(status.gpu_uuid, NOT_KNOWN)
    return NOT_KNOWN if isinstance(status.gpu_uuid, Unknown) else "none"


def _gib(value: int | Unknown) -> str:
    return format_gib(value) if known(value) else NOT_KNOWN


def _discovered(snapshot: HostSnapshot) -> list[str]:
    """Offer the services that the config does not have."""
    names = [one.name for one in snapshot.services if one.service.source == "discovered"]
    if not names:
        return []
    more = f" and {len(names) - MOST_DISCOVERED} more" if len(names) > MOST_DISCOVERED else ""
    shown = ", ".join(names[:MOST_DISCOVERED]) + more
    return [
        cut(f"discovered, not in the config: {shown}", WIDTH),
        "`gpuconsole config adopt` writes them into it",
    ]
