"""What the models view has computed in threads: each with its name and what it rests on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import msgspec

from actions.models.model import Choice, Piece
from screens.tui.fits import ground
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


def with_fetching(choice: Choice, live: Mapping[str, tuple[str, float]]) -> Choice:
    """Give a variant with how far its files are that are being fetched now.

    Args:
        choice: as it was computed.
        live: job and per cent, by path and by id of a file.
    """
    if not live:
        return choice
    pieces = tuple(_live(piece, live) for piece in choice.pieces)
    if pieces == choice.pieces:
        return choice
    missing = None
    if all(piece.size_bytes is not None for piece in pieces):
        missing = sum(_missing(piece) for piece in pieces)
    return msgspec.structs.replace(choice, pieces=pieces, state="fetching", missing_bytes=missing)


def _live(piece: Piece, live: Mapping[str, tuple[str, float]]) -> Piece:
    found = live.get(piece.path) or live.get(piece.id)
    if found is None or piece.state in {"present", "checked"}:
        return piece
    done = int((piece.size_bytes or 0) * found[1] / 100)
    return msgspec.structs.replace(
        piece, state="fetching", job_id=found[0], percent=found[1], done_bytes=done
    )


def _missing(piece: Piece) -> int:
    if piece.state in {"present", "checked"} or piece.size_bytes is None:
        return 0
    return max(0, piece.size_bytes - piece.done_bytes)
