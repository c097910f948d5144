"""The step `layout`: what runs together on ComfyUI's card, and what takes turns."""

from collections.abc import Iterator
from typing import Any

from actions.fit.layout import LayoutFit, fit_layout
from actions.fit.model import WayOut
from actions.services.placement import card_words
from actions.setup.ground import Ground
from actions.setup.layouts import (
    DUAL,
    EXCLUSIVE,
    Together,
    budget_values,
    forges,
    layout_values,
    unsaid_beside,
)
from actions.setup.report import Ask, Look, Option
from actions.setup.words import words
from console.errors import UsageError

_TITLES = {
    EXCLUSIVE: "ComfyUI has its card for itself",
    DUAL: "ComfyUI and Forge share a card",
}


def look_at_layout(ground: Ground) -> Look:
    """Choose what runs together: ComfyUI alone on its card, or with a Forge."""
    there, asked = ground.session.config.settings.layouts, ground.answers.text("layout.name")
    if there and (not asked or asked in there):
        return _as_it_is(ground, asked)
    possible = ground.together
    several = [one.name for one in forges(ground)]
    if asked == DUAL and not several:
        return Look(
            state="blocked",
            detail="dual has a Forge beside ComfyUI, and there is none here",
            commands=('layout.name = "exclusive" in the answers, or set a Forge up first',),
            layouts=_drawn(possible),
        )
    advised = ground.advised_layout
    # Where each has a card of its own, the two layouts are the same.
    chosen = next((one for one in possible if one.name == ground.layout), possible[0])
    name = asked or chosen.name
    asks = (_ask(possible, advised.name, name), *_budget_asks(ground))
    found = tuple(_found(ground, possible))
    if chosen.fit.verdict == "refused":
        ways = tuple(_way(one) for one in chosen.fit.ways_out)
        if not ways and name == DUAL:
            ways = ('layout.name = "exclusive" in the answers: they take turns',)
        asks += tuple(_variant_asks(ground, chosen))
        return Look(
            state="blocked", detail=f"{name} does not fit: {chosen.fit.reason}", found=found,
            commands=ways, asks=asks, layouts=_drawn(possible),
        )  # fmt: skip
    detail = f"{name}: {', '.join(chosen.services)}"
    proposes = []
    if name == advised.name:
        proposes.append(f"{name} is advised: {advised.why}")
    else:
        proposes.append(f"{advised.name} would be advised: {advised.why}")
    proposes += _left_out(chosen, several, card_words(ground.card))
    values = {**budget_values(ground), **_values(ground)}
    if values:
        proposes.append(f"`gpuconsole switch {name}` runs it, whenever you like")
    elif not several:
        detail = f"{chosen.services[0]} is on its own: no layout is needed"
    return Look(
        state="needed" if values else "done", detail=detail, found=found, proposes=tuple(proposes),
        values=values, asks=asks, layouts=_drawn(possible),
    )  # fmt: skip


def _values(ground: Ground) -> dict[str, Any]:
    """Give the layout for the config; a ComfyUI that is to be made gets it with its own section."""
    return layout_values(ground) if ground.service is not None else {}


def _budget_asks(ground: Ground) -> Iterator[Ask]:
    """Ask what Forges on the card need, where neither config nor variant says it."""
    unsaid = unsaid_beside(ground)
    answered = ground.answers.text("layout.forge_vram")
    if not unsaid:
        return
    usual = words().forge_vram
    yield Ask(
        key="layout.forge_vram",
        title=f"How much VRAM does {', '.join(one.name for one in unsaid)} need?",
        kind="text",
        value=answered,
        options=tuple(Option(value=size, title=size, detail=what) for size, what in usual.items()),
        about="What it takes while it paints; without it nobody can tell what fits beside it.",
    )


def _as_it_is(ground: Ground, asked: str) -> Look:
    """Give the layouts that the config has, with their verdicts."""
    fits, found = [], []
    for name in ground.session.config.settings.layouts:
        try:
            fit = fit_layout(ground.session, ground.snapshot, name)
        except UsageError as error:  # it names a service that is not here
            found.append(f"{name}: {error.title}")
            continue
        fits.append(fit)
        found.append(f"{name}: {', '.join(one.service for one in fit.fits)}")
    names = ", ".join(ground.session.config.settings.layouts)
    possible = ground.together
    asks = (_ask(possible, ground.advised_layout.name, asked or ground.layout),)
    return Look(
        state="done",
        detail=f"the config has {asked or names}",
        found=tuple(found),
        asks=asks if len(possible) > 1 else (),
        layouts=tuple(fits),
    )


def _ask(possible: tuple[Together, ...], advised: str, value: str) -> Ask:
    return Ask(
        key="layout.name",
        title="What runs together?",
        value=value,
        options=tuple(
            Option(
                value=one.name, title=_TITLES[one.name], detail=one.fit.reason,
                recommended=one.name == advised,
            )
            for one in possible
        ),
        about="What is in no layout together takes turns: one is stopped, then the other started.",
    )  # fmt: skip


def _drawn(possible: tuple[Together, ...]) -> tuple[LayoutFit, ...]:
    return tuple(one.fit for one in possible)


def _found(ground: Ground, possible: tuple[Together, ...]) -> Iterator[str]:
    """Say what is in each layout, and what ComfyUI loads there; how it fits is drawn."""
    for one in possible:
        loads = f"; {ground.name} loads {one.variant}" if one.variant else ""
        yield f"{one.name}: {', '.join(one.services)}{loads}"


def _way(way: WayOut) -> str:
    if way.kind == "variant":
        return f'{way.title}: service.variant = "{way.target}" in the answers'
    return f"{way.title}: {way.command}" if way.command else way.title


def _variant_asks(ground: Ground, chosen: Together) -> Iterator[Ask]:
    """Let another variant be taken, where that is what keeps the layout from fitting."""
    ways = [one for one in chosen.fit.ways_out if one.kind == "variant"]
    if ways and ground.answers.text("service.variant"):
        yield Ask(
            key="service.variant",
            title=f"Load another variant in {ground.name}?",
            kind="text",
            value=chosen.variant,
            options=tuple(
                Option(value=one.target, title=one.title, detail=one.detail) for one in ways
            ),
        )


def _left_out(chosen: Together, several: list[str], card: str) -> Iterator[str]:
    out = [name for name in several if name not in chosen.services]
    if out:
        yield f"{', '.join(out)} takes turns with ComfyUI on {card}"
