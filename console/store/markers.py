"""Which downloads have not ended for good, as names of empty files beside the database.

A look at one folder tells each start of the program whether there is anything to take up, and each
refresh of the screen whether there is a download to ask the database for.
"""

import contextlib
import os
import re

from console.paths import Places, ensure_private_dir

_HELD = ".held"
# Ids are our own, but the folder is anybody's who is this user.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Markers:
    """The marks of plans without an end of their own; losing them loses no download.

    A mark that cannot be written (a full disk) costs only that the download is not taken up by
    itself: the journal knows of it all the same.
    """

    def __init__(self, places: Places) -> None:
        self._folder = places.state_dir / "downloads"

    def put(self, plan_id: str) -> None:
        """Mark a plan as one that is under way, or is to be taken up."""
        # A mark tells of what the journal beside it holds: where that was removed it means nothing.
        if not self._folder.parent.is_dir() or ensure_private_dir(self._folder) is not None:
            return
        with contextlib.suppress(OSError):
            (self._folder / plan_id).touch(0o600)
            (self._folder / f"{plan_id}{_HELD}").unlink(missing_ok=True)

    def hold(self, plan_id: str) -> None:
        """Mark a plan as one that goes on only when somebody asks for it."""
        self.put(plan_id)
        with contextlib.suppress(OSError):
            (self._folder / plan_id).rename(self._folder / f"{plan_id}{_HELD}")

    def remove(self, plan_id: str) -> None:
        """Take a plan's mark away."""
        for name in (plan_id, f"{plan_id}{_HELD}"):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)

    def any(self) -> bool:
        """Tell whether there is any mark."""
        return bool(self._names())

    def waiting(self) -> tuple[str, ...]:
        """Give the ids of plans that are under way, or to be taken up."""
        return tuple(sorted(name for name in self._names() if not name.endswith(_HELD)))

    def _names(self) -> list[str]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 -- names alone, on the start-up path
        except OSError:
            return []
        return [name for name in names if _ID.fullmatch(name.removesuffix(_HELD))]
