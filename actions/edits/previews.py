"""Live pictures of an edit in a file, at most two a second, for whoever watches it."""

import contextlib
from pathlib import Path
from typing import Self

from actions.edits.going import Going
from actions.edits.places import preview_file
from actions.session import Session
from console.edits.events import Preview
from console.edits.result import PNG
from console.files import write_aside
from console.paths import ensure_private_dir

_EVERY = 0.5
_OLD = 3600.0


class Previews:
    """Writes the newest live picture of one edit, replaced by rename; as a context manager."""

    def __init__(self, session: Session, edit_id: str, going: Going) -> None:
        self._session = session
        self._edit_id = edit_id
        self._going = going
        self._written: set[Path] = set()
        self._at = float("-inf")

    def __enter__(self) -> Self:
        self._sweep()
        return self

    def __exit__(self, *exception: object) -> None:
        for path in self._written:
            with contextlib.suppress(OSError):
                path.unlink()
        if self._written:
            self._going.pictured("")

    def take(self, event: Preview) -> None:
        """Write a live picture, unless one was written just now; a full disk shows none."""
        now = self._session.clock.monotonic()
        if now - self._at < _EVERY:
            return
        self._at = now
        ending = ".png" if event.media == PNG else ".jpg"
        path = preview_file(self._session, self._edit_id, ending)
        # A state folder that somebody removed is not made anew for a passing picture.
        if not path.parent.parent.is_dir() or ensure_private_dir(path.parent) is not None:
            return
        with contextlib.suppress(OSError):
            write_aside(path, event.data, durable=False)
            self._written.add(path)
            self._going.pictured(str(path))

    def _sweep(self) -> None:
        """Remove live pictures that a killed process left."""
        folder = preview_file(self._session, self._edit_id, "").parent
        oldest = self._session.clock.now().timestamp() - _OLD
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                if path.lstat().st_mtime < oldest:
                    path.unlink()
