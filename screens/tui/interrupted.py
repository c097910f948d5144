"""A plan that was interrupted: found in the journal, and offered to go on or back."""

from collections.abc import Sequence
from datetime import datetime

from actions.timeline import TimelineEntry
from screens.tui.paint import Line, Span, clickable, fit
from screens.tui.words import local_clock


def interrupted(entries: Sequence[object], *, downloads: bool = True) -> TimelineEntry | None:
    """Give the newest plan that was interrupted, unless its target was changed since.

    Args:
        entries: of the timeline, newest first.
        downloads: whether they count.
    """
    touched: set[str] = set()
    for entry in entries:
        if not isinstance(entry, TimelineEntry) or not entry.plan_id:
            continue
        # There is one layout at a time: a switch to another one settles the one before.
        about = entry.verb if entry.verb == "switch" else entry.target_id
        if entry.endless and not downloads:
            continue
        if entry.outcome == "interrupted" and about not in touched:
            return entry
        if entry.outcome in {"done", "running", "interrupted"}:
            touched.add(about)
    return None


def interrupted_line(entry: TimelineEntry, now: datetime, width: int) -> Line:
    """Say what was interrupted and which keys go on with it or back from it."""
    when = local_clock(entry.at, now)
    # What a download has is kept: there is nothing to go back to.
    back = () if entry.endless else (Span("  B", "key"), Span(" go back", "dim"))
    tail = (
        *clickable((Span("  o", "key"), Span(" go on", "dim")), "key o"),
        *clickable((*back, Span(" ", "dim")), "key B"),
    )
    room = max(10, width - sum(len(span.text) for span in tail))
    named = f"{entry.verb} {entry.target}"
    said = entry.text if entry.text.startswith(named) else f"{named} was interrupted: {entry.text}"
    text = f"▲ {when} {said}"
    return (*fit((Span(" "), Span(text, "warning")), room), *tail)
