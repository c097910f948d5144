"""Where the views of models get what they show; everything here is called in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from actions.fit.model import Task
from actions.models.model import Choice, Issue
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.models.inventory.found import Inventory

# Scanning, recognising and the catalogue are imported in the thread that uses them.


class Looked(NamedTuple):
    """The model folders as they were found, and what is not as it should be."""

    inventory: Inventory
    issues: tuple[Issue, ...] = ()


class ModelSource(Protocol):
    """What the views need of the actions."""

    def look(self) -> Looked:
        """Look through the model folders; what has not changed comes from the cache."""
        ...

    def choices(self, snapshot: HostSnapshot, looked: Looked, task: Task) -> tuple[Choice, ...]:
        """Give every variant with what is on disk and where it fits."""
        ...

    def verify(self, paths: Sequence[str], report: Callable[[str], None]) -> tuple[str, bool]:
        """Read files whole and compare their hashes; gives what came of it, and if all is well.

        Args:
            paths: the files.
            report: told in words how far it is.
        """
        ...


class SessionModels:
    """The real one. A look whose files are the same as before gives the very same object."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._last: Looked | None = None

    def look(self) -> Looked:
        """Look through the model folders."""
        from actions.models.inventory import look
        from actions.models.issues import issues

        inventory = look(self._session)
        with self._lock:
            last = self._last
            if last is not None and (last.inventory.files, last.inventory.roots) == (
                inventory.files,
                inventory.roots,
            ):
                return last
            found = issues(inventory, self._session.catalog)
            self._last = Looked(inventory, found)
            return self._last

    def choices(self, snapshot: HostSnapshot, looked: Looked, task: Task) -> tuple[Choice, ...]:
        """Give every variant."""
        from actions.models.choosing import choices

        return choices(self._session, snapshot, looked.inventory, task=task)

    def verify(self, paths: Sequence[str], report: Callable[[str], None]) -> tuple[str, bool]:
        """Read files whole and compare their hashes."""
        raise NotImplementedError
