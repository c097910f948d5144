"""From cards to the rows that are published: who each one is, and those that are no longer here."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from console.gpu.card import Card
from console.gpu.cuda_order import SpeedFacts
from console.gpu.faults import state
from console.gpu.snapshot import Gpu
from console.unknown import Unknown

KEPT_WHEN_LOST = frozenset(
    {
        "uuid",
        "index",
        "cuda_ordinal",
        "pci_bus_id",
        "name",
        "compute_capability",
        "memory_total_bytes",
    }
)
MOST_GONE = 32


class Rows:
    """Remembers cards from pass to pass, by UUID.

    A card whose UUID cannot be read goes by the UUID that was last seen at its index, if no other
    card has it, else by `index-N`, which no real UUID looks like.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Gpu] = {}

    def place(
        self,
        cards: Sequence[Card],
        values: Sequence[Mapping[str, Any]],
        ordinals: Mapping[int, int | Unknown],
    ) -> dict[str, Gpu]:
        """Give all rows by identity: the driver's cards in its order, then those it lost.

        Args:
            cards: all cards the driver lists.
            values: live fields of each; empty for one that does not answer.
            ordinals: CUDA ordinals by index.
        """
        rows: dict[str, Gpu] = {}
        for card, live in zip(cards, values, strict=True):
            uuid = self._identity(card, cards)
            uuid = f"index-{card.index}" if uuid in rows else uuid
            rows[uuid] = self._row(uuid, card, live, ordinals)
        gone = [
            lose(row, state("gone"))
            for uuid, row in self._rows.items()
            if uuid not in rows and not uuid.startswith("index-")
        ]
        rows.update((row.uuid, row) for row in gone[-MOST_GONE:])
        self._rows = rows
        return rows

    def _identity(self, card: Card, cards: Sequence[Card]) -> str:
        if card.uuid:
            return card.uuid
        present = {other.uuid for other in cards}
        before = [
            uuid
            for uuid, row in self._rows.items()
            if row.index == card.index and uuid not in present
        ]
        return before[0] if before else f"index-{card.index}"

    def _row(
        self,
        uuid: str,
        card: Card,
        live: Mapping[str, Any],
        ordinals: Mapping[int, int | Unknown],
    ) -> Gpu:
        if card.lost is not None and uuid in self._rows:
            return structs.replace(lose(self._rows[uuid], card.lost), index=card.index)
        reason = state("not-read-yet") if card.lost is None else card.lost
        blank: dict[str, Any] = dict.fromkeys(Gpu.__struct_fields__, reason)
        static = {key: value for key, value in card.static.items() if key in blank}
        facts: dict[str, Any] = {**blank, **static, **live}
        facts.update(uuid=uuid, index=card.index, lost=card.lost)
        facts["cuda_ordinal"] = ordinals.get(card.index, reason)
        return Gpu(**facts)


def lose(row: Gpu, reason: Unknown) -> Gpu:
    """Give a card's row as it stays while it does not answer: who it is, and why no more."""
    facts: dict[str, Any] = dict.fromkeys(row.__struct_fields__, reason)
    facts.update((field, getattr(row, field)) for field in KEPT_WHEN_LOST)
    return Gpu(**facts)


def speed_facts(card: Card) -> SpeedFacts:
    """Give what CUDA's order is worked out from, of a card's static facts."""
    capability = card.static.get("compute_capability")
    major, _, minor = capability.partition(".") if capability else ("", "", "")
    return SpeedFacts(
        index=card.index,
        capability=(int(major), int(minor)) if major else None,
        cores=card.static.get("cores") or None,
        clock_mhz=card.static.get("max_clock") or None,
        model=card.static.get("name") or None,
    )
