"""Alerts about services: those that the engine cannot see, because the container just runs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from actions.services.placement import card_words
from actions.services.rules import service_rules
from actions.services.snapshot import ServiceStatus
from actions.snapshot import Alert
from console.config.load import dotted
from console.engine.snapshot import EngineSnapshot
from console.gpu.snapshot import Gpu
from console.services.device_name import ON_CPU
from console.unknown import Unknown, known

# These say of a container what the service's own alert says better.
_SAME_THING = frozenset({"container.unhealthy"})
_HUNG = frozenset({"web.timeout", "service.overdue"})
_LOGS = "read its log; `gpuconsole restart {name}` starts it anew"


def service_alerts(
    services: Sequence[ServiceStatus],
    engine: EngineSnapshot,
    gpus: Sequence[Gpu],
    now: datetime,
) -> Iterator[Alert]:
    """Give what is wrong with services and is not told by their containers' own alerts.

    While the engine does not answer, services that do not answer either are not told one by one.
    """
    connected = engine.state == "connected"
    for status in services:
        if connected or not status.service.container:
            yield from _state_alert(status, now)
        yield from _config_alert(status)
        yield from _placement_alert(status, gpus)
    yield from _shared_cards(services, gpus)


def told_once(
    alerts: Sequence[Alert], services: Sequence[ServiceStatus], own: Sequence[Alert]
) -> list[Alert]:
    """Give containers' alerts under their services' names, without what `own` tells better."""
    names = {one.container_id: one.name for one in services if one.container_id}
    better = {alert.subject_id for alert in own if alert.id in _STATE_ALERTS}
    return [
        msgspec.structs.replace(alert, subject=names.get(alert.subject_id, alert.subject))
        for alert in alerts
        if not (alert.id in _SAME_THING and alert.subject_id in better)
    ]


_STATE_ALERTS = frozenset(
    {"service.front-only", "service.odd", "service.hung", "service.unreachable"}
)


def _state_alert(status: ServiceStatus, now: datetime) -> Iterator[Alert]:
    """Give the alert of a service's state."""
    if status.state == "needs-auth":
        yield _needs_auth(status)
    elif status.state == "unreachable":
        yield _unreachable(status)
    elif status.state == "unhealthy":
        yield from _unhealthy(status)
    elif status.state == "starting" and known(status.since) and status.reading is not None:
        slow = timedelta(minutes=service_rules().ready.slow_minutes)
        if now - status.since > slow:
            title = f"is still not ready: {status.evidence[0].text}"
            yield _alert(status, "service.slow-start", "warning", title, _logs(status))


def _needs_auth(status: ServiceStatus) -> Alert:
    problem = _problem(status)
    title = "asks for a login" + (f": {problem.title}" if problem is not None else "")
    hint = problem.hint if problem is not None else ""
    hint = hint or f"set auth in [{dotted(('services', status.name))}]"
    return _alert(status, "service.needs-auth", "warning", title, hint)


def _unreachable(status: ServiceStatus) -> Alert:
    problem = _problem(status)
    if problem is None:
        # Nobody can ask it: that says nothing against it.
        severity = "info" if status.service.source == "discovered" else "warning"
        hint = "publish its port, or set its url in the config"
        return _alert(status, "service.no-url", severity, status.evidence[0].text, hint)
    if problem.code in _HUNG:
        title = f"hangs: {problem.title}"
        return _alert(status, "service.hung", "error", title, _logs(status))
    kind = "service.stale" if problem.code == "service.stale" else "service.unreachable"
    severity = "warning" if kind == "service.stale" else "error"
    return _alert(
        status, kind, severity, f"does not answer: {problem.title}", problem.hint or _logs(status)
    )


def _unhealthy(status: ServiceStatus) -> Iterator[Alert]:
    """Give the alert where it is the API that is not well; a health check has the engine's."""
    answer = status.reading.answer if status.reading is not None else ""
    problem = _problem(status)
    if problem is None or answer not in {"front-only", "odd"}:
        return
    if answer == "front-only":
        title = f"is down behind its front: {problem.title}"
        yield _alert(status, "service.front-only", "error", title, problem.hint or _logs(status))
    else:
        title = f"does not answer as {status.service.kind} does: {problem.title}"
        hint = problem.hint or "check its url and kind in the config"
        severity = "warning" if status.service.source == "discovered" else "error"
        yield _alert(status, "service.odd", severity, title, hint)


