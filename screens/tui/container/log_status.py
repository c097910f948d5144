"""What the logs say about themselves: how they are read, where one is, what is searched for."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from actions.logs.line import short_source
from screens.tui.container.log_view import STATES
from screens.tui.container.telling import said_lines
from screens.tui.paint import Line, Span, cut, fit
from screens.tui.panels.footer import Key

if TYPE_CHECKING:
    from screens.tui.container.logs_tab import LogsTab

KEYS = (
    Key("Space", "pause", "key space"),
    Key("/", "search", "key slash"),
    Key("&", "filter", "key ampersand"),
    Key("}", "error", "key right_curly_bracket"),
    Key("t", "times", "key t"),
    Key("w", "wrap", "key w"),
    Key("^", "last start", "key circumflex_accent"),
    Key("v", "mark", "key v"),
    Key("S", "save", "key S"),
)


def grouped(number: int) -> str:
    """Write a number in groups of three digits."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")


def place(tab: LogsTab) -> str:
    """Say how many lines there are, and how many were dropped."""
    view = tab.view
    if view is None:
        return ""
    dropped = f", {grouped(view.book.dropped)} older dropped" if view.book.dropped else ""
    return f"{grouped(len(view.book))} lines{dropped}"


def status(tab: LogsTab, width: int) -> Line | None:
    """Give the status line: state, search, filter, marks."""
    view, follower = tab.view, tab.follower
    if view is None or follower is None:
        return None
    spans = [*_state(tab)]
    if tab.wanted:
        spans += _search(tab)
    if tab.filtering:
        busy = " …" if tab.is_scanning("filter") else ""
        hits = f" {grouped(len(view.filter.hits))}" if view.filter is not None else ""
        spans.append(Span(f"  &{cut(tab.filtering, 24)}{hits}{busy}", "title"))
        spans.append(Span(f" ±{tab.context}", "dim"))
    if tab.source:
        spans.append(Span(f"  only {cut(short_source(tab.source), 20)}", "title"))
    if view.mark is not None:
        count = len(view.marked())
        spans.append(Span(f"  {count} marked, y copies", "accent"))
    if view.offset and not view.wrap:
        spans.append(Span(f"  from column {view.offset + 1}", "dim"))
    if tab.unseen > 0:
        spans.append(Span(f"  {grouped(tab.unseen)} new ↓ G", "accent"))
    return fit(spans, width)


def _state(tab: LogsTab) -> list[Span]:
    follower, view = tab.follower, tab.view
    if follower is None or view is None:
        return []
    state = STATES.get(follower.state, STATES["reading"])
    paused = not view.following and follower.state in {"following", "reading"}
    if paused:
        return [Span(" ▮▮ paused", "warning")]
    spans = [Span(f" {state.symbol} {state.words}", state.role)]
    if follower.problem is not None and len(view.book):
        spans.append(Span(f": {follower.problem.title}", "warning"))
    return spans


def _search(tab: LogsTab) -> list[Span]:
    view = tab.view
    spans = [Span(f"  /{cut(tab.wanted, 24)}", "title")]
    if view is None or tab.is_scanning("search") or view.search is None:
        return [*spans, Span(" …", "dim")]
    hits = view.search.hits
    here = _place_of(hits, view.cursor)
    count = f" {grouped(here)} of {grouped(len(hits))}" if here else f" {grouped(len(hits))} hits"
    spans.append(Span(count, "strong" if hits else "warning"))
    marks = f"{' case' if tab.case else ''}{' regex' if tab.regex else ''}"
    return [*spans, Span(marks, "dim")]


def _place_of(hits: list[int], cursor: int) -> int:
    at = bisect_left(hits, cursor)
    return at + 1 if at < len(hits) and hits[at] == cursor else 0


def empty_lines(tab: LogsTab, width: int) -> list[Line]:
    """Say why there is no line to be seen."""
    follower, view = tab.follower, tab.view
    if follower is None or view is None:
        return []
    if len(view.book):
        return said_lines("No line is left by the filter. Esc takes it back.", width, "text")
    if follower.problem is not None:
        lines = said_lines(f"▲ {follower.problem.title}", width, "warning")
        return lines + said_lines(follower.problem.hint, width, "text")
    if follower.state == "reading":
        return said_lines("Reading …", width)
    texts = {
        "removed": "It is removed, and its log with it.",
        "lost": "The engine is lost; reading goes on once it is back.",
        "ended": "Its log is empty, and it does not run.",
    }
    return said_lines(texts.get(follower.state, "Its log is empty so far."), width, "text")
