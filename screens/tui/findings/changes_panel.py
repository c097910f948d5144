"""What changed: all that happened around the beginning of a finding, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from actions.runbook.finding import Finding
from console.errors import ConsoleError
from console.units import format_duration
from screens.tui.paint import TIMES, Line, Span, clickable, left, wrap
from screens.tui.words import local_clock

if TYPE_CHECKING:
    from actions.doctor.change import Change, Changes

HEADING = " What changed"
SHORT = 6
CLOCK = 7
ROLES = {"error": ("✖", "error"), "warning": ("▲", "warning"), "ok": ("✔", "ok")}


def change_lines(
    changes: Changes | None,
    trouble: ConsoleError | None,
    finding: Finding,
    whole: bool,
    now: datetime,
    width: int,
    label: int,
) -> list[Line]:
    """Give what changed under its heading; in short what is near and nearest, or all of it.

    Args:
        changes: what was gathered; None while it is not.
        trouble: why it could not be.
        finding: what it is about.
        whole: everything, with what is about other things.
        now: wall time.
        width: columns.
        label: columns of the labels before the texts.
    """
    heading: Line = clickable((Span(HEADING, "dim"), Span(" w", "key")), "key w")
    said = _said(changes, trouble)
    if changes is None or said:
        text = said or "looking …"
        return [heading, *_plain(text, width, label, "warning" if trouble else "dim")]
    shown = list(changes.entries) if whole else _nearest(changes)
    lines = [(*heading, *_window(changes, now))]
    marked = changes.onset is None
    for one in shown:
        if not marked and changes.onset is not None and (one.until or one.at) <= changes.onset:
            lines.append(_onset(changes.onset, now))
            marked = True
        lines += _change(one, changes.onset, finding, now, width)
    if not marked and changes.onset is not None:
        lines.append(_onset(changes.onset, now))
    lines += _rest(changes, shown, whole, width, label)
    if changes.problem is not None:
        lines += _plain(
            f"the timeline is not whole: {changes.problem.title}", width, label, "warning"
        )
    return lines


def _said(changes: Changes | None, trouble: ConsoleError | None) -> str:
    if trouble is not None:
        hint = f"; {trouble.hint}" if trouble.hint else ""
        return f"{trouble.title}{hint}"
    if changes is not None and not changes.entries and changes.onset is None:
        return "nothing is known of the last day, and not when this began"
    return ""


def _window(changes: Changes, now: datetime) -> Line:
    begin, end = local_clock(changes.since, now), local_clock(changes.until, now)
    if changes.onset is None:
        before = ", and before it" if any(one.long_before for one in changes.entries) else ""
        return (Span(f"  it is not known when this began; the last day{before}", "dim"),)
    return (Span(f"  {begin} to {end}", "dim"),)


def _nearest(changes: Changes) -> list[Change]:
    """Give the few that matter most, in their order."""
    near = [one for one in changes.entries if one.near] or list(changes.entries)
    kept = {id(one) for one in sorted(near, key=lambda one: _weight(one, changes.onset))[:SHORT]}
    return [one for one in changes.entries if id(one) in kept]


def _weight(one: Change, onset: datetime | None) -> tuple[int, float]:
    """Order what may have led there before what happened then, and that before what came after."""
    if onset is None:
        return (0 if one.changes else 1), -one.at.timestamp()
    distance = abs((one.at - onset).total_seconds())
    if _led_there(one, onset):
        return 0, distance
    return (2 if one.changes else 1), distance


def _led_there(one: Change, onset: datetime | None) -> bool:
    """Tell whether it is a change that may have led there: none comes after what it leads to."""
    return one.changes and (onset is None or one.at <= onset)


def _onset(onset: datetime, now: datetime) -> Line:
    return (Span(f"   {left(local_clock(onset, now), CLOCK)}", "title"), Span("it began", "title"))


def _change(
    one: Change, onset: datetime | None, finding: Finding, now: datetime, width: int
) -> Iterator[Line]:
    symbol, role = ROLES.get(
        one.severity, ("◆", "accent") if _led_there(one, onset) else ("·", "dim")
    )
    subject = (
        ""
        if one.subject in {finding.subject, "models"} or one.subject in one.text
        else f"{one.subject} "
    )
    times = f" {TIMES}{one.count}" if one.count > 1 else ""
    until = f" until {local_clock(one.until, now)}" if one.until and one.count > 1 else ""
    who = f"  ({one.who})" if one.who else ""
    text = f"{subject}{one.text}{times}{until}{who}{_before(one, onset)}"
    for place, part in enumerate(wrap(text, max(10, width - CLOCK - 6))):
        if not place:
            yield (
                Span(f"   {left(local_clock(one.at, now), CLOCK)}", "dim"),
                Span(f"{symbol} ", role),
                Span(part, "text" if one.near else "dim"),
            )
        else:
            yield (Span(" " * (CLOCK + 5)), Span(part, "text" if one.near else "dim"))


def _before(one: Change, onset: datetime | None) -> str:
    if onset is None or not _led_there(one, onset):
        return ""
    seconds = (onset - one.at).total_seconds()
    return f", {format_duration(float(int(seconds)))} before" if seconds >= 1 else ", just then"


def _rest(changes: Changes, shown: list[Change], whole: bool, width: int, label: int) -> list[Line]:
    onset = changes.onset
    earlier = [one for one in changes.entries if onset is None or one.at <= onset]
    lines: list[Line] = []
    if onset is not None and not any(one.changes and not one.long_before for one in earlier):
        took = format_duration((onset - changes.since).total_seconds())
        text = f"no change is known of the {took} before it began"
        lines += _plain(text, width, label, "dim")
    hidden = len(changes.entries) - len(shown)
    if hidden:
        lines += _plain(f"and {hidden} more: w shows all", width, label, "dim")
    elif whole and changes.left_out:
        text = f"{changes.left_out} more about other things: 6 opens the timeline"
        lines += _plain(text, width, label, "dim")
    return lines


def _plain(text: str, width: int, label: int, role: str) -> list[Line]:
    return [
        (Span(" " * label), Span(part, role)) for part in wrap(text, max(10, width - label - 1))
    ]
