"""The pre-check of a layout: do its services fit together, each with the others awake."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from actions.fit.answer import answer, rank
from actions.fit.case import Ask, Case, open_case, status_named
from actions.fit.holders import card_of
from actions.fit.model import Fit, WayOut
from actions.fit.room import room_on
from actions.fit.ways import others_like, variant_way
from actions.services.placement import card_words, expected_gpu
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.errors import UsageError
from console.models.catalog import Variant
from console.units import format_bytes
from console.unknown import Unknown


class CardSum(msgspec.Struct, frozen=True, kw_only=True):
    """What the services of a layout need together on one card; sizes in bytes.

    Attributes:
        services: that share it, in the layout's order.
        need_bytes: what all of them take when they work, and the largest reserve once.
        available_bytes: on that card with nothing of ours on it.
        clash: the fewest of them that do not fit together resident; empty where all do.
    """

    gpu_uuid: str
    gpu_name: str
    services: tuple[str, ...]
    need_bytes: int | Unknown
    available_bytes: int | Unknown
    clash: tuple[str, ...] = ()


class LayoutFit(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of a whole layout.

    Attributes:
        layout: its name.
        verdict: the worst of its services'; Unknown where one cannot be told and none is refused.
        reason: in one sentence, with the numbers where it is not resident.
        fits: one for each service, in the layout's order, with all others of it awake.
        cards: one for each card that it uses.
        ways_out: another variant for one of its services, where that makes it a better verdict;
            the first refused fit has them too.
    """

    layout: str
    verdict: str | Unknown
    reason: str
    fits: tuple[Fit, ...] = ()
    cards: tuple[CardSum, ...] = ()
    ways_out: tuple[WayOut, ...] = ()


def fit_layout(session: Session, snapshot: HostSnapshot, layout: str) -> LayoutFit:
    """Give the verdict of a layout on a host where nothing else of ours runs.

    The layout's own variants and cards count in place of the services'.

    Raises:
        UsageError: there is no such layout, or no such service in it.
    """
    found = session.settings.layouts.get(layout)
    if found is None:
        names = ", ".join(session.settings.layouts) or "none"
        raise UsageError(
            "layout.unknown", f"there is no layout {layout!r}", f"Layouts in the config: {names}"
        )
    case = open_case(session, snapshot)
    gpus = {}
    for name, wanted in found.gpus.items():
        where = expected_gpu(wanted, snapshot.gpu.gpus)
        if where is not None:
            gpus[name] = where
    plan = _Wanted(tuple(dict.fromkeys(found.services)), found.variants, gpus)
    fits = _fits(case, plan)
    worst = _worst(fits)
    cards = _cards(case, fits)
    ways = tuple(_ways(case, plan, worst)) if worst is not None else ()
    return LayoutFit(
        layout=layout,
        verdict="resident" if worst is None else worst.verdict,
        reason=_reason(worst, cards, case),
        fits=tuple(
            msgspec.structs.replace(fit, ways_out=ways) if fit is worst and ways else fit
            for fit in fits
        ),
        cards=cards,
        ways_out=ways,
    )


class _Wanted(NamedTuple):
    """A layout with its cards found."""

    names: tuple[str, ...]
    variants: Mapping[str, str]
    gpus: Mapping[str, str | Unknown]


def _fits(case: Case, plan: _Wanted) -> tuple[Fit, ...]:
    return tuple(answer(case, _ask(case, name, plan)) for name in plan.names)


def _worst(fits: Sequence[Fit]) -> Fit | None:
    # Of those that cannot be told, the one without a card is why the others cannot.
    return max(fits, key=lambda fit: (rank(fit.verdict), not fit.gpu_uuid), default=None)


