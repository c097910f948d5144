"""Which PyTorch a card needs, and whether a route runs on it at all."""

import msgspec

from actions.setup.files.filling import versions
from actions.setup.files.wanted import Card, SetupFilesError


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
    least = versions()["routes"][route].get("min_capability", "")
    if least and card.capability and number(card.capability) < number(least):
        raise SetupFilesError(
            "setup.card-lacks",
            f"{route} needs compute capability {least}; {card.name} has {card.capability}",
            "Take a GGUF variant for this card: `gpuconsole models fit` lists them",
        )


def number(capability: str) -> tuple[int, ...]:
    """Give a capability as numbers that compare; what is no number counts as 0."""
    return tuple(int(part) if part.isdecimal() else 0 for part in capability.split("."))
