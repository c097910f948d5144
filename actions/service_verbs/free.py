"""What freeing the VRAM of a running service would do."""

from collections.abc import Mapping
from typing import Any

from actions.plan import Check, Step
from actions.service_verbs.around import Around
from actions.service_verbs.draft import ServiceDraft
from actions.service_verbs.jobs import busy, job_text, pending, work_of
from actions.service_verbs.steps import StopHow, end_job_steps, service_step
from actions.service_verbs.vram import limit_bytes
from actions.service_verbs.words import check, command, limit
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.units import format_bytes
from console.unknown import Unknown

_MARGIN = 20.0


def draft_free(
    _session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what getting its VRAM back without stopping it would do.

    Args:
        around: the look at the host.
        status: the service.
        options: `interrupt`: end its job first; without it a busy service is left alone.
    """
    interrupts = bool(options.get("interrupt"))
    refusal = _refusal(around, status, interrupts)
    if refusal is not None:
        return ServiceDraft(checks=(refusal,))
    held = status.vram_used_bytes
    own = status.reading.vram_own_bytes if status.reading else held
    loaded = own if isinstance(own, int) else held
    if isinstance(loaded, int) and loaded < limit_bytes("nothing_mib") and not busy(status):
        return ServiceDraft(checks=(check("free.nothing", held=format_bytes(loaded)),))
    if isinstance(held, Unknown):
        frees = check("free.frees-unknown")
    else:
        frees = check("free.frees", held=format_bytes(held))
    checks: tuple[Check, ...] = (frees,)
    before: tuple[Step, ...] = ()
    if interrupts and busy(status):
        if not isinstance(held, Unknown):
            frees = check("free.frees-then", held=format_bytes(held))
        checks = (check("service.interrupts", "warn", what=job_text(status)), frees)
        before = end_job_steps(status, StopHow(interrupt=True))
    gpu = status.gpu_uuid if isinstance(status.gpu_uuid, str) else None
    step = service_step(
        "free",
        status,
        f"Have {status.name} give its VRAM back",
        command("free", status.service),
        seconds=limit("vram", "free_limit") + _MARGIN,
        gpu=gpu,
        held=held if isinstance(held, int) else None,
    )
    return ServiceDraft(steps=(*before, step), checks=checks)


def _refusal(around: Around, status: ServiceStatus, interrupts: bool) -> Check | None:
    """Say why it cannot be told, or must not be told now."""
    service = status.service
    if service.kind == "other":
        return check("free.kind", "refuse", kind=service.kind, name=status.name)
    facts = around.container(status)
    if not status.up or (facts is not None and facts.state != "running"):
        return check("free.not-running", "refuse")
    reading = status.reading
    if reading is None or reading.answer != "ready":
        problem = reading.problem if reading is not None else None
        why = f"{problem.title}. {problem.hint}" if problem is not None else ""
        return check("free.cannot-tell", "refuse", state=status.state, why=why)
    if busy(status) and not interrupts:
        return check("free.busy", "refuse", what=work_of(status))
    if pending(status):
        return check("free.queue", "refuse", count=pending(status), name=status.name)
    return None
