"""The layouts: what each would run, on which card, whether it fits together, which runs now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from actions.fit.model import Fit
from actions.snapshot import HostSnapshot
from console.config.schema import LayoutSettings
from console.errors import ConsoleError
from console.gpu.snapshot import Gpu
from console.units import format_gib
from console.unknown import Unknown
from screens.tui.bars import bar
from screens.tui.details import head, pair
from screens.tui.paint import (
    BLANK,
    UNKNOWN,
    Line,
    Span,
    clickable,
    fit,
    left,
    on,
    right,
    text_width,
    wrap,
)
from screens.tui.panels.cards import card_name
from screens.tui.panels.precheck import VERDICT_WORDS, verdict_role
from screens.tui.service_words import STATES
from screens.tui.view import Scene
from screens.tui.words import place_text

if TYPE_CHECKING:
    from actions.fit.layout import CardSum, LayoutFit

NAME = 24


def runs_now(snapshot: HostSnapshot, layouts: Mapping[str, LayoutSettings]) -> tuple[str, ...]:
    """Give the layouts whose services all run while no other layout's service does.

    A service that nobody reaches, and of whose container nothing is known, is not said to run.
    """
    up = {
        one.name
        for one in snapshot.services
        if one.up and (one.container_id or one.state != "unreachable")
    }
    concerned = {name for layout in layouts.values() for name in layout.services}
    return tuple(name for name, layout in layouts.items() if set(layout.services) == up & concerned)


def layout_list(
    scene: Scene,
    layouts: Mapping[str, LayoutSettings],
    selected: str,
    fits: Mapping[str, LayoutFit | None],
    top: int,
    width: int,
    height: int,
) -> list[Line]:
    """Give the head and one line a layout, `height` lines in all."""
    now = runs_now(scene.snapshot, layouts)
    place = place_text(top, height - 1, len(layouts))
    size = max(8, min(NAME, max((text_width(name) for name in layouts), default=8)))
    titles = f"   {left('layout', size)}  fits      now       services  {place}".rstrip()
    lines: list[Line] = [fit((Span(titles, "dim"),), width)]
    for name in list(layouts)[top : top + height - 1]:
        found = fits.get(name)
        verdict = found.verdict if found is not None else None
        word = verdict if isinstance(verdict, str) else UNKNOWN if verdict is not None else "…"
        running = left("runs" if name in now else "", 10)
        line = fit(
            (
                Span(" ▸ " if name == selected else "   ", "title"),
                Span(left(name, size) + "  ", "strong"),
                Span(left(word, 10), verdict_role(verdict)),
                Span(running, "ok"),
                Span(", ".join(layouts[name].services), "text"),
            ),
            width,
        )
        line = on(line, "selected") if name == selected else line
        lines.append(clickable(line, f"layout {name}"))
    return lines


def no_layouts(width: int) -> list[Line]:
    """Say what stands here once there are layouts."""
    text = (
        "No layouts yet. A layout names services that are meant to run together; write it into "
        'the config as [layouts.NAME] with services = ["…"], and Enter here switches to it.'
    )
    return [BLANK, *((Span(f"  {part}", "dim"),) for part in wrap(text, width - 4))]


def layout_details(
    scene: Scene,
    name: str,
    layout: LayoutSettings,
    found: LayoutFit | None,
    trouble: ConsoleError | None,
    width: int,
) -> list[Line]:
    """Give what a layout would be like on a host with nothing else on it."""
    lines: list[Line] = [BLANK, (Span(f"  {name}", "title"),)]
    if trouble is not None:
        text = f"{trouble.title}; {trouble.hint}" if trouble.hint else trouble.title
        return lines + [(Span("  "), Span(part, "warning")) for part in wrap(text, width - 4)]
    if found is None:
        return [*lines, (Span("  working out whether it fits together …", "dim"),)]
    lines += _verdict(found, width)
    by_name = {one.service: one for one in found.fits}
    gpus = {gpu.uuid: gpu for gpu in scene.snapshot.gpu.gpus}
    for card in found.cards:
        fits = [by_name[name] for name in card.services if name in by_name]
        lines += _card(gpus.get(card.gpu_uuid), card, fits, width)
    placed = {name for card in found.cards for name in card.services}
    rest = [member for member in layout.services if member not in placed]
    if rest:
        lines += head("On no card, as far as known")
        lines += [(Span(f"  {member}"),) for member in rest]
    states = {one.name: one.state for one in scene.snapshot.services}
    lines += head("Now")
    for member in layout.services:
        symbol, role, word = STATES.get(states.get(member, ""), ("✖", "error", "no such service"))
        lines.append((Span(f"  {symbol} ", role), Span(left(member, NAME)), Span(word, role)))
    lines += [
        BLANK,
        (Span("  ↵ plans the switch: what stops, what starts, in which order", "dim"),),
    ]
    return lines


def _verdict(found: LayoutFit, width: int) -> list[Line]:
    verdict = found.verdict
    if isinstance(verdict, Unknown):
        text, role = f"{UNKNOWN} not known: {verdict.title}", "warning"
    else:
        text = f"{VERDICT_WORDS.get(verdict, verdict)}: {found.reason}"
        role = verdict_role(verdict)
    return [(Span("  "), Span(part, role)) for part in wrap(text, width - 4)]


def _card(gpu: Gpu | None, card: CardSum, fits: Sequence[Fit], width: int) -> list[Line]:
    """Give a card with a bar of what the layout's services need together, and each of them."""
    named = f"GPU {gpu.index}  {card_name(gpu)}" if gpu is not None else card.gpu_name
    lines = head(named or card.gpu_uuid)
    need, room = card.need_bytes, card.available_bytes
    if isinstance(need, Unknown) or isinstance(room, Unknown):
        why = need if isinstance(need, Unknown) else room
        lines += pair("in all", why, width)
    else:
        too_much = need > room
        columns = max(8, min(40, width - 34))
        filled, track = bar(need / room if room else 1.0, columns)
        lines.append(
            (
                Span("  "),
                Span(filled, "bar-error" if too_much else "bar"),
                Span(track, "track"),
                Span(f"  {format_gib(need)} of {format_gib(room)} GiB", "strong"),
                Span("  ▲ too much" if too_much else "", "error"),
            )
        )
    for one in fits:
        lines += _member(one, width)
    return lines


def _member(one: Fit, width: int) -> list[Line]:
    use = one.expected_use_bytes
    size = UNKNOWN if isinstance(use, Unknown) else format_gib(use)
    word = one.verdict if isinstance(one.verdict, str) else f"{UNKNOWN} not known"
    lines: list[Line] = [
        (
            Span(f"  {left(one.service, NAME)}"),
            Span(right(size, 6) + "  ", "strong"),
            Span(left(word, 10), verdict_role(one.verdict)),
            Span(one.variant, "dim"),
        )
    ]
    if one.verdict != "resident" and one.reason:
        lines += [(Span("    "), Span(part, "dim")) for part in wrap(one.reason, width - 6)]
    return lines
