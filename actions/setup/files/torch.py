"""Which PyTorch a card needs, and whether a route runs on it at all."""

import msgspec

from actions.setup.files.filling import versions
from actions.setup.files.wanted import Card, SetupFilesError
from console.models.catalog import Variant


class Torch(msgspec.Struct, frozen=True, kw_only=True):
    """A set of wheels that belong together, of one CUDA such as `cu128`."""

    version: str
    vision: str
    audio: str
    cuda: str


def torch_for(card: Card) -> Torch:
    """Give the wheels that have kernels for a card; the newest set where nobody knows the card.

    Raises:
        SetupFilesError: none has any more (`setup.card-too-old`).
    """
    for one in versions()["torch"]:
        if not card.capability or number(card.capability) >= number(one["from"]):
            return Torch(**{key: one[key] for key in Torch.__struct_fields__})
    raise SetupFilesError(
        "setup.card-too-old",
        f"{card.name} (compute capability {card.capability}) is too old for PyTorch",
        "Name another card, or run nothing on this one",
    )


def check_route(route: str, card: Card) -> None:
    """See that a card has what a route needs.

    Raises:
        SetupFilesError: it has not (`setup.card-lacks`).
    """
    ranges = versions()["routes"][route].get("runs_on", [])
    if not ranges or not card.capability:
        return
    has = number(card.capability)
    if not any(number(least) <= has <= number(most) for least, most in ranges):
        raise _lacks(route, " or ".join(f"{least} to {most}" for least, most in ranges), card)


def check_variant(variant: Variant, card: Card) -> None:
    """See that a card can run a variant's own files, such as Nunchaku's int4 or fp4.

    Raises:
        SetupFilesError: it cannot (`setup.card-lacks`).
    """
    least, most = variant.min_capability, variant.max_capability
    if not card.capability:
        return
    has = number(card.capability)
    if (least and has < number(least)) or (most and has > number(most)):
        words = f"{least} to {most}" if least and most else least or f"{most} at most"
        raise _lacks(variant.id, words, card)


def _lacks(what: str, needed: str, card: Card) -> SetupFilesError:
    return SetupFilesError(
        "setup.card-lacks",
        f"{what} needs compute capability {needed}; {card.name} has {card.capability}",
        "Take another variant for this card: `gpuconsole models fit` lists what runs on it",
    )


def number(capability: str) -> tuple[int, ...]:
    """Give a capability as numbers that compare; what is no number counts as 0."""
    return tuple(int(part) if part.isdecimal() else 0 for part in capability.split("."))
