"""The matrix: every variant on every card, now or on an empty host."""

from collections.abc import Sequence

from actions.fit.answer import answer
from actions.fit.cards import cards_of, pick_card
from actions.fit.case import Ask, open_case
from actions.fit.model import USUAL_TASK, Fit, Task
from actions.fit.ways import with_ways_out
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.models.catalog import Catalog
from console.units import MIB

TIGHT = (590 + 810) * MIB
"""What one more reference picture and a Lightning LoRA take: less to spare than that is tight."""


def matrix(
    session: Session,
    snapshot: HostSnapshot,
    variants: Sequence[str] = (),
    gpu: str | None = None,
    task: Task = USUAL_TASK,
    empty: bool = False,
    extras: tuple[str, ...] = (),
    ways_out: bool = False,
) -> tuple[Fit, ...]:
    """Give a Fit for each variant on each card, variants in the catalogue's order.

    Args:
        session: settings and catalogue.
        snapshot: the host.
        variants: ids; all of the catalogue where it is empty.
        gpu: a UUID, a driver index or a part of a name; all cards where it is None.
        task: the edit.
        empty: as if no service ran.
        extras: ids of LoRAs and ControlNets beside each variant.
        ways_out: also look for ways out.

    Raises:
        UsageError: there is no such card.
        UnreachableError: there are no cards.
    """
    case = open_case(session, snapshot)
    cards = cards_of(snapshot.gpu)
    chosen = cards if gpu is None else (pick_card(gpu, cards),)
    fits = []
    for variant in variants or tuple(one.id for one in case.catalog.variants):
        for card in chosen:
            ask = Ask(gpu_uuid=card.uuid, variant=variant, task=task, extras=extras, empty=empty)
            fit = answer(case, ask)
            fits.append(with_ways_out(case, ask, fit) if ways_out else fit)
    return tuple(fits)


def best_resident(fits: Sequence[Fit], catalog: Catalog) -> frozenset[tuple[str, str]]:
    """Give the (variant, card) of the best quality that stays resident, one a family and card.

    One that fits tightly is only taken where no other fits.
    """
    best: dict[tuple[str, str], tuple[tuple[bool, tuple[bool, int]], Fit]] = {}
    for fit in fits:
        variant = catalog.variant(fit.variant)
        if variant is None or fit.verdict != "resident":
            continue
        place = (variant.family, fit.gpu_uuid)
        order = (is_tight(fit), variant.rank)
        if place not in best or order < best[place][0]:
            best[place] = (order, fit)
    return frozenset((fit.variant, fit.gpu_uuid) for _, fit in best.values())


def is_tight(fit: Fit) -> bool:
    """Tell whether a resident variant leaves no room for one more picture and a LoRA."""
    need, available = fit.need_bytes, fit.available_bytes
    if fit.verdict != "resident" or not isinstance(need, int) or not isinstance(available, int):
        return False
    return available - need < TIGHT
