"""Where things stand in guided setup: the steps, the one that is shown, its button, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.setup.report import StepReport
from actions.setup.words import words
from console.paths import find_home
from screens.tui.dialog import button
from screens.tui.paint import Line, Span, fit, line_width
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.pictures.frame import Frame, pair
from screens.tui.setup.asks import Row, rows_of
from screens.tui.setup.state import BUTTON, State
from screens.tui.setup.step_panel import full_lines, step_lines
from screens.tui.setup.steps_panel import folded, step_list
from screens.tui.setup.walk import Walk
from screens.tui.setup.words import PASSED, button_words, capital, ready
from screens.tui.view import Block, Scene

if TYPE_CHECKING:
    from screens.tui.application import Console

SIDE_FROM = 112
LIST_WIDTH = 40
WIDEST = 108
"""Longer lines are hard to read, and leave pictures room."""
PICTURES_SHARE, MADE_SHARE, PICTURES_LEAST = 0.4, 0.6, 6
"""Of the room for a step: for what is to be edited, and for what came of it."""
MORE = Key("?", "help", "key question_mark")


class Drawing:
    """Draws the screen and knows what is on it.

    Attributes:
        page: lines of the step in sight.
    """

    def __init__(self, app: Console, state: State) -> None:
        self.app = app
        self.state = state
        self.page = 1
        self._home = find_home(app.session.environ)
        self._frames: tuple[Frame, ...] = ()

    def blocks(self, walk: Walk, width: int, height: int) -> Sequence[Block]:
        """Give title, steps, the step that is shown, its button, status line and keys."""
        app, state = self.app, self.state
        self._frames = ()
        state.begin(walk.at)
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            scene = Scene(app.snapshot, app.view, app.history, app.kept)
            return [Block("small", 0, 0, width, height, small(scene, width, height))]
        said = status_lines(app.view, width, height, "")
        blocks = [
            Block("title", 0, 0, width, 1, [self._heading(walk, width)]),
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [self._keys(walk, width)]),
        ]  # fmt: skip
        bottom = height - 1 - len(said)
        x, top = 1, 2
        if width >= SIDE_FROM and not state.full:
            titles = self._titles(walk)
            lines = step_list(walk, titles, LIST_WIDTH)
            blocks.append(Block("steps", 0, 2, LIST_WIDTH, min(len(lines), bottom - 2), lines))
            x = LIST_WIDTH + 3
        elif walk.steps:
            blocks.append(Block("folded", 0, 1, width, 1, [folded(walk, width)]))
            top = 3 if height >= 20 else 2
        room = min(WIDEST, width - x - 1)
        self._step(walk, blocks, x, top, room, bottom - 1 - top - (1 if height >= 20 else 0))
        # After the step: whether all of a diff is in sight says what the button does.
        blocks.append(Block("button", x, bottom - 1, room, 1, [self._button(walk, room)]))
        return blocks

    def frames(self) -> tuple[Frame, ...]:
        """Give the pictures beside the blocks that were drawn last."""
        return self._frames

    # -- parts ----------------------------------------------------------------------------------

    def _titles(self, walk: Walk) -> list[str]:
        known = words().steps
        return [known[ident].title for ident in walk.steps]

    def _heading(self, walk: Walk, width: int) -> Line:
        head: Line = (Span(" Guided setup", "title"),)
        if walk.at in walk.steps:
            place = f"  {walk.steps.index(walk.at) + 1} of {len(walk.steps)}  "
            title = capital(words().steps[walk.at].title)
            head = (*head, Span(place, "dim"), Span(title, "strong"))
        return with_badges(head, self.app.view, width)

    def _step(
        self, walk: Walk, blocks: list[Block], x: int, y: int, width: int, height: int
    ) -> None:
        """Put the lines of the step into a rectangle, and its pictures below them."""
        state, report = self.state, walk.report
        places: dict[int, int] = {}
        if state.full and report is not None:
            lines = full_lines(report, width, self._home)
        else:
            now, count = self.app.session.clock.monotonic(), height
            lines, places = step_lines(walk, state, now, width, count, self._home)
            height -= self._pictures(walk, len(lines), x, y, width, height)
        self.page = max(1, height)
        if state.seek and state.row in places:
            self._seek(places, len(lines))
        state.seek = False
        state.top = max(0, min(state.top, len(lines) - height))
        shown = list(lines[state.top : state.top + height])
        hidden = len(lines) - state.top - height
        if report is not None and (state.full or hidden <= 0):
            state.seen = report.diff
        if hidden > 0 and shown:
            shown[-1] = (Span(f"… {hidden + 1} more lines, PgDn", "dim"),)
        blocks.append(Block("step", x, y, width, max(1, height), shown))

    def _seek(self, places: dict[int, int], count: int) -> None:
        """Bring the row under the cursor into sight, with what belongs to it."""
        state = self.state
        first = places[state.row]
        last = places.get(state.row + 1, min(count, first + 3)) - 1
        # The last line in sight may only say how many more there are.
        state.top = max(state.top, last - self.page + 2)
        state.top = min(state.top, max(0, first - 1))

    def _pictures(self, walk: Walk, count: int, x: int, y: int, width: int, height: int) -> int:
        """Put the pictures at the bottom; gives the rows they take."""
        wanted = _pictures_of(walk)
        if not wanted:
            return 0
        share = MADE_SHARE if len(wanted) > 1 or walk.running is not None else PICTURES_SHARE
        room = max(int(height * share), height - count - 1)
        room = min(room, width // 3 + 2)
        if room < PICTURES_LEAST:
            return 0
        top = y + height - room
        frames = [frame._replace(x=x, y=top, width=width, height=room) for frame in wanted]
        self._frames = (
            (frames[0],) if len(frames) == 1 else pair(frames[0], frames[1], self.state.flipped)
        )
        return room + 1

    def _button(self, walk: Walk, width: int) -> Line:
        report, state = walk.report, self.state
        if walk.running is not None:
            return (Span("It goes on without this console: Esc leaves or cancels it.", "dim"),)
        if walk.doing is not None:
            return (Span("…", "dim"),)
        if not walk.steps:
            return (Span("Esc leaves", "dim"),)
        if state.full:
            words = self._press_words(walk) if report is not None and ready(report) else "Back"
            return fit(button(words, "button", True), width)
        line = button(self._press_words(walk), "button", state.row == BUTTON)
        return fit((*line, *_beside(report, walk)), width)

    def _press_words(self, walk: Walk) -> str:
        report, last = walk.report, walk.at == walk.steps[-1]
        seen = report is not None and self.state.seen == report.diff
        return button_words(report, walk.applies, last, seen)

    def _keys(self, walk: Walk, width: int) -> Line:
        report, state = walk.report, self.state
        if state.typing is not None:
            shown = [Key("↵", "take it", "key enter"), Key("Esc", "as it was", "key escape")]
            return keys(width, shown, MORE)
        if state.full:
            return keys(width, self._full_keys(walk), MORE)
        if walk.working:
            return keys(width, [Key("Esc", "leave, or cancel it", "key escape")], MORE)
        shown = [Key("↵", self._enter(walk), "key enter")]
        if report is not None and rows_of(report.asks):
            shown.append(Key("Tab", "decide", "key tab"))
        shown += [Key("b", "back", "key b"), Key("s", "skip", "key s")]
        if report is not None and report.diff:
            shown.append(Key("d", "diff", "key d"))
        shown += [Key("Esc", "leave", "key escape"), Key("c", "check", "key c")]
        if report is not None and (report.commands or report.steps):
            shown.append(Key("y", "copy", "key y"))
        shown.append(Key("w", "answers", "key w"))
        return keys(width, shown, MORE)

    def _full_keys(self, walk: Walk) -> list[Key]:
        shown = [Key("Esc", "back", "key escape"), Key("↑↓ PgDn", "scroll", "")]
        if walk.report is None or not ready(walk.report) or not walk.applies:
            return shown
        return [Key("↵", self._enter(walk), "key enter"), *shown]

    def _enter(self, walk: Walk) -> str:
        state, report = self.state, walk.report
        rows = rows_of(report.asks) if report is not None else ()
        if 0 <= state.row < len(rows) and not state.full:
            row = rows[state.row]
            return "type" if row.kind == "text" else "on" if _settled(row) else "choose"
        if not walk.steps:
            return "…"
        return self._press_words(walk).lower()


def _settled(row: Row) -> bool:
    """Tell whether it is an option that is chosen already."""
    return row.kind == "option" and row.chosen


def _beside(report: StepReport | None, walk: Walk) -> Line:
    """Say what else there is to do beside the button."""
    if report is None:
        return ()
    spans: list[Span] = []
    if report.asks:
        many = f"{len(report.asks)} answers" if len(report.asks) > 1 else "the answer"
        spans.append(Span(f"Tab changes {many}   ", "dim", "key tab"))
    if report.state not in PASSED and walk.applies:
        spans.append(Span("s leaves it out", "dim", "key s"))
    elif report.id in walk.left_out:
        spans.append(Span("c takes it up", "dim", "key c"))
    return tuple(spans) if line_width(spans) else ()


def _pictures_of(walk: Walk) -> list[Frame]:
    """Give the pictures of a step: of an edit under way the newest, else what the report has."""
    running, report = walk.running, walk.report
    edit = running.progress.edit if running is not None and running.progress is not None else None
    if edit is not None and edit.preview:
        return [Frame("live", 0, 0, 1, 1, edit.preview, "so far", version=edit.previews)]
    if report is None or running is not None:
        return []
    paths = [str(one) for one in report.pictures]
    captions = ("before", "after") if len(paths) > 1 else ("",)
    return [
        Frame(f"picture-{place}", 0, 0, 1, 1, path, caption)
        for place, (path, caption) in enumerate(zip(paths, captions, strict=False))
    ]
