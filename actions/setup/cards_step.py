"""The step `cards`: which there are, how they are counted, and which one ComfyUI gets."""

from collections.abc import Iterator, Sequence

from actions.fit.cards import cards_of
from actions.services.placement import card_words
from actions.setup.ground import Ground
from actions.setup.report import Look
from console.gpu.snapshot import Gpu
from console.units import format_bytes
from console.unknown import known


def look_at_cards(ground: Ground) -> Look:
    """Say which cards there are, how driver and CUDA count them, and which one ComfyUI gets."""
    cards = cards_of(ground.snapshot.gpu)
    found = tuple(_card_line(one) for one in cards)
    card = ground.card
    proposes = [f"{card_words(card)} for ComfyUI", *_order_words(cards)]
    if ground.bears(card):
        return Look(
            state="done", detail=f"{card_words(card)} for ComfyUI", found=found,
            proposes=tuple(proposes),
        )  # fmt: skip
    nearest = min(
        (one for one in ground.fits if one.gpu_uuid == card.uuid),
        key=lambda one: one.need_bytes if isinstance(one.need_bytes, int) else 1 << 62,
    )
    return Look(
        state="blocked",
        detail=f"{card_words(card)} is too small for every variant; the least of them, "
        f"{nearest.variant}: {nearest.reason}",
        found=found,
        commands=tuple(_other_cards(ground, cards)),
    )


def _other_cards(ground: Ground, cards: Sequence[Gpu]) -> Iterator[str]:
    able = [one for one in cards if ground.bears(one)]
    for one in able:
        yield f'{card_words(one)} would do: service.gpu = "{one.uuid}" in the answers'
    if not able:
        least = min(one.min_card_bytes for one in ground.session.catalog.variants)
        yield f"a card of {least / 1e9:.0f} GB or more; `gpuconsole models fit --empty` says why"
    yield "what else holds memory on it, such as a desktop, may be moved to another card"


def _card_line(one: Gpu) -> str:
    size = one.memory_total_bytes
    cuda = one.cuda_ordinal if known(one.cuda_ordinal) else "?"
    shown = format_bytes(size) if known(size) else "size not known"
    return f"{card_words(one)}: {shown}, driver {one.index}, CUDA {cuda}, {one.uuid}"


def _order_words(cards: Sequence[Gpu]) -> Iterator[str]:
    """Explain the trap of the order on these very cards."""
    for one in cards:
        if known(one.cuda_ordinal) and one.cuda_ordinal != one.index:
            yield (
                f"{card_words(one)} is card {one.index} of the driver and, as CUDA counts without "
                f"CUDA_DEVICE_ORDER=PCI_BUS_ID, card {one.cuda_ordinal}: a bare number may mean "
                "the wrong one, so the config names cards by name or UUID"
            )
            return
