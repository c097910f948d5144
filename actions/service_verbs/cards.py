"""Which card a person means: by UUID, by a part of a name that one card has, or by its index."""

from collections.abc import Sequence

from console.errors import UsageError
from console.gpu.snapshot import Gpu
from console.text import clean_line
from console.unknown import known

_INDEX_DIGITS = 2


def card_named(gpus: Sequence[Gpu], text: str) -> Gpu:
    """Give the card that `text` means.

    A number of one or two digits is a driver index (nvidia-smi's) where such a card is here; a part
    of a name otherwise, such as `3090`.

    Raises:
        UsageError: no card (`gpu.unknown`) or several (`gpu.ambiguous`), with those there are.
    """
    wanted = text.strip().lower()
    by_uuid = [gpu for gpu in gpus if wanted.startswith("gpu-") and _begins(gpu, wanted)]
    by_index = [gpu for gpu in gpus if _is_index(wanted) and gpu.index == int(wanted)]
    by_name = [gpu for gpu in gpus if wanted and wanted in _name(gpu).lower()]
    found = by_uuid or by_index or by_name
    if len(found) == 1:
        return found[0]
    shown = clean_line(text, 60)
    there = "; ".join(card_line(gpu) for gpu in gpus) or "the driver shows no card"
    if found:
        raise UsageError(
            "gpu.ambiguous", f"{shown} could be {len(found)} cards", f"Say which: {there}"
        )
    title = f"There is no card {shown}" if shown else "The name of the card is empty"
    raise UsageError("gpu.unknown", title, f"There are: {there}" if gpus else there)


def card_name(gpu: Gpu) -> str:
    """Give a card's name for people; its UUID where the driver tells none."""
    return _name(gpu) or gpu.uuid


def card_line(gpu: Gpu) -> str:
    """Give what tells a card from all others: index, name, UUID."""
    return f"{gpu.index} {card_name(gpu)} ({gpu.uuid})"


def twins(gpus: Sequence[Gpu], card: Gpu) -> tuple[Gpu, ...]:
    """Give the other cards of the same name and size: what a service says fits them as well."""
    others = (gpu for gpu in gpus if gpu.uuid != card.uuid)
    return tuple(gpu for gpu in others if _name(card) == _name(gpu) != "" and _as_big(gpu, card))


def _begins(gpu: Gpu, wanted: str) -> bool:
    return gpu.uuid.lower().startswith(wanted)


def _as_big(one: Gpu, other: Gpu) -> bool:
    sizes = (one.memory_total_bytes, other.memory_total_bytes)
    return not (known(sizes[0]) and known(sizes[1])) or sizes[0] == sizes[1]


def _is_index(wanted: str) -> bool:
    return wanted.isdecimal() and len(wanted) <= _INDEX_DIGITS


def _name(gpu: Gpu) -> str:
    return str(gpu.name) if known(gpu.name) else ""
