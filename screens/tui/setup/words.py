"""How steps stand, in the symbols and words of the screen, and what its button says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.setup.report import StepReport
from screens.tui.words import State

if TYPE_CHECKING:
    from screens.tui.setup.walk import Walk

STATES = {
    "done": State("✔", "ok", "done"),
    "needed": State("▶", "accent", "to do"),
    "blocked": State("✖", "error", "blocked"),
    "failed": State("✖", "error", "failed"),
    "skipped": State("·", "dim", "left out"),
}
NOT_YET = State("○", "dim", "not yet")
UNDER_WAY = State("◐", "accent", "under way")
DOING = {
    "open": "Reading what is here …",
    "look": "Looking …",
    "again": "Looking again …",
    "answer": "Working out what follows from it …",
    "skip": "Leaving it out …",
    "do": "Doing it …",
    "save": "Writing the answers …",
}
PASSED = frozenset({"done", "skipped"})
RUNS = {
    "comfyui": "Build the image",
    "sharing": "Start it anew",
    "fetch": "Fetch the files",
    "start": "Start it",
    "verify": "Move it",
    "first-edit": "Edit the picture",
}
"""What is run, by step."""


def step_state(walk: Walk, ident: str) -> State:
    """Say how a step stands; what is under way comes first."""
    doing, report = walk.doing, walk.reports.get(ident)
    at_work = doing is not None and doing.ident == ident and doing.word in {"do", "look", "again"}
    if at_work or (walk.running is not None and ident == walk.at):
        return UNDER_WAY
    return STATES.get(report.state, NOT_YET) if report is not None else NOT_YET


def button_words(report: StepReport | None, applies: bool, last: bool, seen: bool = True) -> str:
    """Say what Enter does, on the button of a step; `seen`: what it writes was shown."""
    if report is None:
        return "…"
    if report.state in PASSED or not applies:
        return "Finish" if last else "Go on"
    if not ready(report):
        return "Check again"
    if report.diff and not seen:
        return "Show what it writes"
    runs = RUNS.get(report.id, "Run it")
    if not report.runs:
        return "Write it" if report.diff else "Do it"
    return f"Write it, then {runs[:1].lower()}{runs[1:]}" if report.diff else runs


def ready(report: StepReport) -> bool:
    """Tell whether a step can be done as it stands."""
    return report.state == "needed" and report.able


def capital(text: str) -> str:
    """Begin a title with a capital."""
    return text[:1].upper() + text[1:]
