"""Where things stand in the file browser: the list, the preview, what is known of the entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.host.browsing import Found
from screens.tui.browser import panel
from screens.tui.browser.state import State, listed
from screens.tui.paint import BLANK, Line, Span, fit
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.pictures.frame import Frame
from screens.tui.rows import scroll_to
from screens.tui.view import Block, Scene

if TYPE_CHECKING:
    from screens.tui.application import Console
    from screens.tui.pictures.drawing import Drawn

PREVIEW_FROM = 64
"""Columns from which there is room for a preview beside the list."""
LIST_SHARE, LIST_MOST = 46, 70
ABOUT_ROWS, ABOUT_ROWS_TALL, TALL = 6, 9, 30
FOOTER = (
    Key("↵", "choose", "key enter"),
    Key("Backsp", "up", "key backspace"),
    Key("/", "filter", "key slash"),
    Key("~", "home", "key tilde"),
    Key("p", "places", "key p"),
    Key("o", "outputs", "key o"),
    Key("a", "all files", "key a"),
    Key("t", "newest", "key t"),
    Key("Esc", "cancel", "key escape"),
)
MANY = Key("Spc", "pick", "key space")
MORE = Key("?", "help", "key question_mark")


class Drawing:
    """Draws the browser and knows what is on it.

    Attributes:
        page: rows of the list in sight.
    """

    def __init__(self, app: Console, state: State, most: int, title: str) -> None:
        self.app = app
        self.state = state
        self.most = most
        self.title = title
        self.page = 1
        self._known: tuple[object, tuple[Found, ...]] = (None, ())

    def entries(self) -> tuple[Found, ...]:
        """Give the entries that are listed; thousands are not sorted at every key."""
        state = self.state
        if state.folder is None:
            return ()
        rests_on = (id(state.folder), state.everything, state.order, state.filter)
        if self._known[0] != rests_on:
            found = listed(state.folder, state.everything, state.order, state.filter)
            self._known = (rests_on, found)
        return self._known[1]

    def chosen(self) -> Found | None:
        """Give the entry under the cursor, which stays on its name; if that went, on its place."""
        found, state = self.entries(), self.state
        if not found:
            return None
        if not (state.place < len(found) and found[state.place].name == state.name):
            at = next((at for at, one in enumerate(found) if one.name == state.name), None)
            state.place = at if at is not None else min(state.place, len(found) - 1)
            state.name = found[state.place].name
        return found[state.place]

    def path_of(self, one: Found) -> str:
        """Give the absolute path of an entry."""
        return f"{self.state.path.rstrip('/')}/{one.name}"

    def _sides(self, width: int) -> tuple[int, int]:
        """Give the columns of the list, and where the preview begins; 0 where there is none."""
        if width < PREVIEW_FROM:
            return width, 0
        share = min(LIST_MOST, width * LIST_SHARE // 100)
        return share, share + 2

    def blocks(self, width: int, height: int, drawn: Drawn | None) -> list[Block]:
        """Give title, list, what is known of the selected one, status line and keys."""
        app, state = self.app, self.state
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            scene = Scene(app.snapshot, app.view, app.history, app.kept)
            return [Block("small", 0, 0, width, height, small(scene, width, height))]
        said = self._status(width, height)
        room = height - 3 - len(said)
        self.page = room
        columns, beside = self._sides(width)
        found, one = self.entries(), self.chosen()
        state.top = scroll_to(state.place, state.top, room, len(found))
        rows = panel.rows(found, state, columns, room) or panel.nothing(state, columns)
        summary = panel.summary(state, found, room, width) if state.folder is not None else BLANK
        title = with_badges(panel.heading(self.title, state, self.most, width), app.view, width)
        blocks = [
            Block("title", 0, 0, width, 1, [title]),
            Block("summary", 0, 1, width, 1, [summary]),
            Block("list", 0, 2, columns, room, rows),
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [self._footer(width)]),
        ]
        if beside and one is not None:
            lines = panel.about(one, drawn, app.view.now, width - beside)
            # Below the room of a picture, which it does not always fill.
            at = 2 + room - self._about_rows(height) if one.kind == "file" else 2
            blocks.append(Block("about", beside, at, width - beside, 2 + room - at, lines))
        return blocks

    def _about_rows(self, height: int) -> int:
        return ABOUT_ROWS_TALL if height >= TALL else ABOUT_ROWS

    def frames(self, width: int, height: int) -> Sequence[Frame]:
        """Give the preview of the selected picture."""
        one = self.chosen()
        _, beside = self._sides(width)
        if not beside or one is None or height < LEAST_HEIGHT:
            return ()
        high = height - 3 - len(self._status(width, height)) - self._about_rows(height)
        shown = one.kind == "file" and (one.picture or self.state.everything)
        if high < 3 or not shown:
            return ()
        path = self.path_of(one)
        version = hash((one.size, one.mtime))
        return (Frame("preview", beside, 2, width - beside, high, path, version=version),)

    def _status(self, width: int, height: int) -> list[Line]:
        state = self.state
        if state.typing:
            typed = (Span(" /", "title"), Span(state.filter, "strong"), Span("▏", "title"))
            return [fit((*typed, Span("  ↵ keeps it  Esc ends it", "dim")), width)]
        if state.filter and self.app.view.notice is None:
            return [fit((Span(f" /{state.filter}", "title"), Span("  Esc ends it", "dim")), width)]
        return status_lines(self.app.view, width, height, "")

    def _footer(self, width: int) -> Line:
        shown = FOOTER if self.most == 1 else (FOOTER[0], MANY, *FOOTER[1:])
        return keys(width, shown, MORE)
