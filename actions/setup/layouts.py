"""What may run together with ComfyUI: each layout with its verdict, and which one is advised."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from actions.fit.answer import answer
from actions.fit.case import Ask, open_case, status_named
from actions.fit.layout import LayoutFit, fit_layout
from actions.fit.model import Fit
from actions.services.snapshot import Evidence, Service, ServiceStatus
from actions.snapshot import HostSnapshot
from console.config.load import dotted
from console.config.schema import LayoutSettings
from console.units import parse_bytes
from console.unknown import Unknown

if TYPE_CHECKING:
    from actions.setup.ground import Ground

EXCLUSIVE, DUAL = "exclusive", "dual"


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """One layout as it would be.

    Attributes:
        name: `exclusive` or `dual`.
        services: that run together in it, ComfyUI last.
        variant: that ComfyUI loads in it.
        fit: its verdict, on a host where nothing else of ours runs.
    """

    name: str
    services: tuple[str, ...]
    variant: str
    fit: LayoutFit


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """The layout to take, and why, in one sentence."""

    name: str
    why: str


def layouts_of(ground: "Ground") -> tuple[Together, ...]:
    """Give the layouts that are possible; `dual` only where a Forge is on ComfyUI's card.

    Of `dual` the variant is the best that stays resident beside the Forges, unless one is answered
    or in the config: then that one.

    Raises:
        UnreachableError: there are no cards.
        UsageError: an answer names no card, no variant or no service.
    """
    several = forges(ground)
    apart = [one.name for one in several if not _on(one, ground.card.uuid)]
    alone = _together(ground, EXCLUSIVE, (*apart, ground.name), ground.own_variant)
    if len(apart) == len(several):
        return (alone,)
    names = (*(one.name for one in several), ground.name)
    return (alone, _beside(ground, _together(ground, DUAL, names, ground.own_variant)))


def advised_layout(layouts: tuple[Together, ...], titles: dict[str, str]) -> Advised:
    """Give the layout to take: all at once where that costs no quality, else one at a time.

    Args:
        layouts: as `layouts_of` gives them.
        titles: of variants, for people.
    """
    alone = layouts[0]
    if len(layouts) == 1:
        why = "no Forge is on its card: nothing has to take turns"
        return Advised(name=EXCLUSIVE, why=why)
    both = layouts[1]
    if isinstance(both.fit.verdict, Unknown):
        why = f"whether all of it fits together is not known: {both.fit.reason}"
        return Advised(name=EXCLUSIVE, why=why)
    if both.fit.verdict != "resident":
        return Advised(name=EXCLUSIVE, why=f"together they do not stay resident: {both.fit.reason}")
    if both.variant == alone.variant:
        return Advised(name=DUAL, why="all of it stays resident together, at the same quality")
    least = titles.get(both.variant, both.variant)
    best = titles.get(alone.variant, alone.variant)
    return Advised(
        name=EXCLUSIVE,
        why=f"alone on its card it loads {best}; beside a Forge only {least} stays resident",
    )


def layout_values(ground: "Ground") -> dict[str, Any]:
    """Give what the config gets for the layout that was chosen; empty where it has that one.

    A variant is only named where the service's own is another.
    """
    chosen = ground.layout
    if chosen in ground.session.config.settings.layouts:
        return {}
    for one in ground.together:
        if one.name == chosen and (len(one.services) > 1 or forges(ground)):
            values: dict[str, Any] = {dotted(("layouts", chosen, "services")): list(one.services)}
            if one.variant and one.variant != ground.variant:
                values[dotted(("layouts", chosen, "variants", ground.name))] = one.variant
            return values
    return {}


def budget_values(ground: "Ground") -> dict[str, Any]:
    """Give what the config gets for Forges of which nothing says how much VRAM they need."""
    budget = ground.answers.text("layout.forge_vram")
    several = _unsaid(ground) if budget else ()
    return {
        dotted(("services", one.name, "vram_budget")): budget
        for one in several
        if one.service.source == "config"
    }


def forges(ground: "Ground") -> tuple[ServiceStatus, ...]:
    """Give the Forges of this host."""
    return tuple(one for one in ground.snapshot.services if one.service.kind == "forge")


def unsaid_beside(ground: "Ground") -> tuple[ServiceStatus, ...]:
    """Give the Forges on ComfyUI's card of which nothing says how much VRAM they need."""
    return tuple(one for one in _unsaid(ground) if _on(one, ground.card.uuid))


