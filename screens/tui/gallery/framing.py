"""Which pictures of an edit stand where in the gallery."""

from __future__ import annotations

from collections.abc import Mapping

from console.edits.kept import KeptEdit, KeptPicture
from screens.tui.gallery.state import State
from screens.tui.lab.words import edit_state
from screens.tui.pictures.frame import Frame, pair

ROOM_LEAST = 3


def frames_of(
    edit: KeptEdit,
    files: Mapping[str, str],
    state: State,
    x: int,
    y: int,
    width: int,
    height: int,
) -> tuple[Frame, ...]:
    """Put an edit's pictures on a rectangle: before and after, or where there is one that.

    Args:
        edit: whose.
        files: what became of them.
        state: which of several, flipped or not, one or both.
        x: left edge, in cells.
        y: upper edge.
        width: columns.
        height: rows.
    """
    if height < ROOM_LEAST:
        return ()
    before = _frame("before", edit.of_role("input"), files, state.turn)
    after = _frame("after", edit.of_role("output"), files, state.turn)
    if after is None:
        after = Frame("gallery-after", 0, 0, 0, 0, None, "after", _why_none(edit))
    if before is None or not state.both:
        alone = before if before is not None and state.flipped else after
        return (alone._replace(x=x, y=y, width=width, height=height),)
    return pair(before._replace(x=x, y=y, width=width, height=height), after, state.flipped)


def shown_picture(edit: KeptEdit, state: State) -> KeptPicture | None:
    """Give the picture that keys mean: the result that is in sight, or the input if flipped."""
    outputs, inputs = edit.of_role("output"), edit.of_role("input")
    meant = (inputs if state.flipped else outputs) or outputs or inputs
    return meant[state.turn % len(meant)] if meant else None


def most_pictures(edit: KeptEdit) -> int:
    """Give how many pictures of one role there are, at most."""
    return max(len(edit.of_role("input")), len(edit.of_role("output")), 1)


def _frame(
    role: str, pictures: tuple[KeptPicture, ...], files: Mapping[str, str], turn: int
) -> Frame | None:
    if not pictures:
        return None
    place = turn % len(pictures)
    one = pictures[place]
    of = f" {place + 1} of {len(pictures)}, ]" if len(pictures) > 1 else ""
    size = f"  {one.width}x{one.height}" if one.width and one.height else ""
    gone = files.get(one.path) == "missing"
    note = "its file is not there any more" if gone else ""
    # What is there is read again once it was changed.
    version = {"changed": 1, "missing": 2}.get(files.get(one.path, ""), 0)
    source = None if gone else one.path
    return Frame(f"gallery-{role}", 0, 0, 0, 0, source, f"{role}{of}{size}", note, version)


def _why_none(edit: KeptEdit) -> str:
    told = edit_state(edit)
    title = f": {edit.error.title}" if edit.error is not None else ""
    return f"{told.symbol} {told.words}{title}"
