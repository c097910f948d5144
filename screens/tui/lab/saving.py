"""Copies of results, put where the operator wants them; in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actions.edits.places import kept_files
from actions.session import Session
from console.edits.kept import KeptPicture
from console.errors import UsageError
from console.paths import expand


def save(session: Session, pictures: Sequence[KeptPicture], folder: str) -> tuple[str, ...]:
    """Copy pictures into a folder without replacing anything; gives their paths there.

    Args:
        session: whose kept files.
        pictures: of an edit.
        folder: as it was typed; `~` is the home directory.

    Raises:
        UsageError: it is no absolute folder (`lab.folder`).
        EditKeepError: a picture is missing or was changed, or the folder does not take it.
    """
    place = expand(folder.strip(), session.environ)
    if not place.is_absolute():
        raise UsageError("lab.folder", f"{folder} is not a whole path", "Begin it with / or ~")
    files = kept_files(session)
    return tuple(str(files.copy_to(picture, Path(place))) for picture in pictures)
