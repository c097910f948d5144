"""The step `cards`: which there are, how they are counted, and which one ComfyUI gets."""

from collections.abc import Iterator, Sequence

from actions.fit.cards import cards_of
from actions.fit.model import Fit
from actions.services.placement import card_words
from actions.setup.ground import Ground
from actions.setup.report import Ask, Look, Option, Table
from console.errors import UsageError
from console.gpu.snapshot import Gpu
from console.units import format_bytes
from console.unknown import Unknown, known

_HEAD = ("card", "memory", "nvidia-smi", "CUDA alone", "in use now", "good for")
_FOR = {
    2: "ComfyUI: a variant stays on it whole",
    1: "ComfyUI, slowly: weights stream from RAM",
    0: "no variant of the editing model; a Forge may do",
}
_KEY = "service.gpu"


def look_at_cards(ground: Ground) -> Look:
    """Say which cards there are, how driver and CUDA count them, and which one ComfyUI gets."""
    cards = cards_of(ground.snapshot.gpu)
    found = tuple(_card_line(one) for one in cards)
    table = Table(head=_HEAD, rows=tuple(_row(ground, one) for one in cards))
    try:
        card = ground.card
    except UsageError as error:
        # The question is asked all the same: it is the way out.
        return Look(
            state="blocked", detail=error.title, found=found, table=table,
            asks=(_ask(ground, cards, None),), commands=(error.hint,) if error.hint else (),
        )  # fmt: skip
    asks = (_ask(ground, cards, card),) if len(cards) > 1 else ()
    found += (*_order_words(cards), *_pinned(ground, card))
    if ground.bears(card):
        why = _why(ground, card, cards)
        return Look(
            state="done", detail=f"{card_words(card)} for ComfyUI", found=found, table=table,
            asks=asks, proposes=(why,),
        )  # fmt: skip
    return Look(
        state="blocked",
        detail=f"{card_words(card)} is too small for every variant{_least(ground, card)}",
        found=found,
        table=table,
        asks=asks,
        commands=tuple(_ways_out(ground, card, cards)),
    )


def _card_line(one: Gpu) -> str:
    return f"{card_words(one)}: {_size(one)}, {one.uuid}"


def _size(one: Gpu) -> str:
    size = one.memory_total_bytes
    return format_bytes(size) if known(size) else "size not known"


def _row(ground: Ground, one: Gpu) -> tuple[str, ...]:
    cuda = str(one.cuda_ordinal) if known(one.cuda_ordinal) else "not known"
    used = one.memory_used_bytes
    shown = format_bytes(used) if known(used) else "not known"
    names = ", ".join(_on(ground, one))
    holders = f"{shown} ({names})" if names else shown
    return (card_words(one), _size(one), str(one.index), cuda, holders, _FOR[ground.bears(one)])


def _on(ground: Ground, card: Gpu) -> Iterator[str]:
    """Give the services that are up on a card, as far as is known."""
    for one in ground.snapshot.services:
        if one.up and one.gpu_uuid == card.uuid:
            yield one.name


def _ask(ground: Ground, cards: Sequence[Gpu], card: Gpu | None) -> Ask:
    best = max(cards, key=lambda one: (ground.bears(one), _memory(one)))
    options = tuple(
        Option(
            value=one.uuid,
            title=f"{card_words(one)}, {_size(one)}",
            detail=_FOR[ground.bears(one)],
            recommended=one.uuid == best.uuid,
        )
        for one in cards
    )
    return Ask(
        key=_KEY,
        title="Which card does ComfyUI get?",
        kind="text",
        value=card.uuid if card is not None else ground.answers.text(_KEY),
        options=options,
        about="a UUID, or a part of the name that only one card has",
    )