def _config_alert(status: ServiceStatus) -> Iterator[Alert]:
    """Give the alert of a `gpu` in the config that names no card, or several."""
    expected = status.gpu_expected_uuid
    if isinstance(expected, Unknown) and expected.code in {"gpu.not-here", "gpu.ambiguous"}:
        title = f"is meant for a card that can't be told: {expected.title}"
        yield _alert(status, expected.code, "warning", title, expected.hint)


def _placement_alert(status: ServiceStatus, gpus: Sequence[Gpu]) -> Iterator[Alert]:
    """Give the alert of a service on another card than meant, or than its settings say."""
    cards = _card_names(gpus)
    sits, declared = status.gpu_uuid, status.gpu_declared_uuid
    if sits is None and status.gpu_source == "observed":
        if isinstance(status.gpu_expected_uuid, str) or declared is not None:
            title = ON_CPU.title.removeprefix("it ")
            yield _alert(status, "service.on-cpu", "warning", title, ON_CPU.hint)
    elif status.misplaced:
        meant = cards.get(str(status.gpu_expected_uuid), "")
        title = f"sits on {cards.get(str(sits), '')}, but is meant for {meant}"
        severity = "error" if status.service.gpu else "warning"
        yield _alert(status, "service.misplaced", severity, title, status.advice)
    elif (
        isinstance(sits, str)
        and isinstance(declared, str)
        and sits != declared
        and status.gpu_source in {"observed", "processes"}
    ):
        title = f"sits on {cards.get(sits, '')}, though its settings lead to {cards.get(declared)}"
        hint = "with CUDA_DEVICE_ORDER=PCI_BUS_ID its settings count cards as the driver does"
        hint = f"if it is meant for that one: {status.advice}" if status.advice else hint
        yield _alert(status, "service.declared-elsewhere", "info", title, hint)


def _shared_cards(services: Sequence[ServiceStatus], gpus: Sequence[Gpu]) -> Iterator[Alert]:
    """Give one alert for each card on which services sit that are meant for different ones.

    Where nothing else says what a service is meant for, its settings do.
    """
    cards = _card_names(gpus)
    for gpu in gpus:
        here = [one for one in services if one.up and one.gpu_uuid == gpu.uuid and _meant(one)]
        if len({_meant(one) for one in here}) < 2:
            continue
        moved = [one for one in here if _meant(one) != gpu.uuid]
        first = next((one for one in moved if one.misplaced), moved[0])
        others = ", ".join(one.name for one in here if one is not first)
        title = f"and {others} sit on one card, {cards[gpu.uuid]}, though meant for different ones"
        card = first.service.gpu or _meant(first)
        hint = f"`gpuconsole move {first.name} --gpu {card}` brings it to its own"
        yield _alert(first, "service.share-card", "warning", title, hint)


def _meant(status: ServiceStatus) -> str:
    """Give the card that a service is meant for, or where its settings lead; empty: not known."""
    for uuid in (status.gpu_expected_uuid, status.gpu_declared_uuid):
        if isinstance(uuid, str):
            return uuid
    return ""


def _card_names(gpus: Sequence[Gpu]) -> Mapping[str, str]:
    return {gpu.uuid: card_words(gpu) for gpu in gpus}


def _problem(status: ServiceStatus) -> Unknown | None:
    return status.reading.problem if status.reading is not None else None


def _logs(status: ServiceStatus) -> str:
    if not status.container_id:
        return "it has no container here: look at it where it runs"
    return _LOGS.format(name=status.name)


def _alert(status: ServiceStatus, kind: str, severity: str, title: str, hint: str = "") -> Alert:
    return Alert(
        id=kind,
        severity=severity,
        subject=status.name,
        subject_id=status.container_id,
        title=title,
        hint=hint,
        since=status.since if known(status.since) else None,
    )
