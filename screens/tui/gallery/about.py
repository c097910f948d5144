"""What the gallery says of an edit: what the lab says, and what became of its files since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.edits.kept import KeptEdit
from console.text import clean_line
from screens.tui.lab.result_panel import details, summary
from screens.tui.paint import Line, Span, wrap

FILES = {
    "missing": "is not there any more: moved, or deleted by somebody else",
    "changed": "was changed since it was kept; deleting the edit leaves it",
}
ASKED = "  prompt"
WAYS = {
    "uncollected": "c fetches its pictures as soon as the service and the disk allow it",
    "failed": "r puts its recipe into the lab, to change what went wrong",
    "interrupted": "R makes it once more",
    "cancelled": "R makes it once more",
}


def about(edit: KeptEdit, files: Mapping[str, str], now: datetime, width: int) -> list[Line]:
    """Give all about an edit in lines of `width`."""
    lines = details(edit, now, width)
    way = WAYS.get(edit.state, "")
    more: list[Line] = [
        (Span("    "), Span(part, "accent")) for part in _parts(f"→ {way}", width) if way
    ]
    if edit.group:
        text = f"· one of the run {clean_line(edit.group, 40)}; F lists its edits alone"
        more += [(Span("    "), Span(part, "dim")) for part in _parts(text, width)]
    for picture in edit.pictures:
        said = FILES.get(files.get(picture.path, ""), "")
        if said:
            name = clean_line(picture.path.rpartition("/")[2], 200)
            text = f"▲ {name} {said}"
            more += [(Span("    "), Span(part, "warning")) for part in _parts(text, width)]
    # After why it went wrong, before what was asked for.
    known = (at for at, line in enumerate(lines) if line and line[0].text.startswith(ASKED))
    place = next(known, 1)
    return [*lines[:place], *more, *lines[place:]]


def _parts(text: str, width: int) -> list[str]:
    return wrap(text, max(8, width - 6))


def in_a_line(edit: KeptEdit, now: datetime) -> Line:
    """Give what stands below pictures that have the whole screen."""
    return (Span(" "), Span(clean_line(edit.workflow, 30), "strong"), *summary(edit, now))
