"""Where things stand in the findings view: the list, and one finding beside or below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.runbook.finding import Finding
from screens.tui.findings import list_panel
from screens.tui.findings.changes_panel import HEADING
from screens.tui.findings.checks_panel import check_lines
from screens.tui.findings.details_panel import details
from screens.tui.findings.flow import Listed, Row
from screens.tui.findings.state import State
from screens.tui.paint import Line, Span, fit, wrap
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import badges, with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.rows import scroll_to
from screens.tui.split import scrolled, split
from screens.tui.view import Block, Scene

if TYPE_CHECKING:
    from screens.tui.application import Console

CHANGES = "changes"
STEPS = 9
MEND = Key("↵", "mend", "key enter")
KEYS = (
    Key("y", "copy", "key y"),
    Key("w", "what changed", "key w"),
    Key("c", "checks", "key c"),
    Key("o", "open it", "key o"),
    Key("l", "log", "key l"),
    Key("r", "again", "key r"),
    Key("f", "full", "key f"),
    Key("/", "search", "key slash"),
    Key("Esc", "back", "key escape"),
)
MORE = Key("?", "help", "key question_mark")


class Drawing:
    """Draws the view and knows what is on it.

    Attributes:
        page: lines of details in sight.
    """

    def __init__(self, app: Console, state: State) -> None:
        self.app = app
        self.state = state
        self.page = 1

    # -- what there is --------------------------------------------------------------------------

    def listed(self) -> Listed:
        """Give the findings that are listed."""
        return self.app.findings.listed()

    def place(self) -> int:
        """Give the place of the selected finding; of what stands there now, where it is gone."""
        listed, state = self.listed(), self.state
        place = listed.places.get(state.finding)
        if place is None:
            # As long as nobody has moved it, the cursor is on the first: the gravest so far.
            place = min(state.place, len(listed.rows) - 1) if state.finding else 0
        return max(0, place)

    def row(self) -> Row | None:
        """Give the selected finding; None where there is none."""
        rows = self.listed().rows
        return rows[self.place()] if rows else None

    def steps(self) -> int:
        """Give how many steps of the selected finding have a key of their own."""
        row = self.row()
        if row is None or self.state.checks:
            return 0
        return min(STEPS, len(row.finding.fix))

    # -- drawing --------------------------------------------------------------------------------

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, list, details, status line and keys."""
        app = self.app
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            scene = Scene(app.snapshot, app.view, app.history, app.kept)
            return [Block("small", 0, 0, width, height, small(scene, width, height))]
        said = self._status(width, height)
        progress, rows = app.findings.progress, self.listed().rows
        room = width - sum(len(badge.text) + 1 for badge in badges(app.view))
        heading = list_panel.heading(progress, rows, app.view.now, room)
        blocks = [
            Block("title", 0, 0, width, 1, [with_badges(heading, app.view, width)]),
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [self._keys(width)]),
        ]
        top = 1 if height < 20 else 2
        room = height - top - 1 - len(said)
        if rows:
            self._findings(rows, blocks, top, width, room)
        else:
            self._scrolled(blocks, self._nothing(width), 0, top, width, room)
        return blocks

    def _findings(
        self, rows: Sequence[Row], blocks: list[Block], top: int, width: int, room: int
    ) -> None:
        state, now = self.state, self.app.view.now
        place = state.place = self.place()
        area = split(len(rows), width, room, top, state.full, wide_list=True)
        if area.height:
            state.list_top = scroll_to(place, state.list_top, area.height - 1, len(rows))
            lines = list_panel.table(rows, rows[place].key, state, now, width, area.height)
            blocks.append(Block("list", 0, top, width, area.height, lines))
        lines = self._checks(width) if state.checks else self._details(rows, place, width)
        if state.seek:
            state.top, state.seek = _place_of(lines, HEADING), False
        self._scrolled(blocks, lines, 0, area.y, width, room - (area.y - top))

    def _details(self, rows: Sequence[Row], place: int, width: int) -> list[Line]:
        app, row = self.app, rows[place]
        finding, snapshot, source = row.finding, app.snapshot, app.findings.source
        progress = app.findings.progress
        number = progress.number if progress is not None else 0
        asked = (number, row.key, finding.since, finding.first_at)
        # What changed is gathered for one examination once: the host's every second is no news.
        changes = app.fits.get(CHANGES, (asked,), lambda: source.changes(finding, snapshot))
        mine = app.fits.answers(CHANGES, (asked,))
        trouble = app.fits.trouble(CHANGES) if mine else None
        beneath = _beneath(rows, place)
        now = app.view.now
        return details(row, beneath, changes if mine else None, trouble, self.state, now, width)

    def _checks(self, width: int) -> list[Line]:
        progress = self.app.findings.progress
        return check_lines(progress.results if progress is not None else (), width)

    def _nothing(self, width: int) -> list[Line]:
        """Say why nothing is listed: it is still looked for, could not be, or all is well."""
        progress = self.app.findings.progress
        if progress is None or not progress.over:
            text, role = "Examining the host; what is wrong is listed as it is found.", "dim"
        elif progress.error is not None:
            error = progress.error
            hint = f"; {error.hint}" if error.hint else ""
            text, role = f"The host could not be examined: {error.title}{hint}", "warning"
        elif any(one.state == "skip" for one in progress.results):
            text, role = "Nothing wrong was found; but not all could be checked.", "text"
        else:
            text, role = "Nothing is wrong, as far as the doctor knows.", "ok"
        lines: list[Line] = [(Span(f"  {part}", role),) for part in wrap(text, width - 4)]
        return [*lines, (), *self._checks(width)]

    def _status(self, width: int, height: int) -> list[Line]:
        state, view = self.state, self.app.view
        if state.typing:
            typed = (Span(" /", "title"), Span(state.search, "strong"), Span("▏", "title"))
            return [fit(typed, width)]
        if state.search and view.notice is None:
            hint = Span("  n next  N previous  Esc ends", "dim")
            return [fit((Span(f" /{state.search}", "title"), hint), width)]
        return status_lines(view, width, height, "")

    def _keys(self, width: int) -> Line:
        row, steps = self.row(), self.steps()
        mends = (MEND,) if row is not None and row.finding.mend is not None else ()
        digits = (Key(f"1-{steps}" if steps > 1 else "1", "step", ""),) if steps else ()
        # A step's number is not a view's.
        views = [key for key in self.app.view_keys() if int(key.key) > steps]
        return keys(width, (*mends, *digits, *KEYS, *views), MORE)

    def _scrolled(
        self, blocks: list[Block], lines: Sequence[Line], x: int, y: int, width: int, height: int
    ) -> None:
        self.page = max(1, height)
        blocks += scrolled(self.state, lines, x, y, width, height)


def _place_of(lines: Sequence[Line], heading: str) -> int:
    return next((at for at, line in enumerate(lines) if line and line[0].text == heading), 0)


def _beneath(rows: Sequence[Row], place: int) -> list[Finding]:
    """Give what follows from a root: what stands beneath it."""
    found: list[Finding] = []
    if rows[place].finding.consequence_of:
        return found
    for row in rows[place + 1 :]:
        if not row.finding.consequence_of:
            break
        found.append(row.finding)
    return found
