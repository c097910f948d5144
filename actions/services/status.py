"""Every service at one moment: its state with evidence, its card, its VRAM."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from actions.container_alerts import container_alerts
from actions.declared import GpuOrder
from actions.fit.budget import budget_of
from actions.services.address import address_of
from actions.services.advice import advice
from actions.services.find import container_of
from actions.services.memory import ServiceMemory
from actions.services.placement import Placement, card_words, place, settled
from actions.services.rules import service_rules
from actions.services.snapshot import Evidence, Service, ServiceStatus
from actions.services.states import SINCE_UNKNOWN, Facts, State, state_of
from actions.services.targets import started_at
from actions.services.vram import used_vram
from actions.snapshot import Alert, Claim
from console.engine.snapshot import Container, EngineSnapshot
from console.models.catalog import Catalog
from console.services.door import OVERDUE
from console.services.reading import Device, Reading, StartLog
from console.units import format_age
from console.unknown import Unknown, known

NOT_RUNNING = Unknown("gpu.not-running", "it does not run, so it is on no card")
_SITS = frozenset({"running", "paused"})


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All that statuses rest on.

    Attributes:
        engine: with its containers.
        order: the host's cards.
        claims: by container id.
        readings: the newest look at each API by service.
        start_logs: by container id.
        wsl: None where nobody can tell.
        now, monotonic: the moment; seconds on the counter that readings are dated by.
        catalog: for what variants need.
    """

    engine: EngineSnapshot
    order: GpuOrder
    claims: Mapping[str, Claim]
    readings: Mapping[str, Reading]
    start_logs: Mapping[str, StartLog]
    wsl: bool | None
    now: datetime
    monotonic: float
    catalog: Catalog


def statuses(
    services: Sequence[Service], look: Look, memory: ServiceMemory | None = None
) -> tuple[ServiceStatus, ...]:
    """Give the status of each service, in the order of `services`.

    Args:
        services: configured and discovered ones.
        look: what was read.
        memory: of earlier looks; without one nothing is remembered.
    """
    memory = memory or ServiceMemory(once=True)
    containers = {one.name: container_of(one, look.engine.containers) for one in services}
    ids = {item.id for item in containers.values() if item is not None}
    alerts = {
        alert.subject_id: alert for alert in container_alerts(look.engine, look.now, only=ids)
    }
    states, places = {}, {}
    facts_of = {}
    for service in services:
        container = containers[service.name]
        facts = _facts(service, container, look, memory, alerts)
        facts_of[service.name] = facts
        states[service.name] = state_of(facts)
        places[service.name] = _place(facts, look)
    places = settled(places)
    memory.keep(containers)
    return tuple(
        _status(facts_of[one.name], states[one.name], places[one.name], look, memory)
        for one in services
    )


def _facts(
    service: Service,
    container: Container | None,
    look: Look,
    memory: ServiceMemory,
    alerts: Mapping[str, Alert],
) -> Facts:
    if look.engine.state == "connected" and container is None:
        memory.begin(service.name, "")
    elif container is not None and known(container.started_at):
        # Before an inspect nobody knows which run this is.
        memory.begin(service.name, f"{container.id} {started_at(container)}")
    reading = _current(look.readings.get(service.name), container, look)
    if reading is not None and reading.answer == "ready":
        memory.note_ready(service.name)
    log = look.start_logs.get(container.id) if container is not None else None
    if log is not None and container is not None and log.started_at != started_at(container):
        log = None
    told = None
    if not service.url and container is not None:
        address = address_of(container, service.kind)
        told = address if isinstance(address, Unknown) else None
    engine_problem = look.engine.problem
    if engine_problem is None and look.engine.state != "connected":
        engine_problem = _CONNECTING
    return Facts(
        service=service,
        container=container,
        engine_problem=engine_problem if look.engine.state != "connected" else None,
        engine_at=look.engine.taken_at,
        asked_to_stop=container is not None and container.id in look.engine.asked_to_stop,
        alert=alerts.get(container.id) if container is not None else None,
        reading=reading,
        log=log,
        was_ready=memory.was_ready(service.name),
        came_up=log is not None and log.finished and memory.came_up(service.name, look.now),
        no_url=told,
        now=look.now,
    )


_CONNECTING = Unknown("engine.connecting", "the engine has not answered yet")


