"""CUDA's order of the cards, worked out, because nobody but CUDA itself tells it.

Without `CUDA_DEVICE_ORDER=PCI_BUS_ID` CUDA numbers cards FASTEST_FIRST: "CUDA guesses which device
is fastest using a simple heuristic, and makes that device 0, leaving the order of the rest
unspecified" (CUDA programming guide). The heuristic is not documented. What is worked out here is
by compute capability, then cores times highest clock, then PCI order, which is what CUDA is seen to
do with identical cards. How sure: certain for one card; near certain for ordinal 0 where one card
leads in both; a guess between a newer slow card and an older fast one, and for the ranks after 0.
NVML's own index is always PCI order and another thing altogether.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from console.gpu.faults import state
from console.unknown import Unknown


class SpeedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one card's speed; None is not known.

    Attributes:
        index: NVML's index, which follows PCI order.
        capability: compute capability, such as `(8, 6)`.
        cores: CUDA cores.
        clock_mhz: highest graphics clock.
        model: name of the card; cards of one model are equally fast.
    """

    index: int
    capability: tuple[int, int] | None = None
    cores: int | None = None
    clock_mhz: int | None = None
    model: str | None = None


def cuda_ordinals(cards: Sequence[SpeedFacts]) -> dict[int, int | Unknown]:
    """Give each card's CUDA ordinal by its NVML index.

    All ordinals together are a permutation of 0..n-1. Where a fact is missing that would decide,
    the cards between which it would are Unknown, with the fact's name in the hint; the others keep
    their rank.
    """
    if len(cards) == 1 or _same_model(cards):
        return {index: place for place, index in enumerate(sorted(_indexes(cards)))}
    if any(card.capability is None for card in cards):
        return dict.fromkeys(_indexes(cards), state("cuda-order-unknown", missing="the generation"))
    ordinals: dict[int, int | Unknown] = {}
    newest_first = sorted(cards, key=_generation, reverse=True)
    for _, group in groupby(newest_first, _generation):
        peers = list(group)
        ranked = _rank(peers)
        for place, index in enumerate(_indexes(ranked or peers), start=len(ordinals)):
            ordinals[index] = (
                place if ranked else state("cuda-order-unknown", missing="the cores or clocks")
            )
    return ordinals


def _rank(peers: Sequence[SpeedFacts]) -> list[SpeedFacts]:
    """Order cards of one generation, fastest first; empty where that cannot be told."""
    in_pci_order = sorted(peers, key=lambda card: card.index)
    if _same_model(peers):
        return in_pci_order
    if any(card.cores is None for card in peers):
        return []
    clocks_known = all(card.clock_mhz for card in peers)

    def speed(card: SpeedFacts) -> int:
        return (card.cores or 0) * ((card.clock_mhz or 1) if clocks_known else 1)

    return sorted(in_pci_order, key=speed, reverse=True)


def _generation(card: SpeedFacts) -> tuple[int, int]:
    return card.capability or (0, 0)


def _same_model(cards: Sequence[SpeedFacts]) -> bool:
    return len({card.model for card in cards}) == 1 and cards[0].model is not None


def _indexes(cards: Iterable[SpeedFacts]) -> list[int]:
    return [card.index for card in cards]
