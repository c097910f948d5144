"""The timeline: what was done on this host and what happened to it, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType

from actions.timeline import TimelineEntry
from console.units import format_duration
from screens.tui.interrupted import interrupted, interrupted_line
from screens.tui.keys import KeyHelp, bindings
from screens.tui.messages import TimelineRead
from screens.tui.paint import BLANK, Line, Span, cut, left, wrap
from screens.tui.panels.footer import Key
from screens.tui.panels.header import journal_words
from screens.tui.scroll_screen import SCROLL_KEYS, ScrollScreen
from screens.tui.words import local_clock

SHOWN = 200
PLANS = 50
"""So many plans are there at least, however much has happened since."""
MOST_TEXT = 5
"""Rows that the end of one plan may take."""
OUTCOMES = {
    "done": ("✔", "ok"),
    "running": ("▶", "accent"),
    "failed": ("✖", "error"),
    "refused": ("✖", "warning"),
    "stale": ("▲", "warning"),
    "interrupted": ("▲", "warning"),
    "paused": ("◑", "text"),
    "needs_token": ("▲", "warning"),
    "cancelled": ("✖", "warning"),
}
SEVERITIES = {
    "error": ("✖", "error"),
    "warning": ("▲", "warning"),
    "info": ("·", "dim"),
    "ok": ("✔", "ok"),
}
KEYS = (
    KeyHelp("u", "u", "undo", "undo the last plan", "Change"),
    KeyHelp("r", "r", "reload", "read the journal again", "Look"),
    KeyHelp("a", "a", "only_plans", "only what was done here, or all that happened", "Look"),
    KeyHelp("o", "o", "go_on", "go on with an interrupted plan", "Change"),
    KeyHelp("B", "B", "go_back", "go back from an interrupted plan", "Change"),
)


class TimelineScreen(ScrollScreen):
    """Reads the journal when it is opened and after every plan that ends, not by the clock."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.shown_keys = (SCROLL_KEYS[1], Key("u", "undo", "key u"))
        self.entries: tuple[TimelineEntry, ...] | None = None
        self.only_plans = False

    def on_screen_resume(self) -> None:
        """Read the journal again."""
        super().on_screen_resume()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the newest entries in a thread."""
        self.console_app.desk.read_timeline(SHOWN, PLANS)

    def take(self, message: TimelineRead) -> None:
        """Show the entries that were read."""
        self.entries = tuple(entry for entry in message.entries if isinstance(entry, TimelineEntry))
        self.paint()

    def action_only_plans(self) -> None:
        """Leave out what was not done from here, or show it again."""
        self.only_plans = not self.only_plans
        self.paint()

    def shown(self) -> tuple[TimelineEntry, ...]:
        """Give the entries that are to be seen."""
        entries = self.entries or ()
        return tuple(one for one in entries if one.plan_id) if self.only_plans else entries

    def heading(self) -> Line:
        """Give the title with how many entries there are."""
        number = len(self.shown())
        count = "" if self.entries is None else f"  {number} entr{'y' if number == 1 else 'ies'}"
        return (Span(" Timeline", "title"), Span(count, "dim"))

    def content(self, width: int) -> Sequence[Line]:
        """Give an entry's line and, below, its command and who asked."""
        trouble = self._trouble(width)
        if self.entries is None:
            return [*trouble, BLANK, (Span("  Reading the journal …", "dim"),)]
        if not self.shown():
            return [
                *trouble,
                BLANK,
                (Span("  Nothing has been changed from here yet."),),
                (Span("  Every start, stop and restart will be listed, with who asked.", "dim"),),
            ]
        now = self.console_app.view.now
        lines: list[Line] = trouble
        stopped = interrupted(self.entries)
        if stopped is not None:
            lines += [interrupted_line(stopped, now, width), BLANK]
        for entry in self.shown():
            lines += entry_lines(entry, now, width)
        return lines

    def _trouble(self, width: int) -> list[Line]:
        """Say above the entries why the journal is not what it should be."""
        problem = self.console_app.view.journal
        if problem is None:
            return []
        return [(Span(f" {text}", "warning"),) for text in wrap(journal_words(problem), width - 2)]

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def action_go_on(self) -> None:
        """Go on with what was interrupted, or propose how."""
        stopped = interrupted(self.entries or ())
        if stopped is not None:
            self.console_app.desk.go_on(stopped)

    def action_go_back(self) -> None:
        """Propose to go back from what was interrupted."""
        stopped = interrupted(self.entries or ())
        if stopped is not None and stopped.plan_id and not stopped.endless:
            self.console_app.desk.propose_back(stopped.plan_id)

    def action_back(self) -> None:
        """Go to the dashboard."""
        self.console_app.action_view(1)


def entry_lines(entry: TimelineEntry, now: datetime, width: int) -> list[Line]:
    """Give one entry: what and how it went, what it left, its command; lines of `width`."""
    if entry.plan_id is None:
        return happened_lines(entry, now, width)
    symbol, role = OUTCOMES.get(entry.outcome, ("·", "dim"))
    took = f"  {format_duration(entry.duration_seconds)}" if entry.duration_seconds else ""
    origin = f" from {entry.ssh_origin}" if entry.ssh_origin else ""
    undone = "  (undo)" if entry.undoes else ""
    head: Line = (
        Span(f" {left(local_clock(entry.at, now), 7)}", "dim"),
        Span(f"{symbol} ", role),
        Span(f"{entry.verb} {entry.target}", "strong"),
        Span(f"  {entry.outcome}", role),
        Span(f"{took}{undone}", "dim"),
        Span(f"  {entry.user}{origin}, {entry.via}", "dim"),
    )
    lines = [head]
    parts = wrap(entry.text, max(10, width - 12))
    if len(parts) > MOST_TEXT:
        parts = [*parts[: MOST_TEXT - 1], cut(" ".join(parts[MOST_TEXT - 1 :]), width - 12)]
    lines += [(Span(" " * 10), Span(text)) for text in parts if text]
    if entry.command:
        lines.append((Span(" " * 10), Span(f"$ {entry.command}", "dim")))
    return lines


def happened_lines(entry: TimelineEntry, now: datetime, width: int) -> list[Line]:
    """Give what happened to the host: when, how serious, to what, and what; lines of `width`."""
    symbol, role = SEVERITIES.get(entry.outcome, ("·", "dim"))
    since = "" if entry.count == 1 else f" since {local_clock(entry.at, now)}"
    often = f" ({entry.count} times{since})" if since else ""
    target = cut(entry.target, max(10, width // 3))
    parts = wrap(f"{entry.text}{often}", max(10, width - 12 - len(target)))
    if len(parts) > MOST_TEXT:
        parts = [*parts[: MOST_TEXT - 1], cut(" ".join(parts[MOST_TEXT - 1 :]), width - 12)]
    head: Line = (
        Span(f" {left(local_clock(entry.until or entry.at, now), 7)}", "dim"),
        Span(f"{symbol} ", role),
        Span(target, "text"),
        Span(f"  {parts[0] if parts else ''}", role if entry.outcome != "info" else "dim"),
    )
    return [head, *((Span(" " * 10), Span(text, "dim")) for text in parts[1:])]
