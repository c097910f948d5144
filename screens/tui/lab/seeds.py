"""Seeds: one that stays, the next one each time, or a new one drawn."""

import secrets

SEED_MODES = ("next", "lock", "random")
MODE_WORDS = {
    "next": "then the next",
    "lock": "locked: it stays",
    "random": "drawn anew each time",
}
LARGEST = 2**64 - 1
"""What ComfyUI takes at most."""
_DRAWN_BELOW = 2**32
"""Drawn ones stay short enough to be read out."""


def draw() -> int:
    """Draw a seed."""
    return secrets.randbelow(_DRAWN_BELOW)


def after_submission(mode: str, seed: int | None) -> int | None:
    """Give the seed of the next submission."""
    if seed is None or mode == "random":
        return None
    return seed if mode == "lock" else (seed + 1) % (LARGEST + 1)


def next_mode(mode: str, step: int = 1) -> str:
    """Give the mode after this one, around the end."""
    return SEED_MODES[(SEED_MODES.index(mode) + step) % len(SEED_MODES)]
