"""How edits are, in the words and symbols of the lab."""

from __future__ import annotations

from actions.edit_now import EditNow
from console.edits.kept import KeptEdit
from console.text import clean_line
from console.units import format_duration
from screens.tui.paint import UNKNOWN
from screens.tui.words import State

EDITS = {
    "queued": State("○", "dim", "queued"),
    "running": State("▶", "accent", "running"),
    "uncollected": State("▲", "warning", "not fetched"),
    "done": State("✔", "ok", "done"),
    "failed": State("✖", "error", "failed"),
    "cancelled": State("○", "dim", "cancelled"),
    "interrupted": State("▲", "warning", "interrupted"),
}
PHASES = {
    "preparing": "getting ready",
    "uploading": "sending the pictures",
    "queued": "queued",
    "loading": "loading the model",
    "encoding": "reading prompt and pictures",
    "sampling": "sampling",
    "decoding": "decoding",
    "saving": "saving",
    "fetching": "fetching the result",
    "working": "working",
}


def edit_state(edit: KeptEdit) -> State:
    """Say how an edit is."""
    return EDITS.get(edit.state, State("·", "dim", clean_line(edit.state, 20)))


def phase_words(now: EditNow) -> str:
    """Say what an edit is at, such as `queued, 2 before it` or `sampling 12/20`."""
    words = PHASES.get(now.phase, clean_line(now.phase, 20))
    if now.phase == "queued":
        if now.ahead is None:
            return words
        return f"{words}, {now.ahead} before it" if now.ahead else f"{words}, it is next"
    if now.steps and now.phase in {"sampling", "working"}:
        return f"{words} {now.step}/{now.steps}"
    return words


def step_words(seconds: float | None) -> str:
    """Write how long a step takes, such as `15.1 s/step`; empty where nobody could tell."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s/step" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms/step"


def seconds_words(seconds: float | None) -> str:
    """Write a time; a dash where nobody could tell."""
    return UNKNOWN if seconds is None else format_duration(seconds)


def took(edit: KeptEdit) -> float | None:
    """Give how long an edit took from being asked for to its end, in seconds."""
    if edit.timings.total is not None:
        return edit.timings.total
    return edit.timings.run


def short_variant(variant: str) -> str:
    """Write a variant's id where there is little room: what all of them begin with goes."""
    return clean_line(variant, 60).removeprefix("qwen-edit-").removeprefix("qwen-image-edit-")


def one_line(text: str) -> str:
    """Give a prompt in one line; of a very long one only its beginning is looked at."""
    return clean_line(text[:2000], 1000)
