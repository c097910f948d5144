"""What a plan fetches, links and keeps, as a table of its files instead of a list of steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from actions.plan import Plan, Step
from console.text import clean_line
from console.units import format_bytes
from screens.tui.paint import Line, Span, left, right, text_width, wrap

ITEM = "item"
"""Key of a step's options under which a plan that moves files has one of them."""
ACTIONS = {
    "fetch": ("⇩", "accent", "fetch"),
    "link": ("=", "ok", "link"),
    "keep": ("✔", "ok", "here"),
}
SIZE, WORD = 9, 7


def moves_files(plan: Plan) -> bool:
    """Tell whether a plan's steps are files that are fetched, linked or kept."""
    return bool(plan.steps) and all(
        isinstance(step.options.get(ITEM), Mapping) for step in plan.steps
    )


def file_lines(plan: Plan, width: int) -> list[Line]:
    """Give a line for each file with what happens to it; below, once for several, where it goes."""
    lines: list[Line] = []
    before = ""
    for step in plan.steps:
        item: Mapping[str, Any] = step.options[ITEM]
        lines.append(_file(item, width))
        where = _where(item)
        if where != before:
            lines += [(Span("  "), Span(part, "dim")) for part in wrap(where, width - 2)]
        before = where
    return lines


def _file(item: Mapping[str, Any], width: int) -> Line:
    symbol, role, word = ACTIONS.get(str(item.get("action")), ("·", "text", "do"))
    size, done = int(item.get("size") or 0), int(item.get("done") or 0)
    tail = f" {right(format_bytes(size), SIZE)}  {left(word, WORD)}"
    name = clean_line(str(item.get("path") or "").rpartition("/")[2], 255)
    part = f"  {format_bytes(done)} of it here" if done else ""
    room = max(8, width - 2 - text_width(tail))
    return (
        Span(f"{symbol} ", role),
        Span(left(f"{name}{part}", room), "strong"),
        Span(tail, role),
    )


def _where(item: Mapping[str, Any]) -> str:
    """Say from where to where; a link and a kept file come from nowhere else."""
    folder = clean_line(str(item.get("path") or "").rpartition("/")[0], 500)
    if item.get("action") == "link":
        return f"to {folder}, the same bytes as {clean_line(str(item.get('source') or ''), 500)}"
    if item.get("action") == "keep":
        return f"in {folder}"
    return f"from {_hub(item)} to {folder}"


def _hub(item: Mapping[str, Any]) -> str:
    """Name the repository with the beginning of the commit that is fetched."""
    spec, hub = item.get("spec"), item.get("hub")
    repo = str(spec.get("repo") or "") if isinstance(spec, Mapping) else ""
    commit = str(hub.get("commit") or "") if isinstance(hub, Mapping) else ""
    return clean_line(f"{repo}@{commit[:8]}" if commit else repo or "the hub", 200)


def commands(steps: Sequence[Step], width: int) -> list[Line]:
    """Give what a person would type for each step."""
    return [
        (Span("$ " if not place else "  ", "dim"), Span(part, "accent"))
        for step in steps
        for place, part in enumerate(wrap(step.command, width - 2))
    ]
