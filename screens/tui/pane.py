"""The one widget: lines of spans on a rectangle of the screen, of which only changes are sent."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.tui.paint import BLANK, Line, fit, merge, text_width
from screens.tui.themes import NO_COLOUR, Palette
from screens.tui.view import Block


class Pane(Widget):
    """Shows the lines of a block; asks Textual to repaint only the cells that differ.

    Textual sends a row from a widget's left edge to the last cell that changed, so figures that
    move stand in narrow panes of their own.
    """

    ALLOW_SELECT = False

    class Pressed(Message):
        """A span with an action was clicked; `times` is 2 for a double click."""

        def __init__(self, action: str, times: int) -> None:
            super().__init__()
            self.action = action
            self.times = times

    def __init__(self, block: Block, palette: Palette) -> None:
        super().__init__(id=block.name)
        # Set here and not in CSS: a style sheet less to parse before the first frame.
        self.styles.position = "absolute"
        self._palette = palette
        self._given: Sequence[Line] = ()
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._place: tuple[int, int, int, int] | None = None
        self.show(block)

    def show(self, block: Block) -> None:
        """Move to the block's place if it is another, and show its lines."""
        place = (block.x, block.y, block.width, block.height)
        if place != self._place:
            self._place = place
            self.styles.offset = (block.x, block.y)
            self.styles.width = block.width
            self.styles.height = block.height
            self._lines = []
            self.refresh()
        self._take(block.lines, block.width, block.height)

    def repaint(self, palette: Palette) -> None:
        """Show the same lines in another look."""
        self._palette = palette
        self._strips.clear()
        self.refresh()

    def _take(self, lines: Sequence[Line], width: int, height: int) -> None:
        given, self._given = self._given, lines
        old = self._lines
        if len(old) != height:
            self._lines = [
                merge(fit(lines[y] if y < len(lines) else BLANK, width)) for y in range(height)
            ]
            self._strips.clear()
            self.refresh()
            return
        changed: list[Region] = []
        for y, before in enumerate(old):
            line = lines[y] if y < len(lines) else BLANK
            if y < len(given) and given[y] == line:
                continue
            after = merge(fit(line, width))
            if before != after:
                old[y] = after
                self._strips.pop(y, None)
                start, end = _changed_cells(before, after, width)
                if end > start:
                    changed.append(Region(start, y, end - start, 1))
        if changed:
            self.refresh(*changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Give rows to the compositor, past Textual's cache of styled lines.

        A pane has no border, padding or opacity, and its spans carry their whole style: what the
        cache would add costs a third of a repaint. Only a look without colours needs its filters.
        """
        if self._palette.name == NO_COLOUR:
            return super().render_lines(crop)
        rows = [self.render_line(y) for y in range(crop.y, crop.bottom)]
        if crop.x == 0 and crop.width == self.size.width:
            return rows
        return [row.crop(crop.x, crop.right) for row in rows]

    def render_line(self, y: int) -> Strip:
        """Give one row as Textual wants it."""
        strip = self._strips.get(y)
        if strip is None:
            style = self._palette.style
            if y < len(self._lines):
                segments = [Segment(span.text, style(span.role)) for span in self._lines[y]]
            else:
                segments = [Segment(" " * self.size.width, style("text"))]
            strip = self._strips[y] = Strip(segments)
        return strip

    def on_click(self, event: events.Click) -> None:
        """Tell the screen which span was clicked, if it does anything."""
        action = self.action_at(event.x, event.y)
        if action:
            event.stop()
            self.post_message(self.Pressed(action, event.chain))

    def action_at(self, x: int, y: int) -> str:
        """Give the action of the span at a cell; empty for none."""
        if not 0 <= y < len(self._lines):
            return ""
        for span in self._lines[y]:
            x -= text_width(span.text)
            if x < 0:
                return span.action
        return ""


def _changed_cells(before: Line, after: Line, width: int) -> tuple[int, int]:
    """Give the first column that differs and the one after the last; (0, 0) if none does."""
    start = _common(before, after)
    end = width - _common(_mirrored(before), _mirrored(after))
    return (start, end) if end > start else (0, 0)


def _mirrored(line: Line) -> Line:
    return tuple(span._replace(text=span.text[::-1]) for span in reversed(line))


def _common(one: Line, other: Line) -> int:
    """Give how many columns two lines have in common from their start, roles included."""
    columns = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine.role != theirs.role:
            break
        if mine.text == theirs.text:
            columns += text_width(mine.text)
            continue
        same = 0
        for a, b in zip(mine.text, theirs.text, strict=False):
            if a != b:
                break
            same += 1
        columns += text_width(mine.text[:same])
        break
    return columns
