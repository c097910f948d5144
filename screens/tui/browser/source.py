"""Where the file browser looks; everything here is called in a thread, for mounts may hang."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from actions.session import Session
from console.errors import ConsoleError
from console.host.browsing import Folder, folder_of, read_folder
from console.paths import find_home

MOST_PLACES = 9
_LOOKED_THROUGH = 100


class Place(NamedTuple):
    """A folder to go to, and what it is."""

    path: str
    what: str


class BrowserSource(Protocol):
    """What the browser needs."""

    def read(self, path: str, exact: bool = True) -> Folder:
        """Read a folder; where not `exact`, the nearest above it that there is.

        An empty path stands for where pictures were taken from last, else home.
        """
        ...

    def places(self) -> tuple[Place, ...]:
        """Give the folders that pictures came from, the newest first, and that of the samples."""
        ...

    def outputs(self) -> str:
        """Give the folder where results are kept."""
        ...

    def home(self) -> str:
        """Give the operator's home folder."""
        ...


class SessionBrowser:
    """The real one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, path: str, exact: bool = True) -> Folder:
        """Read a folder."""
        if not path:
            used = self.used()
            path, exact = used[0].path if used else self.home(), False
        return read_folder(path if exact else folder_of(path))

    def places(self) -> tuple[Place, ...]:
        """Give the folders that inputs of edits came from, then that of the sample pictures."""
        from console.pictures.samples import samples

        return (*self.used(), Place(str(samples()[0].parent), "sample pictures to try it with"))

    def used(self) -> tuple[Place, ...]:
        """Give the folders that inputs of edits came from; newest first, each once."""
        from console.store.edits import EditRecords

        found: dict[str, Place] = {}
        try:
            edits = EditRecords(self._session.store).find(limit=_LOOKED_THROUGH)
        except ConsoleError:
            # The store says elsewhere what is wrong with it; folders are there all the same.
            return ()
        for edit in edits:
            for picture in edit.of_role("input"):
                folder = picture.source.rpartition("/")[0]
                if folder and folder not in found:
                    found[folder] = Place(folder, f"used for {edit.workflow}")
        return tuple(found.values())[:MOST_PLACES]

    def outputs(self) -> str:
        """Give the folder where results are kept."""
        from actions.edits.places import outputs_root

        return str(outputs_root(self._session))

    def home(self) -> str:
        """Give the operator's home folder."""
        return str(find_home(self._session.environ) or "/")
