"""Where the findings view gets what it shows; everything here is called in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from actions.doctor.check import Checked, Examination
from actions.runbook.finding import Finding
from actions.session import Session
from actions.snapshot import HostSnapshot

if TYPE_CHECKING:
    from actions.doctor.change import Changes

# The doctor, the runbook and the database are imported in the thread that uses them.


class FindingSource(Protocol):
    """What the view needs of the actions."""

    def examine(self) -> Iterator[Checked | Examination]:
        """Examine the host: each check as it ends, at last the whole."""
        ...

    def changes(self, finding: Finding, snapshot: HostSnapshot) -> Changes:
        """Give what changed around the beginning of a finding."""
        ...


class SessionFindings:
    """The real one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def examine(self) -> Iterator[Checked | Examination]:
        """Examine the host as `gpuconsole doctor` does."""
        from actions.doctor.examining import examine

        return examine(self._session)

    def changes(self, finding: Finding, snapshot: HostSnapshot) -> Changes:
        """Look into the timeline, the engine's memory and the files."""
        from actions.doctor.changes import what_changed

        return what_changed(self._session, finding, snapshot)
