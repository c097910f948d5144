"""The processes of a container, listed again and again while somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.details.snapshot import Top
from console.errors import ConsoleError
from screens.tui.container.messages import ReadFailed, TopRead
from screens.tui.container.tab import LinesTab
from screens.tui.container.telling import error_lines, said_lines
from screens.tui.paint import BLANK, Line, Span, left, right, text_width
from screens.tui.panels.footer import Key

if TYPE_CHECKING:
    from textual.timer import Timer

    from screens.tui.container.screen import ContainerScreen

EVERY_SECONDS = 2.0
_MOST_COLUMN = 16
_NUMBERS = frozenset({"PID", "PPID", "C", "%CPU", "%MEM", "VSZ", "RSS"})


class TopTab(LinesTab):
    """Asks, and once answered waits before it asks again: a slow engine is not asked twice."""

    name, title, letter = "top", "Top", "T"
    keys = (Key("↑↓", "scroll", "key down"),)

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.shown: Top | None = None
        self._problem: ConsoleError | None = None
        self._timer: Timer | None = None

    def opened(self) -> None:
        """Begin to ask."""
        self.screen.questions.top()

    def closed(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def hear_top_read(self, message: TopRead) -> None:
        """Take the processes; ask again in a while."""
        self.shown, self._problem = message.top, None
        self._again()

    def hear_read_failed(self, message: ReadFailed) -> None:
        """Take why there are none; ask again in a while."""
        if message.what == "top":
            self.shown, self._problem = None, message.error
            self._again()

    def _again(self) -> None:
        self.closed()
        if self.screen.current is self and self.screen.is_mounted:
            self._timer = self.screen.set_timer(EVERY_SECONDS, self._ask)

    def _ask(self) -> None:
        if self.screen.is_current:
            self.screen.questions.top()
        else:
            self._again()

    def content(self, width: int) -> Sequence[Line]:
        """Give a line a process."""
        container = self.screen.container
        if container is not None and container.state not in {"running", "paused"}:
            text = f"It is {container.state}: it has no processes."
            return [BLANK, *said_lines(text, width, "text")]
        if self._problem is not None:
            return [BLANK, *error_lines(self._problem, width)]
        if self.shown is None:
            return [BLANK, *said_lines("Asking the engine …", width)]
        return _table(self.shown)


def _table(top: Top) -> list[Line]:
    """Give titles and rows in columns as wide as needed; the last takes the rest."""
    count = len(top.titles)
    rows = [tuple(row[:count]) + ("",) * (count - len(row)) for row in top.rows]
    widths = [
        min(_MOST_COLUMN, max(text_width(row[at]) for row in (top.titles, *rows)))
        for at in range(count)
    ]
    head = _row(top.titles, widths, top.titles, "dim")
    processes = "process" if len(rows) == 1 else "processes"
    return [
        (Span(f"  {len(rows)} {processes}", "dim"),),
        head,
        *(_row(row, widths, top.titles, "text") for row in rows),
    ]


def _row(cells: Sequence[str], widths: list[int], titles: Sequence[str], role: str) -> Line:
    spans = [Span("  ")]
    last = len(cells) - 1
    for at, cell in enumerate(cells):
        if at == last:
            spans.append(Span(cell, "strong" if role == "text" else role))
        else:
            place = right if titles[at] in _NUMBERS else left
            spans.append(Span(place(cell, widths[at]) + "  ", role))
    return tuple(spans)
