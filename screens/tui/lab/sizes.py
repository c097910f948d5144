"""Sizes of results: how they are typed, which are usual, and what one megapixel is about."""

import re

from actions.workflows.rules import SizeRule

_TYPED = re.compile(r"\s*(\d{1,5})\s*[xX*, ]\s*(\d{1,5})\s*", re.IGNORECASE)
USUAL: tuple[tuple[int, int] | None, ...] = (
    None,
    (1024, 1024),
    (1184, 880),
    (880, 1184),
    (1392, 752),
    (752, 1392),
    (768, 768),
)
"""About one megapixel in the usual shapes, and a small one; None is the workflow's own."""


def read_size(text: str, rule: SizeRule) -> tuple[int, int] | None:
    """Read `1024x768`; an empty text is None.

    Raises:
        ValueError: it is no size that a picture can have; the message says why.
    """
    if not text.strip():
        return None
    match = _TYPED.fullmatch(text)
    if match is None:
        raise ValueError("a size is written like 1024x768")
    size = int(match[1]), int(match[2])
    for side in size:
        if not rule.least <= side <= rule.most:
            raise ValueError(f"a side is {rule.least} to {rule.most} pixels, not {side}")
        if side % rule.step:
            near = max(rule.least, round(side / rule.step) * rule.step)
            raise ValueError(f"a side is a multiple of {rule.step}: {near}, not {side}")
    return size


def size_words(size: tuple[int, int] | None) -> str:
    """Write a size as it is typed; empty for none."""
    return f"{size[0]}x{size[1]}" if size is not None else ""


def megapixels(size: tuple[int, int]) -> str:
    """Write how many pixels a size has, such as `1.0 MP`."""
    return f"{size[0] * size[1] / 1e6:.1f} MP"


def size_remark(size: tuple[int, int] | None, rule: SizeRule) -> str:
    """Say what to think of where a size is far from one megapixel; empty where it is not."""
    if size is None:
        return ""
    pixels = size[0] * size[1]
    if pixels > rule.usual_most_pixels:
        return "more VRAM and time, and things may shift or double"
    if pixels < rule.usual_least_pixels:
        return "quicker, but fine things get lost"
    return ""


def rule_words(rule: SizeRule) -> str:
    """Explain the rule of one megapixel."""
    return (
        "The models are made for about one megapixel: 1024x1024, or as many pixels in another "
        "shape; without a size the result has the first picture's shape. "
        f"Sides are multiples of {rule.step}, {rule.least} to {rule.most}. Above "
        f"{rule.usual_most_pixels / 1e6:.1f} MP it takes more VRAM and time and things may shift; "
        f"below {rule.usual_least_pixels / 1e6:.1f} MP fine things get lost."
    )


def next_size(size: tuple[int, int] | None, step: int) -> tuple[int, int] | None:
    """Give the usual size after or before this one; from one of the operator's own, the first."""
    place = USUAL.index(size) if size in USUAL else 0
    return USUAL[max(0, min(len(USUAL) - 1, place + step))]
