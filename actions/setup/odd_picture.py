"""Whether a first picture is one at all: not of one colour, and not just what was sent."""

from pathlib import Path

from console.errors import ConsoleError

_BOX = (48, 48)
_SHADES = 6
"""Channels that differ by no more than this all over are one colour to everybody."""


def oddity(made: Path, source: Path | None) -> str:
    """Say what is odd about a picture that was made of another; empty where nothing is.

    Only a small one of each is looked at: a picture that fails so fails all over.
    """
    from console.pictures.small import small

    try:
        seen = small(made, _BOX)
        before = small(source, _BOX) if source is not None else None
    except ConsoleError as error:
        return f"the picture cannot be looked at: {error.title}"
    channels = [seen.rgb[at::3] for at in range(3)]
    if all(max(one) - min(one) <= _SHADES for one in channels):
        return f"the picture is {_colour(channels)} all over"
    if before is not None and before.rgb == seen.rgb:
        return "the picture is just as it was sent: nothing of it has changed"
    return ""


def _colour(channels: list[bytes]) -> str:
    """Name a colour where it tells something: black is what numbers that overflow come to."""
    if max(map(max, channels)) <= _SHADES:
        return "black"
    return "of one colour"
