"""How services are arranged now, and how a layout, or a plan to go back to, wants them."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from actions.fit.budget import budget_of
from actions.plan import Check
from actions.service_verbs.around import Around
from actions.service_verbs.course import Arrangement, Place
from actions.service_verbs.layout_words import check
from actions.services.placement import expected_gpu
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.config.layout import in_force, noted_layout
from console.config.schema import LayoutSettings, ServiceSettings
from console.gpu.snapshot import Gpu
from console.unknown import Unknown

CONFIGURED = "config"
# By so much may a service hold more than was computed before its model counts as another one.
_OVER = 1.1
# The driver was read, and no single card is the one that is named.
_WRONG_CARD = frozenset({"gpu.not-here", "gpu.ambiguous"})


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """An arrangement to be reached.

    Attributes:
        layout: in force once it is reached; empty is none.
        places: by service; those not named are left alone.
        variants: what those in the layout are to work with, where the layout says so.
        free: services that go on and hold a model that is too big for their new variant.
        checks: that refuse, or tell of what is left as it is.
        edits: by service: how to restore a file that was changed; instead of a new change.
    """

    layout: str
    places: dict[str, Place]
    variants: dict[str, str] = {}
    free: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    edits: dict[str, dict[str, Any]] = {}


def places_now(around: Around, names: Collection[str]) -> dict[str, Place]:
    """Give how the named services are arranged now."""
    return {
        status.name: Place(running=runs(around, status), gpu_uuid=card_of(status))
        for status in around.snapshot.services
        if status.name in names
    }


def runs(around: Around, status: ServiceStatus) -> bool:
    """Tell whether a service's container runs; of one without a container, whether it is up."""
    facts = around.container(status)
    return status.up if facts is None else facts.runs


def card_of(status: ServiceStatus) -> str | None:
    """Give the card that a service's settings lead to, else the one it is on, where known."""
    for uuid in (status.gpu_declared_uuid, status.gpu_uuid):
        if isinstance(uuid, str) and uuid:
            return uuid
    return None


def goal_of_layout(session: Session, around: Around, name: str) -> Goal:
    """Give what a layout of the config asks of the services that are here.

    What the config names and the layout does not stops; what is only discovered is left alone. A
    service whose card the layout does not say stays where it is, with two exceptions: what the
    layout in force had moved goes back to where the config has it, and so does what has to start.
    """
    settings = session.config.settings
    layout = settings.layouts[name]
    here = {status.name: status for status in around.snapshot.services}
    places = {}
    checks = []
    for member in layout.services:
        if member not in here:
            checks.append(check("layout.no-service", "refuse", name=member, layout=name))
            continue
        card = _wanted_card(session, around, name, here[member])
        if isinstance(card, Unknown):
            values = {"why": card.title, "name": member, "layout": name}
            checks.append(check(_no_card(layout, member), "refuse", **values))
            card = None
        places[member] = Place(running=True, gpu_uuid=card)
    for status in around.snapshot.services:
        if status.service.source == CONFIGURED and status.name not in places:
            card = _left_card(session, around, status.name)
            places[status.name] = Place(running=False, gpu_uuid=card)
    variants = {one: layout.variants[one] for one in layout.services if one in layout.variants}
    free, told = _unloading(session, here, name, variants)
    return Goal(
        layout=name,
        places=places,
        variants=variants,
        free=free,
        checks=(*checks, *told),
    )


def goal_of_facts(facts: Mapping[str, Any]) -> Goal:
    """Give the arrangement that a plan's facts say there was before it."""
    return Goal(
        layout=str(facts.get("layout_before") or ""),
        places=places_of(facts.get("before")),
        edits=dict(facts.get("edits") or {}),
    )


def facts_of(arrangement: Arrangement) -> list[dict[str, Any]]:
    """Give an arrangement as plain data for a plan."""
    return [
        {"service": name, "running": place.running, "gpu_uuid": place.gpu_uuid}
        for name, place in arrangement.items()
    ]


def places_of(data: object) -> dict[str, Place]:
    """Read an arrangement back from a plan's plain data."""
    entries: Sequence[Any] = data if isinstance(data, list | tuple) else ()
    return {
        str(entry["service"]): Place(running=bool(entry["running"]), gpu_uuid=entry["gpu_uuid"])
        for entry in entries
    }