def _current(reading: Reading | None, container: Container | None, look: Look) -> Reading | None:
    """Give a reading that speaks of now; of another run there is none, an old one says nothing."""
    if reading is None or reading.answer == "not-asked":
        return None
    if reading.problem is not None and reading.problem.code == OVERDUE:
        return reading  # it is the word of whoever asks, who asks now
    age = max(0.0, look.monotonic - reading.taken_monotonic)
    began = container.started_at if container is not None else None
    if isinstance(began, datetime) and look.now - timedelta(seconds=age) < began:
        return None
    if age <= service_rules().ready.stale_seconds:
        return reading
    why = Unknown(
        "service.stale",
        f"no news of it for {format_age(age)}: it was {_words_of(reading)} then",
        "look again; whatever asks it may hang",
    )
    return Reading(
        answer="unreachable",
        problem=why,
        version=reading.version,
        device=reading.device,
        taken_monotonic=reading.taken_monotonic,
    )


def _words_of(reading: Reading) -> str:
    return "busy" if reading.answer == "ready" and reading.busy else reading.answer


def _place(facts: Facts, look: Look) -> Placement:
    container = facts.container
    claim = look.claims.get(container.id) if container is not None else None
    devices: list[Device | Unknown] = []
    if facts.reading is not None:
        devices.append(facts.reading.device)
    if facts.log is not None:
        devices.append(facts.log.device)
    placement = place(facts.service, container, claim, devices, look.order, look.wsl)
    runs = container is not None and container.state in _SITS
    if runs or (container is None and facts.reading is not None):
        return placement
    return msgspec.structs.replace(placement, gpu_uuid=NOT_RUNNING, source="unknown")


def _status(
    facts: Facts, state: State, placement: Placement, look: Look, memory: ServiceMemory
) -> ServiceStatus:
    service, container = facts.service, facts.container
    misplaced = placement.differs
    name = "misplaced" if misplaced and state.name in {"ready", "busy"} else state.name
    # Not to have asked yet is no state that one could be in since.
    unasked = state.name == "starting" and facts.reading is None
    seen = None if unasked else memory.since(service.name, name, look.now)
    since = state.since if known(state.since) else seen or SINCE_UNKNOWN
    evidence = state.evidence
    if not known(since) and state.bound is not None and state.bound.at is not None:
        since = state.bound.at
        evidence = (*evidence, state.bound)
    if misplaced:
        evidence = (_misplaced_words(placement, look.order), *evidence)
    if placement.gpu_uuid is None and placement.source == "observed":
        on_cpu = Evidence(source="service", text=placement.evidence)
        evidence = (*evidence, on_cpu)
    claim = look.claims.get(container.id) if container is not None else None
    used, used_source = used_vram(service, container, claim, facts.reading)
    if state.name == "absent":
        used, used_source = 0, ""
    budget, budget_source = budget_of(service, look.catalog)
    return ServiceStatus(
        service=service,
        container_id=container.id if container is not None else "",
        container_state=container.state if container is not None else "",
        state=name,
        activity=state.activity,
        since=since,
        evidence=evidence,
        reading=facts.reading,
        start_log=facts.log,
        gpu_uuid=placement.gpu_uuid,
        gpu_source=placement.source,
        gpu_expected_uuid=placement.expected,
        gpu_declared_uuid=placement.declared,
        misplaced=misplaced,
        advice=_advice(service, container, placement, look),
        vram_budget_bytes=budget,
        vram_budget_source=budget_source,
        vram_used_bytes=used,
        vram_used_source=used_source,
    )


def _advice(service: Service, container: Container | None, placement: Placement, look: Look) -> str:
    """Say what to change where it sits elsewhere than meant, or than its settings lead to."""
    sits, declared = placement.gpu_uuid, placement.declared
    if not placement.differs:
        if isinstance(placement.expected, str) or placement.source not in {"observed", "processes"}:
            return ""
        if not (isinstance(sits, str) and isinstance(declared, str)) or sits == declared:
            return ""
        placement = msgspec.structs.replace(placement, expected=declared)
    return advice(service, container, placement, look.order, look.wsl)


def _misplaced_words(placement: Placement, order: GpuOrder) -> Evidence:
    cards = {gpu.uuid: card_words(gpu) for gpu in order.by_index}
    sits, meant = (
        cards.get(str(uuid), str(uuid)) for uuid in (placement.gpu_uuid, placement.expected)
    )
    by = {"config": "the config", "device_ids": "device_ids"}.get(
        placement.expected_by, "its settings"
    )
    known_by = {
        "observed": placement.evidence or "it says so itself",
        "processes": "its processes are there",
        "declared": "its settings lead there",
    }[placement.source]
    text = f"sits on {sits} ({known_by}), meant for {meant} by {by}"
    source = {"observed": "service", "processes": "driver", "declared": "config"}[placement.source]
    if placement.source == "observed" and "log" in placement.evidence:
        source = "log"
    return Evidence(source=source, text=text)
