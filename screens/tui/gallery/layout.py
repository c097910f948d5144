"""Where things stand in the gallery: list, pictures, details; or pictures alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from console.edits.kept import KeptEdit
from screens.tui.gallery import about, list_panel
from screens.tui.gallery.framing import frames_of
from screens.tui.gallery.source import GallerySource, Hung, Names
from screens.tui.gallery.state import State
from screens.tui.paint import Line, Span, fit, wrap
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.panels.header import with_badges
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.pictures.frame import Frame
from screens.tui.rows import scroll_to
from screens.tui.split import SIDE_FROM, scrolled
from screens.tui.view import Block, Scene

if TYPE_CHECKING:
    from screens.tui.application import Console

FOUND, NAMES = "gallery", "gallery-names"
LOOK_AGAIN_SECONDS = 5.0
"""The database is asked again this often while the gallery is shown."""
LIST_SHARE, LIST_MOST = 42, 66
PICTURE_SHARE = 46
"""Per cent of the height that pictures take beside a list."""
PICTURE_WIDTH, PICTURE_LEAST = 40, 24
"""Per cent of the width that pictures take below a list, and the columns they take at least."""
NOWHERE = (0, 0, 0, 0)
FOOTER = (
    Key("↵", "large", "key enter"),
    Key("f", "flip", "key f"),
    Key("r", "again", "key r"),
    Key("e", "use", "key e"),
    Key("/", "search", "key slash"),
    Key("F", "filter", "key F"),
    Key("d", "delete", "key d"),
    Key("y", "path", "key y"),
    Key("x", "actions", "key x"),
    Key("t", "states", "key t"),
    Key("w", "save", "key w"),
    Key("Esc", "back", "key escape"),
)
MORE = Key("?", "help", "key question_mark")


class Areas(NamedTuple):
    """Rectangles of list, pictures and details as x, y, width, height; none is all zeros."""

    list: tuple[int, int, int, int]
    pictures: tuple[int, int, int, int]
    details: tuple[int, int, int, int]


def areas(count: int, width: int, top: int, room: int, pictures: bool) -> Areas:
    """Share the screen: on a wide one the list at the left, else above; pictures and details.

    Args:
        count: edits that are listed.
        width: columns of the screen.
        top: its first row that is free.
        room: rows from there on.
        pictures: the selected edit has some; without them the details take their place.
    """
    if width >= SIDE_FROM:
        columns = min(LIST_MOST, width * LIST_SHARE // 100)
        x, rest = columns + 2, width - columns - 2
        if not pictures:
            return Areas((0, top, columns, room), NOWHERE, (x, top, rest, room))
        high = max(8, room * PICTURE_SHARE // 100)
        below = top + high + 1
        return Areas(
            (0, top, columns, room),
            (x, top, rest, high),
            (x, below, rest, max(0, top + room - below)),
        )
    high = min(count + 1, max(3, room * 2 // 5))
    below, left = top + high + 1, room - high - 1
    if not pictures:
        return Areas((0, top, width, high), NOWHERE, (0, below, width, left))
    columns = max(PICTURE_LEAST, width * PICTURE_WIDTH // 100)
    return Areas(
        (0, top, width, high),
        (0, below, columns, left),
        (columns + 1, below, width - columns - 1, left),
    )


class Drawing:
    """Draws the gallery and knows what is on it.

    Attributes:
        page: lines of details in sight.
        source: where it looks.
    """

    def __init__(self, app: Console, state: State, source: GallerySource) -> None:
        self.app = app
        self.state = state
        self.page = 1
        self.source = source

    # -- what there is --------------------------------------------------------------------------

    def hung(self) -> Hung | None:
        """Give the edits that are listed; None before they were read first."""
        state, source = self.state, self.source
        wanted, most = state.wanted, state.most
        bucket = self.app.session.clock.monotonic() // LOOK_AGAIN_SECONDS
        key = ((wanted, most, state.look), bucket)
        return self.app.fits.get(FOUND, key, lambda: source.find(wanted, most))

    def names(self) -> Names | None:
        """Give what edits may be chosen by; None before they were read first."""
        return self.app.fits.get(NAMES, (self.state.look,), self.source.names)

    def edits(self) -> tuple[KeptEdit, ...]:
        """Give the edits that are listed."""
        found = self.hung()
        return found.edits if found is not None else ()

    def edit(self) -> KeptEdit | None:
        """Give the selected edit; the cursor stays on it, or where it stood."""
        listed, state = self.edits(), self.state
        if not listed:
            return None
        at = next((at for at, one in enumerate(listed) if one.id == state.edit), None)
        state.place = at if at is not None else min(state.place, len(listed) - 1)
        state.edit = listed[state.place].id
        return listed[state.place]

    # -- drawing --------------------------------------------------------------------------------

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, list, details, status line and keys."""
        app, state = self.app, self.state
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            scene = Scene(app.snapshot, app.view, app.history, app.kept)
            return [Block("small", 0, 0, width, height, small(scene, width, height))]
        found, edit = self.hung(), self.edit()
        said = self._status(width, height)
        blocks = [
            Block("status", 0, height - 1 - len(said), width, len(said), said),
            Block("keys", 0, height - 1, width, 1, [keys(width, FOOTER, MORE)]),
        ]
        top, room = self._room(width, height)
        if found is None or edit is None:
            lines = self._nothing(found, width)
            blocks.append(self._title(found, 0, width))
            return [*blocks, Block("details", 0, top, width, room, lines)]
        if state.full:
            line = about.in_a_line(edit, app.view.now)
            blocks.append(self._title(found, 0, width))
            return [*blocks, Block("summary", 0, top + room - 1, width, 1, [line])]
        area = areas(len(found.edits), width, top, room, bool(edit.pictures))
        x, y, wide, high = area.list
        state.list_top = scroll_to(state.place, state.list_top, high - 1, len(found.edits))
        rows = list_panel.table(found.edits, state, app.view.now, wide, high)
        blocks.append(Block("list", x, y, wide, high, rows))
        blocks.append(self._title(found, high - 1, width))
        x, y, wide, high = area.details
        self.page = max(1, high)
        lines = about.about(edit, found.files, app.view.now, wide)
        return [*blocks, *scrolled(state, lines, x, y, wide, high)]

    def _title(self, found: Hung | None, shown: int, width: int) -> Block:
        total = found.total if found is not None else None
        line = list_panel.heading(self.state, total, shown)
        return Block("title", 0, 0, width, 1, [with_badges(line, self.app.view, width)])

    def frames(self, width: int, height: int) -> Sequence[Frame]:
        """Give the pictures of the selected edit."""
        found, edit = self.hung(), self.edit()
        if found is None or edit is None or width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return ()
        top, room = self._room(width, height)
        if self.state.full:
            return frames_of(edit, found.files, self.state, 0, top, width, room - 1)
        area = areas(len(found.edits), width, top, room, bool(edit.pictures))
        return frames_of(edit, found.files, self.state, *area.pictures)

    def _room(self, width: int, height: int) -> tuple[int, int]:
        """Give the first row below the title, and how many there are down to the status line."""
        top = 1 if height < 20 else 2
        return top, height - top - 1 - len(self._status(width, height))

    def _status(self, width: int, height: int) -> list[Line]:
        state, view = self.state, self.app.view
        if state.typing:
            typed = (Span(" /", "title"), Span(state.wanted.text, "strong"), Span("▏", "title"))
            return [fit((*typed, Span("  ↵ keeps it  Esc ends it", "dim")), width)]
        return status_lines(view, width, height, "")

    def _nothing(self, found: Hung | None, width: int) -> list[Line]:
        trouble = self.app.fits.trouble(FOUND)
        if trouble is not None:
            text = f"{trouble.title}; {trouble.hint}" if trouble.hint else trouble.title
            return [(Span(f"  {part}", "warning"),) for part in wrap(text, max(10, width - 4))]
        if found is None:
            return [(Span("  reading what was kept …", "dim"),)]
        return list_panel.nothing(self.state.wanted, width)
