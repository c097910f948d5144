"""Where things stand in the services view: a list and details beside or below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.services.snapshot import ServiceStatus
from actions.timeline import TimelineEntry
from screens.tui.interrupted import interrupted_line
from screens.tui.paint import Line, Span, clickable, fit
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.rows import scroll_to
from screens.tui.services import asking, details_panel, layouts_panel, list_panel, matrix_panel
from screens.tui.services.matrix_panel import Matrix
from screens.tui.services.state import PANELS, TITLES, State
from screens.tui.split import scrolled, split
from screens.tui.view import Block, Scene
from screens.tui.words import place_text

if TYPE_CHECKING:
    from console.config.schema import LayoutSettings
    from screens.tui.application import Console

FOOTER = (
    Key("↵", "open", "key enter"),
    Key("s", "start/stop", "key s"),
    Key("r", "restart", "key r"),
    Key("x", "actions", "key x"),
    Key("Tab", "panel", "key tab"),
    Key("/", "search", "key slash"),
    Key("M", "move", "key M"),
    Key("y", "URL", "key y"),
    Key("u", "undo", "key u"),
)
MATRIX_FOOTER = (
    Key("Tab", "panel", "key tab"),
    Key("←→", "card", "key right"),
    Key("e", "now/empty", "key e"),
    Key("+-", "size", "key plus"),
    Key("i", "pictures", "key i"),
    Key("t", "type", "key t"),
    Key("d", "arithmetic", "key d"),
)
LAYOUT_FOOTER = (
    Key("Tab", "panel", "key tab"),
    Key("↵", "switch", "key enter"),
    Key("u", "undo", "key u"),
)
MORE = Key("?", "help", "key question_mark")


class Drawing:
    """Draws the view from the host and the view's state; keeps what keys need to know of it.

    Attributes:
        matrix: the matrix that is shown; None before the first.
        page: lines of details in sight.
        interrupted: the plan that is offered to go on or back.
    """

    def __init__(self, app: Console, state: State) -> None:
        self.app = app
        self.state = state
        self.matrix: Matrix | None = None
        self.page = 1
        self.interrupted: TimelineEntry | None = None

    def _scene(self) -> Scene:
        app = self.app
        return Scene(app.snapshot, app.view, app.history, app.kept)

    def layouts(self) -> dict[str, LayoutSettings]:
        """Give the config's layouts by name."""
        return self.app.session.settings.layouts

    def selected(self) -> ServiceStatus | None:
        """Give the selected service; the first where what was selected is gone."""
        services = self.app.snapshot.services
        name = self.app.view.service
        found = next((one for one in services if one.name == name), None)
        return found if found is not None else services[0] if services else None

    def layout(self) -> str:
        """Give the selected layout's name; empty where there is none."""
        names = list(self.layouts())
        if self.state.layout in names:
            return self.state.layout
        return names[0] if names else ""

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, panel, list, details, status line and keys."""
        scene = self._scene()
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return [Block("small", 0, 0, width, height, small(scene, width, height))]
        said = self._status(width, height)
        blocks = [
            Block("title", 0, 0, width, 1, [self._title(width)]),
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [self._keys(width)]),
        ]
        top = 2
        if self.interrupted is not None:
            line = interrupted_line(self.interrupted, scene.view.now, width)
            blocks.append(Block("interrupted", 0, 1, width, 1, [line]))
        room = height - top - 1 - len(said)
        if self.state.panel == "services":
            self._services(scene, blocks, top, width, room)
        elif self.state.panel == "matrix":
            self._fits(scene, blocks, top, width, room)
        else:
            self._layouts(scene, blocks, top, width, room)
        return blocks

    def _title(self, width: int) -> Line:
        spans: list[Span] = [Span(" ")]
        for panel in PANELS:
            here = panel == self.state.panel
            text = f"[{TITLES[panel]}]" if here else f" {TITLES[panel]} "
            spans += clickable(
                (Span(text, "title" if here else "dim"), Span(" ")), f"panel {panel}"
            )
        return with_badges(tuple(spans), self.app.view, width)

    def _status(self, width: int, height: int) -> list[Line]:
        state = self.state
        if state.typing:
            typed = (Span(" /", "title"), Span(state.search, "strong"), Span("▏", "title"))
            return [fit(typed, width)]
        view = self.app.view
        if state.search and view.notice is None and not view.cancellable:
            hint = Span("  n next  N previous  Esc ends", "dim")
            return [fit((Span(f" /{state.search}", "title"), hint), width)]
        return status_lines(view, width, height, "c")

    def _keys(self, width: int) -> Line:
        shown = {"services": FOOTER, "matrix": MATRIX_FOOTER, "layouts": LAYOUT_FOOTER}
        own = shown[self.state.panel]
        return keys(width, (*own, *self.app.view_keys()), MORE)

    def _services(self, scene: Scene, blocks: list[Block], top: int, width: int, room: int) -> None:
        services = scene.snapshot.services
        if not services:
            lines = list(list_panel.no_services(scene, width))
            blocks.append(Block("details", 0, top, width, room, lines))
            return
        chosen = self.selected()
        place = services.index(chosen) if chosen is not None else 0
        list_height, list_width, x, y = split(len(services), width, room, top, self.state.full)
        self.state.list_top = scroll_to(place, self.state.list_top, list_height - 1, len(services))
        name = chosen.name if chosen is not None else ""
        listed = list_panel.service_list(
            scene, name, self.state.search, self.state.list_top, list_width, list_height
        )
        if list_height:
            blocks.append(Block("list", 0, top, list_width, list_height, listed))
        if chosen is None:
            return
        book = self.app.fits
        what, key, make = asking.service(self.app, chosen.name)
        found = book.get(what, key, make)
        inner = width - x - (1 if x else 0)
        lines = details_panel.details(
            scene, chosen, found, book.trouble(what), inner, self.state.details
        )
        self._scrolled(blocks, lines, x, y, inner, room - (y - top))

    def _scrolled(
        self, blocks: list[Block], lines: Sequence[Line], x: int, y: int, width: int, height: int
    ) -> None:
        self.page = max(1, height)
        blocks += scrolled(self.state, lines, x, y, width, height)

    def _fits(self, scene: Scene, blocks: list[Block], top: int, width: int, room: int) -> None:
        state = self.state
        book = self.app.fits
        what, key, make = asking.matrix(self.app, state)
        found = book.get(what, key, make)
        head = matrix_panel.title_line(state, book.answers(what, key))
        if found is None or not found.fits:
            blocks.append(Block("task", 0, top, width, 1, [fit(head, width)]))
            lines = matrix_panel.waiting(book.trouble(what), width)
            blocks.append(Block("details", 0, top + 1, width, room - 1, lines))
            return
        self.matrix = matrix = matrix_panel.arranged(found, scene.snapshot.gpu.gpus)
        row, _column = matrix_panel.selected(matrix, state)
        count = len(matrix.variants)
        share = room - 1 if self.state.full else (room - 1) * 11 // 20
        height = min(count + 1, max(4, share))
        state.list_top = scroll_to(row, state.list_top, height - 1, count)
        place = place_text(state.list_top, height - 1, count)
        head = (*fit(head, width - len(place)), Span(place, "dim"))
        blocks.append(Block("task", 0, top, width, 1, [head]))
        table = matrix_panel.table(scene, matrix, state, state.list_top, width, height)
        blocks.append(Block("list", 0, top + 1, width, height, table))
        below = top + 1 + height
        lines = self._explained(scene, matrix, width)
        self._scrolled(blocks, lines, 0, below, width, room - 1 - height)

    def _explained(self, scene: Scene, matrix: Matrix, width: int) -> list[Line]:
        """Explain the cell under the cursor, with its ways out once they are worked out."""
        one = matrix_panel.chosen(matrix, self.state)
        if one is None:
            return []
        book = self.app.fits
        what, key, make = asking.cell(self.app, self.state, one.variant, one.gpu_uuid)
        found = book.get(what, key, make)
        shown = found if found is not None and book.answers(what, key) else one
        return matrix_panel.explained(scene, shown, self.state, width)

    def _layouts(self, scene: Scene, blocks: list[Block], top: int, width: int, room: int) -> None:
        layouts = self.layouts()
        if not layouts:
            blocks.append(Block("details", 0, top, width, room, layouts_panel.no_layouts(width)))
            return
        book = self.app.fits
        fits = {}
        for name in layouts:
            what, key, make = asking.layout(self.app, name)
            fits[name] = book.get(what, key, make)
        chosen = self.layout()
        names = list(layouts)
        list_height, list_width, x, y = split(len(names), width, room, top, self.state.full)
        self.state.list_top = scroll_to(
            names.index(chosen), self.state.list_top, list_height - 1, len(names)
        )
        listed = layouts_panel.layout_list(
            scene, layouts, chosen, fits, self.state.list_top, list_width, list_height
        )
        if list_height:
            blocks.append(Block("list", 0, top, list_width, list_height, listed))
        trouble = book.trouble(asking.layout(self.app, chosen)[0])
        inner = width - x
        lines = layouts_panel.layout_details(
            scene, chosen, layouts[chosen], fits[chosen], trouble, inner
        )
        self._scrolled(blocks, lines, x, y, inner, room - (y - top))
