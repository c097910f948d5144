"""Runs that are over, made by hand."""

from typing import Any

from actions.edits.request import EditRequest
from actions.load.model import CardNow, LoadRequest, Result, Sample

CARD, OTHER = "GPU-big", "GPU-small"


def request(*services: str, count: int = 4, **changes: Any) -> LoadRequest:
    """Give a run of so many requests to services."""
    edits = tuple(
        EditRequest(
            workflow="edit-single",
            service=name,
            variant="qwen-edit-2509-fp8",
            images=("/pictures/mug.png",),
            prompt="paint it blue",
            seed=7,
        )
        for name in services or ("comfy",)
    )
    return LoadRequest(**{"edits": edits, "requests": count, "at_once": 2, "seed": 7, **changes})


def result(number: int, ended: float, state: str = "done", **changes: Any) -> Result:
    """Give what came of a request that took two seconds."""
    values: dict[str, Any] = {
        "number": number,
        "seed": 6 + number,
        "service": "comfy",
        "state": state,
        "edit_id": f"edit-{number}",
        "attempts": 1,
        "first_begun": ended - 2,
        "begun": ended - 2,
        "ended": ended,
        "wait_seconds": 0.5,
        "run_seconds": 1.5,
        "total_seconds": 2.0,
        "vram_peak_bytes": number << 30,
        "outputs": (f"/out/{number}.png",) if state == "done" else (),
    }
    return Result(**{**values, **changes})


def failed(number: int, ended: float, code: str, **changes: Any) -> Result:
    """Give a request that failed with a code, and the kind that was called at once."""
    words = {"code": code, "title": f"it failed: {code}", "hint": "look", "kind": "other"}
    return result(number, ended, "failed", **{**words, **changes})


def sample(at: float, used: int | None = 5 << 30, *, lost: bool = False) -> Sample:
    """Give both cards at a moment."""
    return Sample(
        at=at,
        cards={
            OTHER: CardNow(name="RTX 3080", used_bytes=1 << 30, total_bytes=16 << 30),
            CARD: CardNow(
                name="RTX 3090",
                used_bytes=None if lost else used,
                total_bytes=24 << 30,
                temperature_celsius=None if lost else 60.0 + at,
                power_watts=None if lost else 300.0,
                lost=lost,
            ),
        },
    )