def _unsaid(ground: "Ground") -> tuple[ServiceStatus, ...]:
    return tuple(
        one for one in forges(ground) if one.service.vram_budget is None and not one.service.variant
    )


def budgeted(ground: "Ground") -> HostSnapshot:
    """Give the host with what is answered of Forges' needs, where nothing else says them."""
    budget = ground.answers.text("layout.forge_vram")
    unsaid = {one.name for one in _unsaid(ground)} if budget else set()
    if not unsaid:
        return ground.snapshot
    services = tuple(
        _needing(one, parse_bytes(budget)) if one.name in unsaid else one
        for one in ground.snapshot.services
    )
    return msgspec.structs.replace(ground.snapshot, services=services)


def with_planned(ground: "Ground") -> HostSnapshot:
    """Give the host as setup means it to be: also with the ComfyUI that is only to be made."""
    snapshot = budgeted(ground)
    if ground.service is not None:
        return snapshot
    services = (*snapshot.services, _planned(ground))
    return msgspec.structs.replace(snapshot, services=services)


def fits_in_layout(ground: "Ground") -> dict[str, Fit]:
    """Give each variant on ComfyUI's card beside what the layout has there, by its id."""
    card = ground.card.uuid
    if ground.layout != DUAL or len(ground.together) == 1:
        return {one.variant: one for one in ground.fits if one.gpu_uuid == card}
    snapshot = with_planned(ground)
    case = open_case(ground.session, snapshot)
    status = status_named(snapshot, ground.name)
    beside = frozenset(one.name for one in forges(ground))
    gpus: dict[str, str | Unknown] = {ground.name: card}
    asks = {
        one.id: Ask(
            gpu_uuid=card, status=status, variant=one.id, empty=True, started=beside, gpus=gpus
        )
        for one in case.catalog.variants
    }
    return {ident: answer(case, ask) for ident, ask in asks.items()}


def _needing(status: ServiceStatus, budget: int) -> ServiceStatus:
    service = msgspec.structs.replace(status.service, vram_budget=budget)
    return msgspec.structs.replace(status, service=service)


def _planned(ground: "Ground") -> ServiceStatus:
    card = ground.card.uuid
    return ServiceStatus(
        service=Service(name=ground.name, kind="comfyui", gpu=card, variant=ground.own_variant),
        state="absent",
        evidence=(Evidence(source="config", text="it is to be made"),),
        gpu_expected_uuid=card,
    )


def _on(status: ServiceStatus, card: str) -> bool:
    """Tell whether a Forge is, or is meant to be, on a card."""
    return card in {status.gpu_expected_uuid, status.gpu_declared_uuid, status.gpu_uuid}


def _together(ground: "Ground", name: str, services: tuple[str, ...], variant: str) -> Together:
    settings = LayoutSettings(
        services=services,
        variants={ground.name: variant} if variant else {},
        gpus={ground.name: ground.card.uuid},
    )
    trial = ground.draft.session({name: settings})
    fit = fit_layout(trial, with_planned(ground), name)
    return Together(name=name, services=services, variant=variant, fit=fit)


def _beside(ground: "Ground", both: Together) -> Together:
    """Give `dual` with the best variant that stays resident, where one was not named."""
    if both.fit.verdict == "resident" or ground.answers.text("service.variant"):
        return both
    for variant in _ways(ground, both.fit):
        other = _together(ground, DUAL, both.services, variant)
        if other.fit.verdict == "resident":
            return other
    return both


def _ways(ground: "Ground", fit: LayoutFit) -> Iterator[str]:
    """Give ComfyUI's variants that the pre-check offers as ways out, the newest family first."""
    for way in fit.ways_out:
        if way.kind == "variant" and way.title.endswith(f" for {ground.name}"):
            yield way.target
