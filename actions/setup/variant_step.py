"""The step `variant`: what ComfyUI loads, by what fits its card and the host's RAM."""

from collections.abc import Iterator
from typing import Any

import msgspec

from actions.fit.model import Fit
from actions.services.placement import card_words, expected_gpu
from actions.setup.disagreement import disagreement
from actions.setup.draft import missing, other
from actions.setup.ground import Ground
from actions.setup.layouts import DUAL
from actions.setup.report import Ask, Look
from actions.setup.variant_table import able_choices, loaded_bytes, variant_options, variant_table
from console.config.load import dotted
from console.gpu.snapshot import Gpu
from console.units import format_bytes
from console.unknown import Unknown, known

_ANSWERED = {"gpu": "service.gpu", "variant": "service.variant"}


def look_at_variant(ground: Ground) -> Look:
    """Choose the variant that ComfyUI loads, where the config does not say it yet.

    What is chosen for a ComfyUI that is only to be made stays an answer: the step that makes it
    writes it.
    """
    card, ident = ground.card, ground.variant
    advised = _advised(ground)
    if not ident:
        return Look(
            state="blocked",
            detail=f"no variant for {ground.answers.text('edit.workflow')} runs on "
            f"{card_words(card)}",
            commands=("`gpuconsole models fit --empty` says why, with the ways out",),
        )
    several = able_choices(ground, card, ident)
    table = variant_table(ground, several, advised)
    asks = (
        Ask(
            key="service.variant",
            title=f"What does {ground.name} load?",
            kind="text",
            value=ident,
            options=variant_options(ground, several, advised),
            about="Quality is a place in its family, 1 the best. `gpuconsole models list` has all.",
        ),
    )
    found = tuple(_found(ground, card))
    detail = f"{ground.name} loads {ident} on {card_words(card)}"
    fit = ground.card_fits.get(ident)
    if fit is not None and fit.verdict == "refused":
        return Look(
            state="blocked", detail=f"{detail}: {fit.reason}", found=found, table=table, asks=asks,
            commands=(f'service.variant = "{advised}" in the answers would do',) if advised else (),
        )  # fmt: skip
    proposes = tuple(_why(ground, card, ident, fit))
    return _written(ground, card, ident, Look(
        state="done", detail=detail, found=found, proposes=proposes, table=table, asks=asks,
    ))  # fmt: skip


def _written(ground: Ground, card: Gpu, ident: str, look: Look) -> Look:
    """Give the look with what the config gets, where it does not say the same already."""
    if ground.service is None:
        return look
    name = ground.name
    if ground.service.service.source != "config":
        note = f"it is not kept: {name} is not in the config; the step existing takes it over"
        return _with(look, proposes=(*look.proposes, note))
    wanted = {
        dotted(("services", name, "gpu")): ground.card_named,
        dotted(("services", name, "variant")): ident,
    }
    answered = {
        key: value
        for key, value in wanted.items()
        if ground.answers.text(_ANSWERED[key.rpartition(".")[2]])
    }
    against = _against(ground, answered, card)
    if against and not ground.answers.flag("existing.replace"):
        return _shown_with(disagreement(against, answered), look)
    values = {**missing(ground.session, wanted), **{key: answered[key] for key in against}}
    return _with(look, state="needed", values=values) if values else look


def _shown_with(blocked: Look, look: Look) -> Look:
    """Give a disagreement with what there is to choose from: one of the two is to be changed."""
    return _with(
        look, state=blocked.state, detail=blocked.detail, commands=blocked.commands, proposes=(),
        asks=(*look.asks, *blocked.asks),
    )  # fmt: skip


def _with(look: Look, **changes: Any) -> Look:
    return msgspec.structs.replace(look, **changes)


def _against(ground: Ground, answered: dict[str, Any], card: Gpu) -> dict[str, str]:
    """Give what the config says otherwise; a card may be named in more than one way."""
    found = other(ground.session, answered)
    return {
        key: value
        for key, value in found.items()
        if not key.endswith(".gpu") or expected_gpu(value, ground.snapshot.gpu.gpus) != card.uuid
    }


def _advised(ground: Ground) -> str:
    """Give what would be taken if nobody said otherwise: in `dual`, what fits beside a Forge."""
    shared = next((one for one in ground.together if one.name == DUAL), None)
    if ground.layout == DUAL and shared is not None:
        answered = ground.answers.text("service.variant")
        return _best_beside(ground) if answered else shared.variant
    advised = ground.advised(ground.card)
    return advised.variant if advised is not None else ""


def _best_beside(ground: Ground) -> str:
    """Give the best variant that stays resident beside a Forge, the newest family first."""
    able = [
        one
        for one in ground.choices
        if one.family in ground.families
        and (fit := ground.card_fits.get(one.variant)) is not None
        and fit.verdict == "resident"
    ]
    able.sort(key=lambda one: (-ground.families.index(one.family), one.rank))
    return able[0].variant if able else ""


def _why(ground: Ground, card: Gpu, ident: str, fit: Fit | None) -> Iterator[str]:
    """Give the reasons for what is taken, and what is to be known of it."""
    if fit is not None:
        yield fit.reason
        if isinstance(fit.ram_need_bytes, int) and fit.ram_need_bytes:
            yield f"it streams weights and needs {format_bytes(fit.ram_need_bytes)} of host RAM"
        yield from (one for one in (fit.cost, *fit.notes) if one)
    choice = next((one for one in ground.choices if one.variant == ident), None)
    if choice is None:
        return
    if card.uuid in choice.recommended and ground.layout != DUAL:
        yield choice.recommended[card.uuid]
    if fit is not None and ground.layout == DUAL:
        beside = [
            one for each in ground.together if each.name == DUAL for one in each.services[:-1]
        ]
        yield f"beside {', '.join(beside)}, which the layout has on the same card"
    yield from choice.warnings
    yield from choice.notes


def _found(ground: Ground, card: Gpu) -> Iterator[str]:
    """Give what the choice rests on: the card's memory and the host's."""
    size = card.memory_total_bytes
    yield f"{card_words(card)}: {format_bytes(size) if known(size) else 'size not known'}"
    if loaded_bytes(ground, ground.variant):
        yield "sizes are the real files': those to fetch here are small and stand for them"
    facts = ground.snapshot.host
    if isinstance(facts, Unknown):
        return
    whole, free = facts.memory_total_bytes, facts.memory_available_bytes
    if known(whole):
        left = f", {format_bytes(free)} of it free" if known(free) else ""
        yield f"host RAM: {format_bytes(whole)}{left}; what does not fit the card streams from it"
