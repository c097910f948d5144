"""Where the views of models get what they show; everything here is called in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from actions.fit.model import Task
from actions.models.model import Choice, Issue
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.models.inventory.found import Inventory
from console.text import clean_line
from console.units import format_bytes
from screens.tui.transfer_words import done_text

if TYPE_CHECKING:
    from actions.models.verifying import Verdict

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

    def verify(
        self, paths: Sequence[str], full: bool, report: Callable[[str], None]
    ) -> tuple[str, bool]:
        """Compare files with the hashes they should have; gives what came of it, and if well.

        Args:
            paths: the files.
            full: read them all; else only those that are new or changed.
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

    def verify(
        self, paths: Sequence[str], full: bool, report: Callable[[str], None]
    ) -> tuple[str, bool]:
        """Compare files with the hashes they should have."""
        from actions.models.verifying import verify

        wanted = set(paths)
        files = [one for one in self.look().inventory.files if one.path in wanted]

        def told(path: str, done: int, size: int) -> None:
            report(f"reading {_name(path)}: {done_text(done, size)}")

        verdicts = list(verify(self._session, files, full=full, report=told))
        bad = [one for one in verdicts if not one.good]
        gone = len(wanted) - len(files)
        if not bad and not gone:
            return good_words(verdicts), True
        words = [f"{_name(one.path)} {one.state}: {one.title}" for one in bad[:3]]
        words += [f"{len(bad) - 3} more are not well"] if len(bad) > 3 else []
        words += [f"{gone} of {len(wanted)} are not there any more"] if gone else []
        return "; ".join(words), False


def good_words(verdicts: Sequence[Verdict]) -> str:
    """Say of how many files the bytes are right, and of how many nobody tells."""
    known = sum(one.state == "known" for one in verdicts)
    checked = len(verdicts) - known
    read = sum(one.read_bytes for one in verdicts)
    words = [f"{checked} checked: what hub or catalogue say"] if checked else []
    words += [f"{known} read: nobody says what they should be"] if known else []
    how = f"{format_bytes(read)} read" if read else "nothing had to be read: unchanged"
    return f"{', '.join(words) or 'nothing to verify'} ({how})"


def _name(path: str) -> str:
    return clean_line(path.rpartition("/")[2], 120)
