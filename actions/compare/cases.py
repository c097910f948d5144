"""Which edits a comparison makes, and in which order: variants one after another."""

from collections.abc import Sequence

from actions.compare.model import COLD, MORE, WARM, Shot
from console.errors import UsageError

_SHORTEST_LIMIT = 2**32
"""Seeds end at this (Forge), at 2**53 or at 2**64: always at a power of two."""


def shots_of(
    variants: Sequence[int], seeds: Sequence[int], steps: Sequence[int | None] = (None,)
) -> tuple[Shot, ...]:
    """Give the edits of a comparison in their order.

    Every variant makes a picture for each seed and number of steps. The first of them runs cold,
    with the model unloaded before, and is followed by a warm one of a seed that nobody asked for:
    with a seed that a service has had, it computes nothing and gives the picture it has.

    Args:
        variants: the places of those that are to run.
        seeds: at least one, each once.
        steps: at least one; None for the variant's own number.
    """
    spare = spare_seed(seeds)
    found: list[Shot] = []
    for variant in variants:
        for place, (number, seed) in enumerate((n, s) for n in steps for s in seeds):
            why = MORE if place else COLD
            found.append(_shot(found, variant, why, seed, number))
            if not place:
                found.append(_shot(found, variant, WARM, spare, number))
    return tuple(found)


def spare_seed(seeds: Sequence[int]) -> int:
    """Give the next seed that is not among those asked for."""
    seed = seeds[0]
    while seed in seeds:
        seed += 1
        if seed >= _SHORTEST_LIMIT and seed.bit_count() == 1:
            seed = 0
    return seed


def checked_once(name: str, values: Sequence[int]) -> tuple[int, ...]:
    """Give numbers as they were asked for.

    Raises:
        UsageError: one is there twice (`compare.twice`).
    """
    twice = next((one for place, one in enumerate(values) if one in values[:place]), None)
    if twice is not None:
        raise UsageError("compare.twice", f"{name} {twice} is asked for twice", "Name each once")
    return tuple(values)


def _shot(before: Sequence[Shot], variant: int, why: str, seed: int, steps: int | None) -> Shot:
    return Shot(number=len(before) + 1, variant=variant, why=why, seed=seed, steps=steps)


def edit_id(plan_id: str, number: int) -> str:
    """Give the id of the edit of a shot; the same whenever its plan is gone on with."""
    return f"{plan_id}-{number:02d}"
