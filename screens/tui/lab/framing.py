"""Which pictures the lab shows: before and after of an edit, live ones, or what the form holds."""

from __future__ import annotations

from typing import NamedTuple

from console.edits.kept import KeptEdit
from screens.tui.lab.draft import Draft
from screens.tui.lab.edits_panel import Row, under_way
from screens.tui.lab.words import edit_state
from screens.tui.pictures.frame import Frame, pair

LIVE = "the service sends no live picture yet"
BEFORE_LIVE = {
    "preparing": "it is being made ready",
    "uploading": "its pictures are being sent",
    "queued": "it waits for its turn",
    "loading": "the model is being loaded",
}
CHOOSE = "no picture is chosen: o opens the browser, or drop a file here"


class Shown(NamedTuple):
    """A picture, or what is said in its place; `version` counts live ones."""

    path: str
    caption: str
    note: str = ""
    version: int = 0


class Pictures(NamedTuple):
    """Before and after; None where there is no such thing.

    Attributes:
        of_edit: they are an edit's, not only the form's.
    """

    before: Shown | None
    after: Shown | None
    of_edit: bool

    @property
    def any(self) -> bool:
        """Whether there is a picture at all, or will be."""
        return any(one is not None and (one.path or one.note) for one in (self.before, self.after))

    def frames(self, x: int, y: int, width: int, height: int, flipped: bool) -> tuple[Frame, ...]:
        """Put them on a rectangle: side by side, or where that is narrow the one."""
        if self.before is not None and self.after is not None:
            first = _frame("before", self.before, x, y, width, height)
            return pair(first, _frame("after", self.after, x, y, width, height), flipped)
        alone = self.after or self.before
        name = "after" if self.after is not None else "before"
        return (_frame(name, alone, x, y, width, height),) if alone is not None else ()


def _frame(name: str, shown: Shown, x: int, y: int, width: int, height: int) -> Frame:
    return Frame(
        f"picture-{name}", x, y, width, height, shown.path or None, shown.caption, shown.note,
        shown.version,
    )  # fmt: skip


def pictures_of(row: Row | None, draft: Draft, turn: int) -> Pictures:
    """Give the pictures of an edit, or where there is none those that the form holds.

    Args:
        row: the edit.
        draft: the form.
        turn: which of several inputs and results.
    """
    if row is None:
        return Pictures(_chosen(draft, turn), None, False)
    before = _inputs(row, draft, turn)
    after = _live(row) if row.job is not None else _result(row.edit, turn)
    return Pictures(before, after, True)


def _chosen(draft: Draft, turn: int) -> Shown:
    images = [path for path in draft.images if path]
    if not images:
        return Shown("", "", CHOOSE)
    place = turn % len(images)
    of = f" {place + 1} of {len(images)}, ]" if len(images) > 1 else ""
    return Shown(images[place], f"picture{of}")


def _inputs(row: Row, draft: Draft, turn: int) -> Shown | None:
    if row.edit is None:
        images = [path for path in draft.images if path]
        return Shown(images[turn % len(images)], "before") if images else None
    inputs = [one.path or one.source for one in row.edit.of_role("input")]
    if not inputs:
        # They are kept once they were sent: until then they are where the operator has them.
        request = row.edit.recipe.get("request", row.edit.recipe)
        told = request.get("images", ()) if isinstance(request, dict) else ()
        inputs = [one for one in told if isinstance(one, str)]
    if not inputs:
        return None
    place = turn % len(inputs)
    of = f" {place + 1} of {len(inputs)}, ]" if len(inputs) > 1 else ""
    return Shown(inputs[place], f"before{of}")


def _live(row: Row) -> Shown:
    now = row.job.edit if row.job is not None else None
    if now is None or not now.preview:
        note = BEFORE_LIVE.get(now.phase, LIVE) if now is not None else BEFORE_LIVE["preparing"]
        return Shown("", "after", note)
    return Shown(now.preview, "live", LIVE, now.previews)


def _result(edit: KeptEdit | None, turn: int) -> Shown | None:
    if edit is None:
        return None
    outputs = edit.of_role("output")
    if not outputs:
        told = edit_state(edit)
        words = "under way, told by nobody here yet" if under_way(Row("", edit, None)) else ""
        title = edit.error.title if edit.error is not None else words or told.words
        return Shown("", "after", f"{told.symbol} {title}")
    place = turn % len(outputs)
    of = f" {place + 1} of {len(outputs)}, ]" if len(outputs) > 1 else ""
    return Shown(outputs[place].path, f"after{of}")
