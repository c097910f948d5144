"""What stopping a service would do: what it interrupts, and what comes back."""

from collections.abc import Mapping
from typing import Any

from actions.containers.drafts import Surroundings
from actions.containers.drafts import draft_stop as draft_container
from actions.plan import Check
from actions.service_verbs.around import Around
from actions.service_verbs.draft import ServiceDraft
from actions.service_verbs.jobs import busy, job_text, pending, work_of
from actions.service_verbs.steps import StopHow, stop_steps
from actions.service_verbs.words import check, limit
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.units import format_bytes, format_duration
from console.unknown import Unknown


def draft_stop(
    _session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what a stop would do.

    Args:
        around: the look at the host.
        status: the service.
        options: `wait`, `wait_limit` in seconds, `interrupt`, `timeout` (of the container).
    """
    facts = around.container(status)
    if facts is None and status.up:
        return ServiceDraft(checks=(check("service.no-container", "refuse"),))
    if facts is None or not (facts.runs or facts.state in {"removing", "dead"}):
        return ServiceDraft(checks=(check("service.stopped"),))
    how = stop_how(options)
    container = draft_container(
        facts, {"timeout": how.timeout}, Surroundings(docker=around.docker)
    ).checks
    checks = (*job_checks(status, how), *container, *vram_checks(around, status))
    if any(one.verdict == "refuse" for one in checks):
        return ServiceDraft(checks=checks)
    return ServiceDraft(steps=stop_steps(around, status, how), checks=checks)


def stop_how(options: Mapping[str, Any]) -> StopHow:
    """Give how to stop, as a plan's options say."""
    return StopHow(
        wait=bool(options.get("wait")),
        wait_limit=options.get("wait_limit"),
        interrupt=bool(options.get("interrupt")),
        timeout=options.get("timeout"),
    )


def job_checks(status: ServiceStatus, how: StopHow) -> tuple[Check, ...]:
    """Say what a stop interrupts: the job under way, minutes in, and who waits."""
    reading = status.reading
    if status.service.kind == "other":
        return (check("service.mute", "warn" if how.wait or how.interrupt else "pass"),)
    if status.state == "crash-looping":
        return ()
    if reading is None or reading.answer != "ready":
        return (_unknown_work(status),)
    if not busy(status):
        return (check("service.idle"),)
    if how.interrupt:
        lost = pending(status)
        queue = f"; {lost} waiting job{'s' if lost != 1 else ''} will be lost" if lost else ""
        return (check("service.interrupts", "warn", what=f"{job_text(status)}{queue}"),)
    if how.wait:
        longest = format_duration(how.wait_limit or limit("drain", "limit"))
        return (check("service.waits", what=work_of(status), limit=longest),)
    return (check("service.busy", "warn", what=work_of(status)),)


def vram_checks(around: Around, status: ServiceStatus) -> tuple[Check, ...]:
    """Say how much VRAM should come back, where somebody tells."""
    held = status.vram_used_bytes
    if not status.gpu_uuid or isinstance(status.gpu_uuid, Unknown):
        return ()
    if isinstance(held, Unknown):
        return (check("service.vram-unknown"),)
    card = around.card_name(status.gpu_uuid)
    return (check("service.vram-back", held=format_bytes(held), card=card),)


def _unknown_work(status: ServiceStatus) -> Check:
    """Say why nobody knows what would be interrupted."""
    reading = status.reading
    if status.state == "starting":
        stage = f" ({reading.stage})" if reading is not None and reading.stage else ""
        return check("service.still-starting", stage=stage)
    problem = reading.problem if reading is not None else None
    why = problem.title if problem is not None else f"it is {status.state}"
    return check("service.work-unknown", "warn", why=why)
