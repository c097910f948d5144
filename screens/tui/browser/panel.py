"""The list of the file browser, and what is said of the entry under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from console.host.browsing import Found
from console.units import format_age, format_bytes
from screens.tui.browser.state import NEWEST, State
from screens.tui.paint import Line, Span, clickable, cut, fit, left, on, right, text_width, wrap
from screens.tui.pictures.words import error_lines, facts_lines, short_path, shown_path
from screens.tui.words import place_text

if TYPE_CHECKING:
    from screens.tui.pictures.drawing import Drawn

MARK, SIZE = 3, 10
KINDS = {"folder": "folder", "special": "no file", "broken": "leads nowhere"}
SECONDS_A_MOMENT = 1.0


def rows(listed: Sequence[Found], state: State, width: int, height: int) -> list[Line]:
    """Give the entries from `state.top` on, in `height` lines of `width`."""
    shown = listed[state.top : state.top + height]
    picked = {path.rpartition("/")[2]: place for place, path in enumerate(state.picked, 1)
              if path.rpartition("/")[0] == state.path.rstrip("/")}  # fmt: skip
    return [
        _row(one, at == state.place, picked.get(one.name, 0), width)
        for at, one in enumerate(shown, state.top)
    ]


def _row(one: Found, chosen: bool, picked: int, width: int) -> Line:
    name = shown_path(one.name, 400) or "(no name)"
    room = max(4, width - MARK - SIZE)
    if one.kind == "folder":
        name, role = cut(name, room - 1) + "/", "accent"
    else:
        role = "text" if one.picture else "dim"
        name = _middle_cut(name, room)
    tail = format_bytes(one.size) if one.kind == "file" else KINDS[one.kind]
    tail = "" if one.kind == "folder" else tail
    spans = (
        Span("▸" if chosen else " ", "title"),
        Span(f"{picked}" if picked else " ", "accent"),
        Span(" "),
        Span(left(name, room), "strong" if chosen else role),
        Span(right(tail, SIZE), "dim"),
    )
    line = fit(spans, width)
    return clickable(on(line, "selected") if chosen else line, f"row {one.name}")


def _middle_cut(name: str, width: int) -> str:
    """Shorten a name in its middle: its end has the number and the kind."""
    if text_width(name) <= width or width < 12:
        return cut(name, width)
    tail = name[-7:]
    return cut(name[:-7], width - text_width(tail)) + tail


def summary(state: State, listed: Sequence[Found], height: int, width: int) -> Line:
    """Say where in the list the cursor is, how it is sorted, and what is left out."""
    folders = sum(one.kind == "folder" for one in listed)
    files = len(listed) - folders
    what = _count(files, "file" if state.everything else "picture")
    words = f"{place_text(state.top, height, len(listed))} {what}, {_count(folders, 'folder')}"
    more = "  newest first" if state.order == NEWEST else ""
    more += "  only part of it is read" if state.folder is not None and state.folder.cut else ""
    return fit((Span(f" {words.strip()}", "dim"), Span(more, "dim")), width)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def nothing(state: State, width: int) -> list[Line]:
    """Say why nothing is listed."""
    room = max(10, width - 2)
    if state.folder is None:
        text = "reading …"
        if state.slow:
            text = "this folder does not answer: a dead mount? Backspace goes up, ~ home"
        return [
            (Span(f" {part}", "warning" if state.slow else "dim"),) for part in wrap(text, room)
        ]
    if state.folder.problem is not None:
        return error_lines(state.folder.problem, room)
    if state.filter:
        text = "no name has that in it; Esc ends the filter"
    elif state.folder.entries and not state.everything:
        entries = len(state.folder.entries)
        text = f"no pictures here; a lists all {entries} entries, p leads to samples"
    else:
        text = "this folder is empty"
    return [(Span(f" {part}", "dim"),) for part in wrap(text, room)]


def about(one: Found, drawn: Drawn | None, now: datetime, width: int) -> list[Line]:
    """Say what is known of the entry under the cursor."""
    room = max(10, width - 1)
    lines: list[Line] = [(Span(f" {part}", "strong"),) for part in wrap(_name(one), room)[:3]]
    if one.kind != "file":
        return [*lines, (Span(f" {KINDS[one.kind]}", "dim"),)]
    if drawn is not None and drawn.facts is not None:
        lines += facts_lines(drawn.facts, room)
    elif not one.picture:
        lines.append((Span(f" {format_bytes(one.size)}, no picture by its name", "dim"),))
    if one.mtime:
        lines.append((Span(f" {_when(one.mtime, now)}", "dim"),))
    return lines


def _when(mtime: float, now: datetime) -> str:
    moment = datetime.fromtimestamp(mtime, now.tzinfo)
    seconds = (now - moment).total_seconds()
    ago = f"  ({format_age(seconds)} ago)" if seconds >= SECONDS_A_MOMENT else ""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") + ago


def _name(one: Found) -> str:
    return shown_path(one.name, 400) or "(no name)"


def heading(title: str, state: State, most: int, width: int) -> Line:
    """Give what is asked for, how many are picked, and the folder."""
    count = f"  {len(state.picked)} of {most} picked" if most > 1 else ""
    head = [Span(f" {title}", "title"), Span(count, "accent"), Span("  ")]
    room = max(8, width - sum(text_width(one.text) for one in head) - 1)
    return (*head, Span(short_path(state.path or "…", room), "strong"))