def _why(ground: Ground, card: Gpu, cards: Sequence[Gpu]) -> str:
    """Say why just this card."""
    name = card_words(card)
    if ground.answers.text(_KEY):
        return f"{name} for ComfyUI, as it was answered"
    service = ground.service
    if service is not None and service.service.gpu:
        return f"{name} for ComfyUI, as the config has it"
    if len(cards) == 1:
        return f"{name} for ComfyUI: it is the only one"
    return f"{name} for ComfyUI: of {len(cards)} cards it bears most"


def _order_words(cards: Sequence[Gpu]) -> Iterator[str]:
    """Explain the trap of the order on these very cards."""
    if len(cards) == 1:
        yield "there is one card: its number is 0 however one counts"
        return
    driver = sorted(cards, key=lambda one: one.index)
    yield f"nvidia-smi counts by slot: {_counted((one.index, one) for one in driver)}"
    numbered = [(one.cuda_ordinal, one) for one in cards if isinstance(one.cuda_ordinal, int)]
    if len(numbered) < len(cards):
        yield "CUDA counts the fastest first; how it counts these cannot be told"
        return
    numbered.sort(key=lambda pair: pair[0])
    yield f"CUDA alone counts the fastest first: {_counted(numbered)}"
    turned = next((one for one in driver if one.cuda_ordinal != one.index), None)
    if turned is None:
        yield "here both agree; another card or driver may turn that round, so it is pinned"
        return
    meant = next(one for number, one in numbered if number == turned.index)
    yield (
        f"so a bare {turned.index} is the {_name(turned)} to nvidia-smi, "
        f"and the {_name(meant)} to ComfyUI and Forge"
    )


def _counted(pairs: object) -> str:
    return ", ".join(f"{number} {_name(one)}" for number, one in pairs)  # type: ignore[attr-defined]


def _name(one: Gpu) -> str:
    return card_words(one).partition(" (")[0]


def _pinned(ground: Ground, card: Gpu) -> Iterator[str]:
    """Say how the console pins a card on this platform."""
    facts = ground.snapshot.host
    platform = "" if isinstance(facts, Unknown) else str(facts.platform)
    if platform.startswith("wsl"):
        yield "under WSL every container sees all cards: Docker's choice of one is not honoured"
        yield (
            "so files written here say CUDA_DEVICE_ORDER=PCI_BUS_ID, which has CUDA count by slot, "
            f"and the number: --cuda-device {card.index} (ComfyUI), --gpu-device-id (Forge)"
        )
    else:
        yield (
            "files written here give the container this one card by its UUID "
            f"({card.uuid}); inside it is number 0, and CUDA_DEVICE_ORDER=PCI_BUS_ID stands there "
            "all the same"
        )
    yield "the config names the card by UUID; after the start the service itself is asked"


def _least(ground: Ground, card: Gpu) -> str:
    """Say which variant needs least, and why not even that one runs."""
    own = [one for one in ground.fits if one.gpu_uuid == card.uuid]
    if not own:
        return ""
    nearest = min(own, key=_need)
    return f"; the least of them, {nearest.variant}: {nearest.reason}"


def _need(one: Fit) -> int:
    return one.need_bytes if isinstance(one.need_bytes, int) else 1 << 62


def _ways_out(ground: Ground, card: Gpu, cards: Sequence[Gpu]) -> Iterator[str]:
    """Say what could be done about a card that is too small for everything."""
    able = [one for one in cards if one.uuid != card.uuid and ground.bears(one)]
    for one in able:
        yield f'{card_words(one)} would do: service.gpu = "{one.uuid}" in the answers'
    if not able:
        least = min(one.min_card_bytes for one in ground.session.catalog.variants)
        yield f"a card of {least / 1e9:.0f} GB or more; `gpuconsole models fit --empty` says why"
        yield "a smaller model of your own, as an entry of a catalogue (--catalog FILE)"
    yield "what else holds memory on it, such as a desktop, may be moved to another card"
    yield "more host RAM lets weights stream from it, where that is what is missing"


def _memory(card: Gpu) -> int:
    return card.memory_total_bytes if known(card.memory_total_bytes) else 0
