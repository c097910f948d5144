"""A list with details beside or below it: how they share the screen, and what is in sight."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from screens.tui.paint import Line, Span
from screens.tui.view import Block

SIDE_FROM = 112
"""At this width the list stands at the left of the details, else above them."""
LIST_SHARE, LIST_MOST = 42, 66
"""Per cent of a wide screen that the list takes, and the columns it takes at most."""


class Split(NamedTuple):
    """Height and width of the list (0 where there is none), and where the details begin."""

    height: int
    width: int
    x: int
    y: int


class Scrolling(Protocol):
    """A view's state with the first line of its details that is shown."""

    top: int


def split(
    count: int, width: int, room: int, top: int, full: bool = False, wide_list: bool = False
) -> Split:
    """Share `room` rows from `top` on between a list of `count` lines and details.

    Args:
        count: lines of the list, without its head.
        width: columns of the screen.
        room: rows for both.
        top: the first of them.
        full: the details take it all.
        wide_list: the list needs the whole width: details stand below it at every size.
    """
    if full:
        return Split(0, width, 0, top)
    if width >= SIDE_FROM and not wide_list:
        list_width = min(LIST_MOST, width * LIST_SHARE // 100)
        return Split(room, list_width, list_width + 2, top)
    share = room // 2 if wide_list else room * 2 // 5
    height = min(count + 1, max(3, share))
    return Split(height, width, 0, top + height + 1)


def scrolled(
    state: Scrolling, lines: Sequence[Line], x: int, y: int, width: int, height: int
) -> list[Block]:
    """Give the details in sight as a block; the last line says that there are more."""
    if height <= 0:
        return []
    state.top = max(0, min(state.top, len(lines) - height))
    shown = list(lines[state.top : state.top + height])
    hidden = len(lines) - state.top - height
    if hidden > 0 and shown:
        shown[-1] = (Span(f"  … {hidden + 1} more lines, PgDn", "dim"),)
    return [Block("details", x, y, width, height, shown)]
