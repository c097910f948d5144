"""The widget of a picture: drawn in a thread, kept, and repainted only when it has changed.

`PictureScreen` (in `screens.tui.pictures.screen`) makes and places these from frames, as a live
screen makes panes from blocks; that is how a view shows pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from rich.segment import ControlType, Segment
from textual.app import App
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.tui.background import start, tell
from screens.tui.paint import BLANK, Line, Span, cut, fit, middle
from screens.tui.pictures.frame import Frame, Source
from screens.tui.pictures.words import picture_lines
from screens.tui.themes import NO_COLOUR, Palette

if TYPE_CHECKING:
    from screens.pictures.protocol import Protocol
    from screens.tui.application import Console
    from screens.tui.pictures.drawing import Asked, Drawn, PictureBook, Pixels

SLOW_SECONDS = 3.0
"""A disk that has not answered by then is said not to; a dead mount never does."""
GONE = "picture.missing"
_BOOKS: WeakKeyDictionary[App[object], PictureBook] = WeakKeyDictionary()


def book_of(app: Console) -> PictureBook:
    """Give the pictures that an application has drawn; made at the first one."""
    from screens.tui.pictures.drawing import PictureBook

    key = cast("App[object]", app)
    found = _BOOKS.get(key)
    if found is None:
        found = _BOOKS[key] = PictureBook()
    return found


class PictureView(Widget):
    """Shows one picture as large as it fits, its caption above it.

    `show` returns at once. While another screen lies above, `cover` takes away what is painted in
    pixels: those would shine through, the half blocks below them are cells like all others.
    """

    ALLOW_SELECT = False

    class Ready(Message):
        """A picture was drawn, in a thread."""

        def __init__(self, asked: Asked, drawn: Drawn) -> None:
            super().__init__()
            self.asked = asked
            self.drawn = drawn

    def __init__(self, frame: Frame, palette: Palette, way: Protocol) -> None:
        """Make one; it begins to draw once it is mounted.

        Args:
            frame: its name, place, and what it shows first.
            palette: the look of captions and words.
            way: how pictures are drawn, as `picture_way` gives it.
        """
        super().__init__(id=frame.name)
        # Set here and not in CSS, as a pane does.
        self.styles.position = "absolute"
        self._palette = palette
        self._way = way
        self._place: tuple[int, int, int, int] | None = None
        self._source: Source | None = None
        self._said = ("", "", 0)
        self._asked: Asked | None = None
        self._drawn: Drawn | None = None
        self._under_way: Asked | None = None
        self._begun = 0
        self._hung = False
        self._slow = False
        self._covered = False
        self._held: Pixels | None = None
        self._strips: list[Strip] | None = None
        self.show_frame(frame)

    def on_mount(self) -> None:
        """Draw what was asked for until now."""
        self._hung = True
        self._ask(fresh=True)
        self._again()

    @property
    def busy(self) -> bool:
        """Tell whether a picture is being drawn, or will be as soon as this is mounted."""
        return self._under_way is not None or not self._hung

    @property
    def source(self) -> Source | None:
        """Give the picture that is shown, or will be."""
        return self._source

    @property
    def drawn(self) -> Drawn | None:
        """Give what is shown now; None where nothing is, or not yet."""
        return self._drawn

    # -- what is shown --------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Move to a frame's place, and show what stands in it."""
        self.place(frame.x, frame.y, frame.width, frame.height)
        self.show(frame.source, frame.caption, frame.note, frame.version)

    def place(self, x: int, y: int, width: int, height: int) -> None:
        """Take a rectangle of the screen, in cells."""
        place = (x, y, max(1, width), max(1, height))
        if place == self._place:
            return
        self._place = place
        self.styles.offset = (x, y)
        self.styles.width, self.styles.height = place[2], place[3]
        self._ask(fresh=False)
        self._again()

    def show(
        self, source: Source | None, caption: str = "", note: str = "", version: int = 0
    ) -> None:
        """Show a picture; what is shown already is not read again.

        Args:
            source: path of its file, or its bytes; None for none.
            caption: what it is, on the row above it.
            note: what is said where there is none.
            version: another number says that the file was replaced: it is read again, and until
                then the last picture stays.
        """
        said = (caption, note, version)
        same = source == self._source
        if same and said == self._said:
            return
        self._source, self._said = source, said
        self._ask(fresh=not same)
        self._again()

    def repaint(self, palette: Palette) -> None:
        """Show the same in another look."""
        self._palette = palette
        self._again()

    def cover(self, covered: bool) -> None:
        """Say that another screen lies above, or no longer."""
        if covered == self._covered:
            return
        self._covered = covered
        if self._drawn is not None and self._drawn.pixels is not None:
            self._again()

    def forget(self) -> None:
        """Let the terminal forget the picture; for a widget that is hidden."""
        self._hold(None)
        self._strips = None

    def on_unmount(self) -> None:
        """Leave nothing in the terminal."""
        self._hold(None)

    # -- drawing, in a thread -------------------------------------------------------------------

    def _ask(self, fresh: bool) -> None:
        """Have drawn what is to be shown; with `fresh` the last picture does not stay meanwhile."""
        if not self.is_attached:
            return
        self._asked = asked = self._question()
        if asked is None:
            self._drawn = None
            return
        known = book_of(cast("Console", self.app)).last(asked)
        if known is not None or fresh:
            self._drawn = known
        self._begin()

    def _question(self) -> Asked | None:
        from screens.tui.pictures.drawing import MOST_PIXELS, MOST_PIXELS_FAR, Asked, cell_pixels

        if self._source is None or self._place is None:
            return None
        caption, _, version = self._said
        width, height = self._place[2], self._place[3] - bool(caption)
        if height < 1:
            return None
        asked = Asked(self._source, width, height, self._way.name, version)
        if self._way.name not in {"sixel", "kitty"}:
            return asked
        far = "SSH_CONNECTION" in cast("Console", self.app).session.environ
        most = MOST_PIXELS_FAR if far else MOST_PIXELS
        return asked._replace(cell=cell_pixels(), most=most, wrapped=self._way.wrapped)

    def _begin(self) -> None:
        """Start a thread unless one is under way; that one is followed by the newest question."""
        asked = self._asked
        if asked is None or (self._under_way is not None and not self._slow):
            return
        self._under_way, self._slow = asked, False
        self._begun += 1
        book = book_of(cast("Console", self.app))
        start(lambda: tell(self, self.Ready(asked, book.draw(asked))), "picture")
        turn = self._begun
        self.set_timer(SLOW_SECONDS, lambda: self._look_at(turn))

    def _look_at(self, turn: int) -> None:
        """Say that nothing comes; whatever is asked for next does not wait for it."""
        if self._under_way is not None and turn == self._begun:
            self._slow = True
            if self._asked != self._under_way:
                self._begin()
            self._again()

    def on_picture_view_ready(self, message: Ready) -> None:
        """Show what was drawn, if it is still wanted; else draw what is. The screen hears of it."""
        if message.asked == self._under_way:
            self._under_way, self._slow = None, False
        if message.asked != self._asked:
            self._begin()
        elif message.drawn is not self._drawn and not self._outlived(message.drawn):
            self._drawn = message.drawn
            self._again()

    def _outlived(self, drawn: Drawn) -> bool:
        """Tell whether a live picture's file is gone with its edit: the last one stays."""
        gone = drawn.error is not None and drawn.error.code == GONE
        return gone and self._drawn is not None and bool(self._drawn.rows)

    # -- cells ----------------------------------------------------------------------------------

    def _again(self) -> None:
        self._strips = None
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Give rows to the compositor as they are, as a pane does."""
        if self._palette.name == NO_COLOUR:
            return super().render_lines(crop)
        rows = [self.render_line(y) for y in range(crop.y, crop.bottom)]
        if crop.x == 0 and crop.width == self.size.width:
            return rows
        return [row.crop(crop.x, crop.right) for row in rows]

    def render_line(self, y: int) -> Strip:
        """Give one row as Textual wants it."""
        if self._strips is None:
            self._strips = self._make()
        return self._strips[y] if y < len(self._strips) else self._words(BLANK)

    def _make(self) -> list[Strip]:
        """Give all rows: the caption, then the picture in the middle, or words in its place."""
        if self._place is None:
            return []
        _, _, width, height = self._place
        caption = self._said[0]
        strips = [self._words((Span(middle(cut(caption, width), width), "dim"),))][: bool(caption)]
        drawn, room = self._drawn, height - len(strips)
        self._hold(drawn.pixels if drawn is not None else None)
        if drawn is None or not drawn.rows:
            strips += [self._words(line) for line in self._lines(drawn, width, room)[:room]]
            return strips + [self._words(BLANK)] * (height - len(strips))
        before = (width - drawn.width) // 2
        style = self._palette.style("text")
        head = [Segment(" " * before, style)] if before else []
        rest = width - before - drawn.width
        tail = [Segment(" " * rest, style)] if rest else []
        for row in drawn.rows[:room]:
            strips.append(Strip([*head, *(self._on_ground(one) for one in row), *tail], width))
        last = len(strips) - 1
        strips += [self._words(BLANK)] * (height - len(strips))
        painting = self._painting(drawn, before, width)
        if painting is not None:
            # After the cells it lies upon, so that these do not wipe it out again.
            strips[last] = Strip([*strips[last], painting], width)
        return strips

    def _on_ground(self, segment: Segment) -> Segment:
        """Give half blocks whose lower half is empty the ground of the screen."""
        style = segment.style
        if style is None or style.bgcolor is not None:
            return segment
        return Segment(segment.text, self._palette.style("text") + style)

    def _words(self, line: Line) -> Strip:
        width = self._place[2] if self._place is not None else self.size.width
        style = self._palette.style
        return Strip([Segment(span.text, style(span.role)) for span in fit(line, width)], width)

    def _lines(self, drawn: Drawn | None, width: int, height: int) -> Sequence[Line]:
        waiting = self._slow or (self._asked is not None and drawn is None)
        said = "slow" if self._slow else "drawing" if waiting else ""
        return picture_lines(self._source, drawn, self._said[1], said, width, height)

    # -- pixels ---------------------------------------------------------------------------------

    def _painting(self, drawn: Drawn, before: int, width: int) -> Segment | None:
        """Give what paints a sixel from the end of its last row, and puts the cursor back."""
        if drawn.pixels is None or not drawn.pixels.paint or self._covered:
            return None
        up = len(drawn.rows) - 1
        moves = f"\x1b[{width - before}D" + (f"\x1b[{up}A" if up else "")
        text = f"\x1b7{moves}{drawn.pixels.paint}\x1b8"
        return Segment(text, None, [(ControlType.CURSOR_FORWARD, 0)])

    def _hold(self, pixels: Pixels | None) -> None:
        """Give the terminal a picture that cells stand for, and have it forget the one before."""
        wanted = pixels if pixels is not None and pixels.number else None
        if wanted == self._held:
            return
        before, self._held = self._held, wanted
        book = book_of(cast("Console", self.app))
        if wanted is not None and book.hold(wanted.number):
            self._tell_terminal(wanted.send)
        if before is not None and book.release(before.number):
            self._tell_terminal(before.gone)

    def _tell_terminal(self, text: str) -> None:
        driver = self.app._driver
        if driver is not None and not self.app.is_headless:
            driver.write(text)
            driver.flush()
