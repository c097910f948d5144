"""What the models view has computed in threads: each with its name and what it rests on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import msgspec

from actions.models.model import Choice, Piece
from screens.tui.fits import ground
from screens.tui.models.jobs_panel import Moved
from screens.tui.models.source import Looked
from screens.tui.models.state import State

if TYPE_CHECKING:
    from screens.tui.application import Console

LOOK, CHOICES = "models", "choices"
LOOK_AGAIN_SECONDS = 20.0
"""The folders are looked at again this often while the view is shown; little is read for it."""


def look_key(app: Console, state: State) -> Hashable:
    """Give what a look at the folders rests on: that it was asked for, and the time."""
    return (state.look, app.session.clock.monotonic() // LOOK_AGAIN_SECONDS)


def looked(app: Console, state: State) -> Looked | None:
    """Give the newest look at the folders; None before the first is over."""
    return app.fits.get(LOOK, look_key(app, state), app.models.source.look)


def choices(app: Console, state: State, found: Looked) -> tuple[Choice, ...] | None:
    """Give every variant, by the newest look and the host as it is; None before the first."""
    snapshot, task = app.snapshot, state.task

    def make() -> tuple[Choice, ...]:
        return app.models.source.choices(snapshot, found, task)

    asked = (task.width, task.height, task.images)
    # A look that found what the last one found is the same object.
    return app.fits.get(CHOICES, (asked, id(found), ground(snapshot)), make)


def with_fetching(choice: Choice, live: Mapping[str, Moved]) -> Choice:
    """Give a variant with how far its files are that a download fetches, or has begun.

    Args:
        choice: as it was computed.
        live: what downloads have of files, by their paths and by their ids.
    """
    if not live:
        return choice
    pieces = tuple(_live(piece, live) for piece in choice.pieces)
    if pieces == choice.pieces:
        return choice
    missing = None
    if all(piece.size_bytes is not None for piece in pieces):
        missing = sum(_missing(piece) for piece in pieces)
    moving = any(piece.state == "fetching" for piece in pieces)
    state = "fetching" if moving else choice.state
    return msgspec.structs.replace(choice, pieces=pieces, state=state, missing_bytes=missing)


def _live(piece: Piece, live: Mapping[str, Moved]) -> Piece:
    found = live.get(piece.path) or live.get(piece.id)
    if found is None or piece.state in {"present", "checked"}:
        return piece
    done = int((piece.size_bytes or 0) * found.percent / 100)
    state = "fetching" if found.moving else piece.state
    return msgspec.structs.replace(
        piece, state=state, job_id=found.job_id, percent=found.percent, done_bytes=done
    )


def _missing(piece: Piece) -> int:
    if piece.state in {"present", "checked"} or piece.size_bytes is None:
        return 0
    return max(0, piece.size_bytes - piece.done_bytes)
