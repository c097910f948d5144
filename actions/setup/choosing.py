"""The steps `variant` and `layout`: what ComfyUI loads on which card, and what runs beside it."""

from collections.abc import Iterator
from typing import Any

from actions.fit.layout import LayoutFit, fit_layout
from actions.models.catalogue import variant_named
from actions.models.model import Choice
from actions.services.placement import card_words
from actions.setup.disagreement import disagreement
from actions.setup.draft import missing, other
from actions.setup.ground import Ground
from actions.setup.report import Look
from console.config.load import dotted
from console.config.schema import LayoutSettings
from console.gpu.snapshot import Gpu
from console.units import format_bytes
from console.unknown import Unknown

_ANSWERED = {"gpu": "service.gpu", "variant": "service.variant"}
NO_COMFYUI = Look(
    state="blocked",
    detail="no ComfyUI is known here: neither a container of one nor one in the config",
    commands=("create its container, or describe it in the config, then run setup again",),
)


def look_at_variant(ground: Ground) -> Look:
    """Choose variant and card of ComfyUI, where the config does not say them yet."""
    service = ground.service
    if service is None:
        return NO_COMFYUI
    card = ground.card
    said = ground.answers.text("service.variant") or service.service.variant
    advised = ground.advised(card)
    if not said and advised is None:
        return Look(
            state="blocked",
            detail=f"no variant for {ground.answers.text('edit.workflow')} runs on "
            f"{card_words(card)}",
            commands=("`gpuconsole models fit --empty` says why, with the ways out",),
        )
    ident = variant_named(ground.session.needed_catalog(), said).id if said else ""
    ident = ident or (advised.variant if advised is not None else "")
    name = service.name
    wanted = {
        dotted(("services", name, "gpu")): _named(ground, card),
        dotted(("services", name, "variant")): ident,
    }
    answered = {
        key: value
        for key, value in wanted.items()
        if ground.answers.text(_ANSWERED[key.rpartition(".")[2]])
    }
    against = _against(ground, answered, card)
    if against:
        return disagreement(against, answered)
    values = missing(ground.session, wanted)
    found = tuple(_beside(ground, card, ident))
    detail = f"{name} loads {ident} on {card_words(card)}"
    fit = next((o for o in ground.fits if (o.variant, o.gpu_uuid) == (ident, card.uuid)), None)
    if fit is not None and fit.verdict == "refused":
        return Look(state="blocked", detail=f"{detail}: {fit.reason}", found=found)
    why: tuple[str, ...] = (fit.reason,) if fit is not None else ()
    if advised is not None and advised.variant == ident:
        why += (advised.recommended[card.uuid],)
    if not values:
        return Look(state="done", detail=detail, found=found, proposes=why)
    return Look(state="needed", detail=detail, found=found, proposes=why, values=values)


def _against(ground: Ground, answered: dict[str, Any], card: Gpu) -> dict[str, str]:
    """Give what the config says otherwise; a card may be named in more than one way."""
    from actions.services.placement import expected_gpu

    found = other(ground.session, answered)
    return {
        key: value
        for key, value in found.items()
        if not key.endswith(".gpu") or expected_gpu(value, ground.snapshot.gpu.gpus) != card.uuid
    }


def _named(ground: Ground, card: Gpu) -> str:
    """Name a card for the config: as answered, else by its UUID, which stays the same."""
    return ground.answers.text("service.gpu") or card.uuid


def _beside(ground: Ground, card: Gpu, chosen: str) -> Iterator[str]:
    """Give the choices of this card side by side: the one taken, and what else is recommended."""
    for one in ground.choices:
        if one.variant == chosen or card.uuid in one.recommended:
            yield _choice_line(one, card, ground)


def _choice_line(one: Choice, card: Gpu, ground: Ground) -> str:
    fit = next((each for each in one.fits if each.gpu_uuid == card.uuid), None)
    verdict = "not known" if fit is None or isinstance(fit.verdict, Unknown) else fit.verdict
    size = "size not known" if one.size_bytes is None else format_bytes(one.size_bytes)
    catalog = ground.session.catalog
    variant = catalog.variant(one.variant)
    files = catalog.files_of(variant) if variant is not None else ()
    licence = files[0].licence if files else "unknown"
    quality = f"quality {one.quality}" if one.quality else "not ranked"
    timed = [each for each in catalog.measured if each.variant == one.variant]
    speed = (
        f", {timed[0].seconds:.0f} s for {timed[0].steps} steps on an {timed[0].card}"
        if timed
        else ""
    )
    return f"{one.variant}: {verdict}, {quality}, {size} ({one.state}), {licence}{speed}"


def look_at_layout(ground: Ground) -> Look:
    """Choose what runs together: ComfyUI alone on its card, or with a Forge."""
    service = ground.service
    if service is None:
        return NO_COMFYUI
    asked = ground.answers.text("layout.name")
    there = ground.session.settings.layouts
    forges = [one for one in ground.snapshot.services if one.service.kind == "forge"]
    if not forges:
        return Look(state="done", detail=f"{service.name} is on its own: no layout is needed")
    if there and (not asked or asked in there):
        return Look(state="done", detail=f"the config has {', '.join(there)}")
    card = ground.card.uuid
    apart = [one.name for one in forges if card not in {one.gpu_expected_uuid, one.gpu_uuid}]
    plans = {
        "exclusive": (*apart, service.name),
        "dual": (*(one.name for one in forges), service.name),
    }
    fits = {name: _trial(ground, name, names) for name, names in plans.items()}
    chosen = asked or ("dual" if fits["dual"].verdict == "resident" else "exclusive")
    found = tuple(f"{name}: {', '.join(plans[name])}: {fit.reason}" for name, fit in fits.items())
    cards = tuple(_sum_line(fits[chosen]))
    if fits[chosen].verdict == "refused":
        return Look(
            state="blocked", detail=f"{chosen} does not fit: {fits[chosen].reason}", found=found
        )
    return Look(
        state="needed",
        detail=f"{chosen}: {', '.join(plans[chosen])}",
        found=found,
        proposes=(*cards, f"`gpuconsole switch {chosen}` runs it, whenever you like"),
        values={dotted(("layouts", chosen, "services")): list(plans[chosen])},
    )


def _trial(ground: Ground, name: str, names: tuple[str, ...]) -> LayoutFit:
    """Give the verdict of a layout that the config does not have yet."""
    made = ground.draft.session({name: LayoutSettings(services=names)})
    return fit_layout(made, ground.snapshot, name)


def _sum_line(fit: LayoutFit) -> Iterator[str]:
    for one in fit.cards:
        need, have = one.need_bytes, one.available_bytes
        shown = "not known" if isinstance(need, Unknown) else format_bytes(need)
        room = "not known" if isinstance(have, Unknown) else format_bytes(have)
        yield f"{one.gpu_name}: {' + '.join(one.services)} need {shown} of {room}"
