"""Where pictures stand on a screen: one alone, or two side by side that a key flips."""

from typing import NamedTuple

PAIR_FROM = 52
"""Columns from which two pictures stand side by side; below, one is shown and a key flips."""
PAIR_GAP = 2

Source = str | bytes
"""A picture: the path of its file, or its bytes."""


class Frame(NamedTuple):
    """A rectangle of the screen for a picture.

    Attributes:
        name: of its widget, which is kept; another one on the screen has another name.
        x, y, width, height: in cells; the caption takes the first row where there is one.
        source: path or bytes; None where there is no picture, or none yet.
        caption: what it is, such as `before`.
        note: what is said where there is no picture.
        version: another number says that the file has other content now, such as a live picture;
            until that is read the last picture stays.
    """

    name: str
    x: int
    y: int
    width: int
    height: int
    source: Source | None
    caption: str = ""
    note: str = ""
    version: int = 0


def pair(before: Frame, after: Frame, flipped: bool = False) -> tuple[Frame, ...]:
    """Give two pictures on one rectangle: side by side, or where that is narrow the one.

    Args:
        before: at the left; its rectangle is the one of both.
        after: at the right; the one that is shown where there is no room for two.
        flipped: `before` is shown where there is no room for two; where there is, they change
            places, so that the eye can compare on one spot.
    """
    x, y, width, height = before.x, before.y, before.width, before.height
    first, second = (after, before) if flipped else (before, after)
    if width < PAIR_FROM:
        shown = before if flipped else after
        return (shown._replace(x=x, y=y, width=width, height=height),)
    half = (width - PAIR_GAP) // 2
    return (
        first._replace(x=x, y=y, width=half, height=height),
        second._replace(x=x + half + PAIR_GAP, y=y, width=half, height=height),
    )