def with_layout(session: Session, snapshot: HostSnapshot, name: str) -> HostSnapshot:
    """Give the host as its services are meant once a layout is in force."""
    settings = in_force(session.config.settings, name).services
    gpus = snapshot.gpu.gpus
    services = tuple(_meant(session, status, settings, gpus) for status in snapshot.services)
    return msgspec.structs.replace(snapshot, services=services)


def _meant(
    session: Session,
    status: ServiceStatus,
    settings: Mapping[str, ServiceSettings],
    gpus: Sequence[Gpu],
) -> ServiceStatus:
    own = settings.get(status.name)
    if own is None:
        return status
    service = msgspec.structs.replace(
        status.service,
        variant=own.variant or "",
        vram_budget=own.vram_budget,
        gpu=own.gpu or "",
    )
    budget, source = budget_of(service, session.catalog)
    meant = expected_gpu(service.gpu, gpus) if service.gpu else status.gpu_expected_uuid
    return msgspec.structs.replace(
        status,
        service=service,
        vram_budget_bytes=budget,
        vram_budget_source=source,
        gpu_expected_uuid=meant,
    )


def _wanted_card(
    session: Session, around: Around, name: str, status: ServiceStatus
) -> str | Unknown | None:
    """Give the card that a service of a layout has to be on; None is where its settings lead."""
    settings = session.config.settings
    gpus = around.snapshot.gpu.gpus
    wanted = settings.layouts[name].gpus.get(status.name)
    if wanted is not None:
        return expected_gpu(wanted, gpus)
    own = settings.services.get(status.name)
    if own is None or own.gpu is None:
        return None
    card = expected_gpu(own.gpu, gpus)
    if _was_moved(session, status.name):
        return card
    if runs(around, status):
        return None
    if isinstance(card, Unknown):
        return card if card.code in _WRONG_CARD else None
    # What only its container's maker can change is started where it is, and looked at there.
    by_compose = status.service.compose_file is not None and status.service.compose_service
    elsewhere = isinstance(status.gpu_declared_uuid, str) and status.gpu_declared_uuid != card
    return card if by_compose and elsewhere else None


def _left_card(session: Session, around: Around, name: str) -> str | None:
    """Give the card that a service gets back which leaves the layout that had moved it."""
    own = session.config.settings.services.get(name)
    if own is None or own.gpu is None or not _was_moved(session, name):
        return None
    card = expected_gpu(own.gpu, around.snapshot.gpu.gpus)
    return card if isinstance(card, str) else None


def _was_moved(session: Session, name: str) -> bool:
    """Tell whether the layout in force gives a service a card of its own."""
    before = session.config.settings.layouts.get(noted_layout(session.places))
    return before is not None and name in before.gpus and name in before.services


def _no_card(layout: LayoutSettings, member: str) -> str:
    return "layout.no-card" if member in layout.gpus else "layout.no-own-card"


def _unknown_variant(session: Session, layout: str, name: str, variant: str) -> Check:
    """Say that nobody knows what a variant of a layout needs, and which may be meant."""
    near = difflib.get_close_matches(variant, [one.id for one in session.catalog.variants], n=1)
    hint = f"did you mean {near[0]}?" if near else "gpuconsole models fit lists them"
    values = {"name": name, "variant": variant, "layout": layout, "near": hint}
    return check("layout.unknown-variant", "warn", **values)


def _unloading(
    session: Session, here: Mapping[str, ServiceStatus], layout: str, variants: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[Check, ...]]:
    """Find the services that go on, but hold more than their new variant ever takes.

    What a service of ComfyUI works with is chosen by the next edit; until then its old model stays
    where it is. A service that holds no more than the new variant needs is left alone.
    """
    free, checks = [], []
    for name, variant in variants.items():
        if session.catalog.variant(variant) is None:
            checks.append(_unknown_variant(session, layout, name, variant))
        status = here.get(name)
        if status is None or not status.activity:
            continue
        values = {"name": name, "variant": variant}
        if status.service.kind == "other":
            checks.append(check("layout.keeps-variant", "warn", **values))
            continue
        service = msgspec.structs.replace(status.service, variant=variant, vram_budget=None)
        budget, _source = budget_of(service, session.catalog)
        held = status.vram_used_bytes
        if isinstance(budget, int) and isinstance(held, int) and held > budget * _OVER:
            free.append(name)
            checks.append(check("layout.unloads", **values))
    return tuple(free), tuple(checks)
