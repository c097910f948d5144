"""Where things stand in the views of models and jobs: a list, and details beside or below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.models.model import Choice
from console.errors import ConsoleError
from screens.tui.models import asking, catalogue_panel, inventory_panel, jobs_panel
from screens.tui.models.inventory_panel import Row
from screens.tui.models.jobs_panel import Shown
from screens.tui.models.source import Looked
from screens.tui.models.state import PANELS, TITLES, State
from screens.tui.paint import Line, Span, clickable, fit
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.rows import scroll_to
from screens.tui.split import scrolled, split
from screens.tui.view import Block, Scene

if TYPE_CHECKING:
    from screens.tui.application import Console

CATALOGUE_KEYS = (
    Key("p", "fetch", "key p"),
    Key("Spc", "mark", "key space"),
    Key("Tab", "panel", "key tab"),
    Key("↵", "details", "key enter"),
    Key("←→", "card", "key right"),
    Key("/", "search", "key slash"),
    Key("P", "other file", "key P"),
    Key("x", "actions", "key x"),
    Key("v", "verify", "key v"),
)
INVENTORY_KEYS = (
    Key("i", "issues", "key i"),
    Key("1-9", "fix", ""),
    Key("R", "remove", "key R"),
    Key("v", "verify", "key v"),
    Key("Tab", "panel", "key tab"),
    Key("t", "totals", "key t"),
    Key("o", "order", "key o"),
    Key("D", "dedupe", "key D"),
    Key("x", "actions", "key x"),
    Key("/", "search", "key slash"),
)
JOB_KEYS = (
    Key("p", "pause/go on", "key p"),
    Key("c", "cancel", "key c"),
    Key("Tab", "panel", "key tab"),
    Key("↵", "details", "key enter"),
    Key("a", "all", "key a"),
    Key("x", "actions", "key x"),
)
MORE = Key("?", "help", "key question_mark")
NO_FOLDER = (
    'No models folder is known. Set it in the config: [paths] models = "…/ComfyUI/models"; '
    "more of them, Forge's too, under [[paths.extra]]. What the catalogue has can be looked at all "
    "the same, and P fetches a file to any folder."
)


class Drawing:
    """Draws a view and knows what is on it.

    Attributes:
        page: lines of details in sight.
        alone: only jobs are shown, as in the jobs view.
    """

    def __init__(self, app: Console, state: State, alone: bool = False) -> None:
        self.app = app
        self.state = state
        self.alone = alone
        self.page = 1

    # -- what there is --------------------------------------------------------------------------

    def looked(self) -> Looked | None:
        """Give the newest look at the folders, once there is one."""
        return asking.looked(self.app, self.state)

    def choices(self) -> tuple[Choice, ...]:
        """Give every variant, with what is being fetched now."""
        found = self.looked()
        if found is None:
            return ()
        known = asking.choices(self.app, self.state, found) or ()
        models = self.app.models
        live = jobs_panel.fetching(models.transfers(), models.stopped)
        return tuple(asking.with_fetching(one, live) for one in known)

    def rows(self) -> tuple[Row, ...]:
        """Give the files of the inventory that are listed."""
        found, state = self.looked(), self.state
        if found is None:
            return ()
        # Thousands of files are not sorted at every key.
        rests_on = (found, state.issues, state.order)
        return self.app.kept.get(
            "inventory", rests_on, lambda: inventory_panel.rows_of(found, state)
        )

    def jobs(self) -> tuple[Shown, ...]:
        """Give the jobs that are listed; beside the catalogue only downloads."""
        known = self.app.models.jobs or ()
        listed = [job for job in known if self.alone or job.kind == "download"]
        return jobs_panel.shown(listed, self.app.models.transfers())

    def keys_of_rows(self) -> list[str]:
        """Give what the cursor moves among: ids of variants or jobs, or paths."""
        if self.state.panel == "catalogue":
            return [one.variant for one in self.choices()]
        if self.state.panel == "inventory":
            return [row.file.path for row in self.rows()]
        return [one.job.id for one in self.jobs()]

    def names_of_rows(self) -> list[str]:
        """Give the same rows as a search knows them."""
        if self.state.panel == "catalogue":
            return [f"{one.title} {one.variant} {one.quant}" for one in self.choices()]
        if self.state.panel == "inventory":
            return [f"{row.name} {row.file.kind} {row.file.family}" for row in self.rows()]
        return [f"{one.job.verb} {one.job.target}" for one in self.jobs()]

    def chosen(self) -> str:
        """Give what is selected; where it is gone, what is in its place; empty for nothing."""
        state = self.state
        mine = {"catalogue": state.variant, "inventory": state.file}.get(state.panel, state.job)
        known = self.keys_of_rows()
        if mine in known or not known:
            return mine if known else ""
        return known[min(state.place, len(known) - 1)]

    def choice(self) -> Choice | None:
        """Give the selected variant."""
        chosen = self.chosen() if self.state.panel == "catalogue" else ""
        return next((one for one in self.choices() if one.variant == chosen), None)

    def row(self) -> Row | None:
        """Give the selected file."""
        chosen = self.chosen() if self.state.panel == "inventory" else ""
        return next((row for row in self.rows() if row.file.path == chosen), None)

    def job(self) -> Shown | None:
        """Give the selected job."""
        chosen = self.chosen() if self.state.panel == "jobs" else ""
        return next((one for one in self.jobs() if one.job.id == chosen), None)

    # -- drawing --------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """Give what the panels draw from."""
        app = self.app
        return Scene(app.snapshot, app.view, app.history, app.kept)

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, panel, list, details, status line and keys."""
        scene = self.scene()
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
        if self.state.panel == "catalogue":
            self._catalogue(scene, blocks, top, width, room)
        elif self.state.panel == "inventory":
            self._inventory(blocks, top, width, room)
        else:
            self._jobs(scene, blocks, top, width, room)
        return blocks

    def _title(self, width: int) -> Line:
        if self.alone:
            count = len(self.jobs())
            spans: tuple[Span, ...] = (Span(" Jobs", "title"), Span(f"  {count}", "dim"))
            return with_badges(spans, self.app.view, width)
        found: list[Span] = [Span(" ")]
        running = len(self.app.models.transfers())
        for panel in PANELS:
            here = panel == self.state.panel
            more = f" {running}" if panel == "jobs" and running else ""
            text = f"[{TITLES[panel]}{more}]" if here else f" {TITLES[panel]}{more} "
            found += clickable(
                (Span(text, "title" if here else "dim"), Span(" ")), f"panel {panel}"
            )
        if self.state.marked:
            found.append(Span(f"  +{len(self.state.marked)} marked", "accent"))
        return with_badges(tuple(found), self.app.view, width)

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
        own = {"catalogue": CATALOGUE_KEYS, "inventory": INVENTORY_KEYS}
        shown = own.get(self.state.panel, JOB_KEYS)
        if self.alone:
            shown = tuple(key for key in shown if key.key != "Tab")
        return keys(width, (*shown, *self.app.view_keys()), MORE)

    def _scrolled(
        self, blocks: list[Block], lines: Sequence[Line], x: int, y: int, width: int, height: int
    ) -> None:
        self.page = max(1, height)
        blocks += scrolled(self.state, lines, x, y, width, height)

    def _list_top(self, place: int, height: int, count: int) -> None:
        self.state.list_top = scroll_to(place, self.state.list_top, height - 1, count)

    def _catalogue(
        self, scene: Scene, blocks: list[Block], top: int, width: int, room: int
    ) -> None:
        state = self.state
        listed = self.choices()
        if not listed:
            lines = self._waiting("Looking at what is on disk and what fits where …", width)
            self._scrolled(blocks, lines, 0, top, width, room)
            return
        state.variant = self.chosen()
        place = state.place = [one.variant for one in listed].index(state.variant)
        area = split(len(listed), width, room, top, state.full, wide_list=True)
        if area.height:
            self._list_top(place, area.height, len(listed))
            lines = catalogue_panel.table(scene, listed, state, width, area.height)
            blocks.append(Block("list", 0, top, width, area.height, lines))
        found = self.looked()
        lines = catalogue_panel.details(scene, listed[place], state, width)
        if found is not None and not found.inventory.roots:
            lines = [*catalogue_panel.nothing(NO_FOLDER, "warning", width), *lines]
        self._scrolled(blocks, lines, 0, area.y, width, room - (area.y - top))

    def _inventory(self, blocks: list[Block], top: int, width: int, room: int) -> None:
        state = self.state
        found = self.looked()
        if found is None or not found.inventory.files:
            text = "Looking through the model folders …"
            if found is not None:
                text = NO_FOLDER if not found.inventory.roots else "No files in the model folders."
            lines = self._waiting(text, width)
            if found is not None:
                lines += inventory_panel.root_troubles(found.inventory, width)
            self._scrolled(blocks, lines, 0, top, width, room)
            return
        listed = self.rows()
        heads = [inventory_panel.summary(found, state, width)]
        heads += inventory_panel.root_troubles(found.inventory, width)[:3]
        blocks.append(Block("summary", 0, top, width, len(heads), heads))
        top, room = top + len(heads), room - len(heads)
        if not listed:
            lines = catalogue_panel.nothing("Nothing is wrong with any file.", "ok", width)
            self._scrolled(blocks, lines, 0, top, width, room)
            return
        state.file = self.chosen()
        place = state.place = [row.file.path for row in listed].index(state.file)
        area = split(len(listed), width, room, top, state.full, wide_list=True)
        if area.height:
            self._list_top(place, area.height, len(listed))
            lines = inventory_panel.table(listed, state, width, area.height)
            blocks.append(Block("list", 0, top, width, area.height, lines))
        if state.totals:
            lines = inventory_panel.totals(found.inventory, width)
        else:
            lines = inventory_panel.details(listed[place], width)
        self._scrolled(blocks, lines, 0, area.y, width, room - (area.y - top))

    def _waiting(self, text: str, width: int) -> list[Line]:
        """Say why nothing is listed yet: it is being worked out, or could not be."""
        for what in (asking.LOOK, asking.CHOICES):
            trouble = self.app.fits.trouble(what)
            if trouble is not None:
                return catalogue_panel.nothing(trouble_words(trouble), "warning", width)
        return catalogue_panel.nothing(text, "dim", width)

    def _jobs(self, scene: Scene, blocks: list[Block], top: int, width: int, room: int) -> None:
        state = self.state
        listed = self.jobs()
        if not listed:
            self._scrolled(blocks, self._no_jobs(width), 0, top, width, room)
            return
        state.job = self.chosen()
        place = state.place = [one.job.id for one in listed].index(state.job)
        area = split(len(listed), width, room, top, state.full, wide_list=True)
        if area.height:
            self._list_top(place, area.height, len(listed))
            lines = jobs_panel.table(listed, state, width, area.height)
            blocks.append(Block("list", 0, top, width, area.height, lines))
        lines = jobs_panel.details(listed[place], scene.view.now, width)
        self._scrolled(blocks, lines, 0, area.y, width, room - (area.y - top))

    def _no_jobs(self, width: int) -> list[Line]:
        if self.app.models.jobs is None:
            return catalogue_panel.nothing("Reading the journal …", "dim", width)
        what = "Nothing runs and nothing waits." if self.alone else "No download runs or waits."
        more = "" if self.state.ended else " a shows those that are over."
        how = "" if self.alone else " In the catalogue, p fetches a variant."
        return catalogue_panel.nothing(f"{what}{how}{more}", "text", width)


def trouble_words(trouble: ConsoleError) -> str:
    """Say what went wrong and what to do, in one text."""
    return f"{trouble.title}; {trouble.hint}" if trouble.hint else trouble.title
