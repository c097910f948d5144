"""Services that run and idle without a model, and those of them that an operator put to sleep."""

from collections.abc import Sequence

from actions.fit.arithmetic import CONTEXT
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.units import MIB

NO_MODEL = 256 * MIB
"""A service whose own figure is below that has no model loaded."""

COUNTS_FOR = 3600.0
"""Seconds for which a service that was freed is taken to stay asleep, unless it loads a model."""

_LOOKED_THROUGH = 50


def holds_model(status: ServiceStatus) -> bool:
    """Tell whether a service holds more than an idle process does; not, where nobody tells."""
    used = status.vram_used_bytes
    if not isinstance(used, int):
        return False
    # The driver counts the CUDA context too, which stays when a model is unloaded.
    return used >= NO_MODEL + (CONTEXT if status.vram_used_source == "driver" else 0)


def without_model(services: Sequence[ServiceStatus]) -> frozenset[str]:
    """Give the names of services that are up and idle, and are known to hold no model."""
    return frozenset(
        status.name
        for status in services
        if status.state in {"ready", "misplaced"}
        and status.activity != "busy"
        and isinstance(status.vram_used_bytes, int)
        and not holds_model(status)
    )


def put_to_sleep(session: Session, services: Sequence[ServiceStatus]) -> frozenset[str]:
    """Give those that an operator freed within the hour and that hold no model since.

    What a service takes when it wakes counts against others; but whoever has just made room by
    `free` wants that room. The journal is only read where some service sleeps.
    """
    candidates = without_model(services)
    if not candidates:
        return frozenset()
    from console.store.plans import PlanRecords

    now = session.clock.now()
    return frozenset(
        row.target_id
        for row in PlanRecords(session.store).newest(("done",), _LOOKED_THROUGH)
        if row.verb == "free"
        and row.target_id in candidates
        and row.ended_at is not None
        and 0 <= (now - row.ended_at).total_seconds() < COUNTS_FOR
    )
