"""Where things stand in the lab: form and pictures above, what is under way and the list below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from actions.workflows.rules import variant_rules
from console.errors import ConsoleError
from console.paths import find_home
from screens.tui.lab import asking, edits_panel, form_panel, now_panel, result_panel, verdict_panel
from screens.tui.lab.draft import changes
from screens.tui.lab.edits_panel import Row
from screens.tui.lab.fields import SUBMIT, Form, field_names, fields
from screens.tui.lab.framing import Pictures, pictures_of
from screens.tui.lab.sizes import rule_words
from screens.tui.lab.source import Bench, Checked
from screens.tui.lab.state import EDITS, FORM, PANELS, TITLES, State
from screens.tui.models.catalogue_panel import nothing
from screens.tui.paint import BLANK, Line, Span, clickable, fit
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.pictures.frame import Frame
from screens.tui.rows import scroll_to
from screens.tui.split import scrolled
from screens.tui.view import Block, Job, Scene

if TYPE_CHECKING:
    from actions.workflows.workflow import Workflow
    from screens.tui.application import Console

FORM_KEYS = (
    Key("↵", "edit", "key enter"),
    Key("s", "send", "key s"),
    Key("o", "picture", "key o"),
    Key("←→", "value", "key right"),
    Key("t", "template", "key t"),
    Key("Tab", "edits", "key tab"),
    Key("d", "pre-check", "key d"),
    Key("L", "seed", "key L"),
    Key("f", "flip", "key f"),
    Key("x", "actions", "key x"),
    Key("g", "gallery", "key g"),
)
EDIT_KEYS = (
    Key("↵", "full", "key enter"),
    Key("f", "flip", "key f"),
    Key("r", "again", "key r"),
    Key("e", "edit on", "key e"),
    Key("w", "save", "key w"),
    Key("y", "path", "key y"),
    Key("Tab", "form", "key tab"),
    Key("c", "cancel", "key c"),
    Key("x", "actions", "key x"),
    Key("g", "gallery", "key g"),
)
TYPING_KEYS = (
    Key("↵ Esc", "end", ""),
    Key("↑↓", "earlier", ""),
    Key("^U", "clear", ""),
    Key("^Z", "as before", ""),
)
MORE = Key("?", "help", "key question_mark")
PICTURES_FROM = 64
"""Columns from which pictures stand beside the form; below, only the full size shows them."""
FORM_LEAST, FORM_MOST, FORM_SHARE = 44, 66, 42
LIST_LEAST = 4
WIDE_FROM = 112
"""Columns from which details stand beside the list, and beside pictures in full size."""
MOST_AGAINST = 6
NO_EDITS = "No edit yet. What is sent from here, or by gpuconsole edit, is listed and kept."


class Upper(NamedTuple):
    """How the upper part is shared: columns of the form, and where pictures begin."""

    form: int
    x: int
    width: int


def upper(width: int) -> Upper:
    """Share the columns between form and pictures."""
    if width < PICTURES_FROM:
        return Upper(width, width, 0)
    form = max(FORM_LEAST, min(FORM_MOST, width * FORM_SHARE // 100))
    return Upper(form, form + 1, width - form - 1)


class Drawing:
    """Draws the lab and knows what is on it.

    Attributes:
        page: lines of details in sight.
    """

    def __init__(self, app: Console, state: State) -> None:
        self.app = app
        self.state = state
        self.page = 1
        self._frames: tuple[Frame, ...] = ()

    # -- what there is --------------------------------------------------------------------------

    def bench(self) -> Bench | None:
        """Give workflows and catalogue, once they were read."""
        return asking.bench(self.app, self.state)

    def workflow(self) -> Workflow | None:
        """Give the workflow that the form means."""
        found = self.bench()
        return found.workflow(self.state.draft.workflow) if found is not None else None

    def rows(self) -> tuple[Row, ...]:
        """Give the edits that are listed."""
        kept = asking.edits(self.app, self.state) or ()
        return edits_panel.rows_of(kept, self.app.lab.jobs())

    def row(self) -> Row | None:
        """Give the selected edit: the chosen one, else that under way, else the newest."""
        state, rows = self.state, self.rows()
        if not rows:
            return None
        chosen = next((row for row in rows if row.key == state.edit), None)
        if chosen is not None:
            return chosen
        if not state.edit:
            leading = self.app.lab.leading()
            told = leading.plan_id if leading is not None else ""
            return next((row for row in rows if row.key == told), rows[0])
        return rows[min(state.place, len(rows) - 1)]

    def job(self) -> Job | None:
        """Give the edit under way that is told of: the selected one, else the first in line."""
        return self.app.lab.jobs().get(self.state.edit) or self.app.lab.leading()

    def field(self) -> str:
        """Give the name of the form's row under the cursor."""
        workflow = self.workflow()
        names = field_names(workflow) if workflow is not None else ()
        if self.state.field in names or not names:
            return self.state.field
        return names[0]

    def checked(self) -> tuple[Checked | None, ConsoleError | None]:
        """Give what speaks for and against the form's edit, or why that cannot be told."""
        workflow = self.workflow()
        if workflow is None:
            return None, None
        return asking.checked(self.app, self.state, workflow)

    # -- drawing --------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """Give what the panels draw from."""
        app = self.app
        return Scene(app.snapshot, app.view, app.history, app.kept)

    def frames(self) -> Sequence[Frame]:
        """Give the pictures that belong to the blocks that were drawn last."""
        return self._frames

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, form, what is under way, list, status line and keys."""
        scene = self.scene()
        self._frames = ()
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return [Block("small", 0, 0, width, height, small(scene, width, height))]
        said = self._status(width, height)
        blocks = [
            Block("title", 0, 0, width, 1, [self._title(width)]),
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [self._keys(width)]),
        ]
        top = 1 if height < 20 else 2
        room = height - top - 1 - len(said)
        if self.state.full:
            self._full(blocks, top, width, room)
        else:
            self._both(scene, blocks, top, width, room)
        return blocks

    def _title(self, width: int) -> Line:
        jobs = self.app.lab.jobs()
        found: list[Span] = [Span(" Lab ", "title")]
        for panel in PANELS:
            here = panel == self.state.panel
            more = f" {len(jobs)} under way" if panel == EDITS and jobs else ""
            text = f"[{TITLES[panel]}{more}]" if here else f" {TITLES[panel]}{more} "
            found += clickable(
                (Span(text, "title" if here else "dim"), Span(" ")), f"panel {panel}"
            )
        if self.state.begun is not None:
            found.append(Span(f" again: {self._changed_words()}", "accent"))
        return with_badges(tuple(found), self.app.view, width)

    def _changed_words(self) -> str:
        names = self.changed()
        return f"{', '.join(names)} changed" if names else "nothing changed yet"

    def changed(self) -> tuple[str, ...]:
        """Give the names of what differs from the edit that the form began with."""
        begun = self.state.begun
        return changes(self.state.draft, begun) if begun is not None else ()

    def _status(self, width: int, height: int) -> list[Line]:
        """Give what is said; how edits go stands in the lab already."""
        view = self.app.view
        others = tuple(job for job in view.jobs if job.plan_id not in self.app.lab.jobs())
        return status_lines(msgspec.structs.replace(view, jobs=others), width, height, "")

    def _keys(self, width: int) -> Line:
        if self.state.typing is not None:
            text = form_panel.is_text(self.state.typing.field)
            shown = [key for key in TYPING_KEYS if text or key.text != "earlier"]
            return keys(width, shown, Key("", "", ""))
        own = FORM_KEYS if self.state.panel == FORM and not self.state.full else EDIT_KEYS
        return keys(width, (*own, *self.app.view_keys()), MORE)

    # -- form and list --------------------------------------------------------------------------

    def _both(self, scene: Scene, blocks: list[Block], top: int, width: int, room: int) -> None:
        bench, workflow = self.bench(), self.workflow()
        if bench is None or workflow is None:
            blocks.append(Block("form", 0, top, width, room, self._waiting(width)))
            return
        # Read while nobody waits for it: the key that offers earlier prompts has them then.
        asking.words(self.app, workflow.name, self.field() == "negative")
        checked, trouble = self.checked()
        form = self._form(bench, workflow, checked)
        shares = upper(width)
        rows = fields(form)
        line = verdict_panel.verdict_line(checked, trouble, self.app.session.read_only)
        lines = form_panel.form_lines(rows, line, self.state, self.changed(), shares.form)
        job = self.job()
        under = 2 if job is not None else 0
        lines += verdict_panel.against_lines(checked, trouble, shares.form, MOST_AGAINST)
        lines += self._remark(shares.form)
        high = self._upper_height(len(lines), room, under)
        shown = self._form_in_sight(lines, high)
        blocks.append(Block("form", 0, top, shares.form, high, shown))
        if shares.width:
            self._pictures(blocks, shares.x, top, shares.width, high)
        y = top + high
        if job is not None:
            told = now_panel.now_lines(job, scene.snapshot, width)
            blocks.append(Block("now", 0, y, width, under, told))
            y += under
        y += 1 if room - (y - top) > LIST_LEAST else 0
        self._lower(scene, blocks, checked, y, width, room - (y - top))

    def _form(self, bench: Bench, workflow: Workflow, checked: Checked | None) -> Form:
        draft, pictures = self.state.draft, {}
        for path in draft.images[: workflow.most_images]:
            if path:
                pictures[path] = self._picture_words(path)
        home = find_home(self.app.session.environ)
        shown = str(home) if home is not None else ""
        return Form(bench, workflow, draft, self.app.snapshot, checked, pictures, shown)

    def _picture_words(self, path: str) -> tuple[str, str]:
        known = asking.facts(self.app, path)
        if known is None:
            return ("…", "dim")
        if isinstance(known, ConsoleError):
            # Why stands in the picture's place, and in the row of the verdict.
            return ("✖ cannot be used", "error")
        return (f"{known.width}x{known.height}", "warning" if known.notes else "dim")

    def _upper_height(self, form: int, room: int, under: int) -> int:
        """Give the rows of the upper part: the form's, and on a high screen more for pictures."""
        most = room - under - LIST_LEAST - 1
        return max(3, min(most, max(form, room * 3 // 5)))

    def _remark(self, width: int) -> list[Line]:
        """Explain the row under the cursor, where there is something to explain."""
        here = self.field()
        if self.state.typing is not None:
            return []
        if here == "size" and self.state.panel == FORM:
            return form_panel.remark_lines(rule_words(variant_rules().size), width)
        workflow = self.workflow()
        if here == "workflow" and workflow is not None and self.state.panel == FORM:
            text = workflow.summary + (f" ({workflow.note})" if workflow.note else "")
            return form_panel.remark_lines(text, width)
        return []

    def _form_in_sight(self, lines: Sequence[Line], height: int) -> list[Line]:
        """Give the rows that there is room for; that under the cursor is among them."""
        workflow = self.workflow()
        names = field_names(workflow) if workflow is not None else (SUBMIT,)
        place = names.index(self.field()) if self.field() in names else 0
        self.state.form_top = scroll_to(place, self.state.form_top, height, len(names))
        return list(lines[self.state.form_top : self.state.form_top + height])

    def _waiting(self, width: int) -> list[Line]:
        trouble = self.app.fits.trouble(asking.BENCH)
        if trouble is not None:
            return nothing(f"{trouble.title}; {trouble.hint}", "warning", width)
        return nothing("Reading the workflows …", "dim", width)

    def _pictures(self, blocks: list[Block], x: int, y: int, width: int, height: int) -> None:
        """Put the pictures beside the form, and what is to be said of them below."""
        found = self.pictures()
        line = self._picture_line(found)
        tall = height - (1 if line else 0)
        self._frames = found.frames(x, y, width, tall, self.state.flipped)
        if line:
            blocks.append(Block("picture-line", x, y + tall, width, 1, [fit(line, width)]))

    def pictures(self) -> Pictures:
        """Give the pictures that are looked at: of the selected edit, or of the form."""
        row = self.row()
        looks = self.state.looks or self.state.panel == EDITS or self.state.full
        return pictures_of(row if looks else None, self.state.draft, self.state.turn)

    def _picture_line(self, found: Pictures) -> Line:
        row = self.row()
        if not found.of_edit or row is None or row.edit is None or row.job is not None:
            return ()
        return result_panel.summary(row.edit, self.app.view.now)

    def _lower(
        self,
        scene: Scene,
        blocks: list[Block],
        checked: Checked | None,
        y: int,
        width: int,
        height: int,
    ) -> None:
        state = self.state
        if height <= 0:
            return
        typing = state.typing
        if typing is not None and form_panel.is_text(typing.field):
            lines = form_panel.editor_lines(typing, typing.field, width, height)
            blocks.append(Block("editor", 0, y, width, height, lines))
            return
        if typing is not None and typing.field == "size":
            lines = form_panel.remark_lines(rule_words(variant_rules().size), width)[:height]
            blocks.append(Block("editor", 0, y, width, height, lines))
            return
        if state.details and checked is not None:
            self.page = max(1, height)
            lines = verdict_panel.verdict_lines(scene, checked, width)
            blocks += scrolled(state, lines, 0, y, width, height)
            return
        if width < WIDE_FROM:
            self._list(blocks, y, width, height)
            return
        side = width * 2 // 5
        self._list(blocks, y, width - side - 2, height)
        self._beside(scene, blocks, checked, (width - side, y, side, height))

    def _beside(
        self,
        scene: Scene,
        blocks: list[Block],
        checked: Checked | None,
        area: tuple[int, int, int, int],
    ) -> None:
        """Fill what a wide screen has beside the list: the pre-check, or all about an edit."""
        x, y, width, height = area
        row = self.row()
        if self.state.panel == EDITS and row is not None and row.edit is not None:
            lines = result_panel.details(row.edit, self.app.view.now, width)
        elif checked is not None:
            lines = verdict_panel.verdict_lines(scene, checked, width)
        else:
            return
        self.page = max(1, height)
        blocks += scrolled(self.state, lines, x, y, width, height)

    def _list(self, blocks: list[Block], y: int, width: int, height: int) -> None:
        state, rows = self.state, self.rows()
        if not rows:
            read = asking.edits(self.app, state) is not None
            trouble = self.app.fits.trouble(asking.EDITS)
            text = NO_EDITS if read else "Reading what was kept …"
            text = trouble.title if trouble is not None else text
            lines = nothing(text, "dim", width)[:height]
            blocks.append(Block("list", 0, y, width, height, lines))
            return
        row = self.row()
        if row is not None and state.panel == EDITS:
            state.edit = row.key
        place = next((at for at, one in enumerate(rows) if row and one.key == row.key), 0)
        state.place = place
        state.list_top = scroll_to(place, state.list_top, height - 1, len(rows))
        lines = edits_panel.table(rows, state, self.app.view.now, width, height)
        blocks.append(Block("list", 0, y, width, height, lines))

    # -- full size ------------------------------------------------------------------------------

    def _full(self, blocks: list[Block], top: int, width: int, room: int) -> None:
        """Give the selected edit the whole screen: pictures, and all about it beside or below."""
        row, found = self.row(), self.pictures()
        lines = self._full_lines(row, width if width < WIDE_FROM else width * 2 // 5)
        if width >= WIDE_FROM:
            side = width * 2 // 5
            self._frames = found.frames(0, top, width - side - 1, room, self.state.flipped)
            self.page = max(1, room)
            blocks += scrolled(self.state, lines, width - side, top, side, room)
            return
        tall = max(4, room * 3 // 5) if found.any else 0
        if self.state.details:
            tall = 0
        if tall:
            self._frames = found.frames(0, top, width, tall, self.state.flipped)
        self.page = max(1, room - tall)
        blocks += scrolled(self.state, lines, 0, top + tall, width, room - tall)

    def _full_lines(self, row: Row | None, width: int) -> list[Line]:
        if row is None:
            return nothing(NO_EDITS, "dim", width)
        lines: list[Line] = []
        if row.job is not None:
            lines += [*now_panel.now_lines(row.job, self.app.snapshot, width), BLANK]
        if row.edit is not None:
            lines += result_panel.details(row.edit, self.app.view.now, width)
        return lines
