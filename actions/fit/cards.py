"""Which card a person means on the command line."""

from collections.abc import Sequence

from actions.services.placement import card_words, expected_gpu
from console.errors import UnreachableError, UsageError
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.text import clean_line
from console.unknown import Unknown


def pick_card(text: str, gpus: Sequence[Gpu]) -> Gpu:
    """Give the card of a driver index, a UUID, or a part of a name that only one card has.

    Raises:
        UsageError: no card is that, or more than one.
    """
    word = text.strip()
    if word.isascii() and word.isdecimal() and len(word) < 4:
        by_index = [gpu for gpu in gpus if gpu.index == int(word)]
        if by_index:
            return by_index[0]
        if len(word) == 1:  # no part of a name: `9` would mean an RTX 3090
            here = ", ".join(card_words(gpu) for gpu in gpus)
            raise UsageError(
                "gpu.not-here", f"there is no card {word}", f"name one of these: {here}"
            )
    found = expected_gpu(clean_line(word, 200), gpus)
    if isinstance(found, str):
        return next(gpu for gpu in gpus if gpu.uuid == found)
    why = Unknown("gpu.not-here", "no card is named") if found is None else found
    hint = why.hint.replace("set gpu to", "name")
    raise UsageError(why.code, why.title, hint)


def cards_of(snapshot: GpuSnapshot) -> tuple[Gpu, ...]:
    """Give the host's cards.

    Raises:
        UnreachableError: there are none, or the driver does not tell.
    """
    if snapshot.gpus:
        return snapshot.gpus
    why = snapshot.problem
    if why is None:
        why = Unknown("gpu.none", "the driver tells of no card")
    raise UnreachableError(why.code, why.title, why.hint)
