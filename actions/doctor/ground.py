"""What the checks of one examination share: each thing is read once, by whoever needs it first."""

import threading
from functools import cached_property

from actions.runbook.book import Runbook, open_runbook
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status


class Ground:
    """The facts that an examination rests on; safe from several threads."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = threading.Lock()
        self._snapshot: HostSnapshot | None = None

    @property
    def snapshot(self) -> HostSnapshot:
        """Give the host as it was when the first check asked; never raises."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = read_status(self.session)
            return self._snapshot

    @cached_property
    def runbook(self) -> Runbook:
        """Give the runbook with the operator's own entries.

        Raises:
            UsageError: the operator's file is wrong.
        """
        return open_runbook(self.session.runbook_file)