def _ways(case: Case, plan: _Wanted, worst: Fit) -> Iterator[WayOut]:
    """Try other variants for each service: the best that is on disk, and the best of all."""
    if not isinstance(worst.verdict, str) or worst.verdict == "resident":
        return
    for name in plan.names:
        loads = plan.variants.get(name) or status_named(case.snapshot, name).service.variant
        own = case.catalog.variant(loads)
        if own is None:
            continue
        for on_disk in (True, False):
            best: tuple[int, Variant, Fit] | None = None
            for variant in others_like(case, own, on_disk=on_disk):
                changed = plan._replace(variants={**plan.variants, name: variant.id})
                then = _worst(_fits(case, changed))
                if then is None or rank(then.verdict) >= rank(worst.verdict):
                    continue
                if best is None or rank(then.verdict) < best[0]:
                    best = (rank(then.verdict), variant, then)
                if then.verdict == "resident":
                    break
            if best is not None:
                yield variant_way(case, best[1], best[2], name, on_disk=on_disk)


def _ask(case: Case, name: str, plan: _Wanted) -> Ask:
    status = status_named(case.snapshot, name)
    where = plan.gpus.get(name, card_of(case, status))
    return Ask(
        gpu_uuid="" if where is None else where,
        status=status,
        variant=plan.variants.get(name, ""),
        empty=True,
        started=frozenset(plan.names) - {name},
        variants=plan.variants,
        gpus=plan.gpus,
    )


def _cards(case: Case, fits: Sequence[Fit]) -> tuple[CardSum, ...]:
    uuids = dict.fromkeys(fit.gpu_uuid for fit in fits if fit.gpu_uuid)
    return tuple(_card(case, uuid, [fit for fit in fits if fit.gpu_uuid == uuid]) for uuid in uuids)


def _card(case: Case, uuid: str, fits: Sequence[Fit]) -> CardSum:
    room = room_on(case, Ask(gpu_uuid=uuid, empty=True))
    return CardSum(
        gpu_uuid=uuid,
        gpu_name=room.gpu_name,
        services=tuple(fit.service for fit in fits),
        need_bytes=_together(fits),
        available_bytes=room.available,
        clash=_clash(fits, room.available),
    )


def _together(fits: Sequence[Fit]) -> int | Unknown:
    """Add up what services take, and the largest reserve once."""
    whole, reserve = 0, 0
    for fit in fits:
        if isinstance(fit.expected_use_bytes, Unknown):
            return fit.expected_use_bytes
        if isinstance(fit.need_bytes, Unknown):
            return fit.need_bytes
        whole += fit.expected_use_bytes
        reserve = max(reserve, fit.need_bytes - fit.expected_use_bytes)
    return whole + reserve


def _clash(fits: Sequence[Fit], available: int | Unknown) -> tuple[str, ...]:
    """Give the fewest services that are too much for the card together."""
    if isinstance(available, Unknown):
        return ()
    told = [fit for fit in fits if isinstance(fit.need_bytes, int)]
    for count in range(1, len(told) + 1):
        for several in combinations(told, count):
            need = _together(several)
            if isinstance(need, int) and need > available:
                return tuple(fit.service for fit in several)
    return ()


def _reason(worst: Fit | None, cards: Sequence[CardSum], case: Case) -> str:
    if worst is None:
        return "no service is in it"
    if worst.verdict == "resident":
        return "all of it stays resident together"
    for card in cards:
        if card.gpu_uuid == worst.gpu_uuid and len(card.clash) > 1:
            return _clash_words(card, case)
    return f"{worst.service}: {worst.reason}"


def _clash_words(card: CardSum, case: Case) -> str:
    gpu = next(one for one in case.snapshot.gpu.gpus if one.uuid == card.gpu_uuid)
    together = " and ".join(card.clash)
    need = card.need_bytes
    all_of = "" if len(card.clash) == len(card.services) else f"; all {len(card.services)} of it"
    numbers = f" need {format_bytes(need)}" if isinstance(need, int) else ""
    available = card.available_bytes
    has = f", there are {format_bytes(available)}" if isinstance(available, int) else ""
    return f"{together} do not fit together on {card_words(gpu)}{all_of}:{numbers}{has}"
