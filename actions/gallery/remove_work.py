"""Taking edits away: files first, then what is known of them, so that a crash orphans none."""

import contextlib
from typing import Any

from actions.edits.places import kept_files, spool_file
from actions.going_on import cancel
from actions.journal import Journal
from actions.plan import Step
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.trouble import CancelledStepError, StepError
from console.edits.keeping import EditKeepError
from console.edits.kept import OPEN_STATES, KeptEdit, KeptPicture
from console.errors import RefusedError
from console.store.edits import EditRecords
from console.store.plans import OPEN_STATES as JOB_OPEN
from console.store.plans import STOPPED_STATES
from console.text import clean_line
from console.units import format_bytes

_LET_STAY = frozenset({"edits.changed", "edits.not-ours", "edits.missing"})
"""What says that a file is not ours to delete any more; the edit is forgotten all the same."""
_FRESH_SECONDS = 60.0
_TELL_EVERY = 20
_MOST_RESULTS = 1000


class RemoveWork:
    """Removes the edits of a step, one after another."""

    def __init__(self, session: Session, step: Step) -> None:
        self._session = session
        self._wanted = [(str(one[0]), str(one[1]), int(one[2])) for one in step.options["edits"]]
        self._records, self._files = EditRecords(session.store), kept_files(session)
        self._aborted = False
        self._bytes = 0
        self._count = 0
        self._left: list[str] = []
        self._stopped: EditKeepError | None = None

    def run(self, talk: Talk) -> Outcome:
        """Remove them; gives `edits` with the ids that are gone, `files`, `bytes` and `left`.

        Raises:
            CancelledStepError: somebody cancelled in between.
            StepError: the disk does not let some go: those edits stay (`gallery.not-all`).
        """
        gone: list[str] = []
        for number, wanted in enumerate(self._wanted):
            if self._aborted or talk.cancelled():
                stay = len(self._wanted) - number
                raise CancelledStepError(
                    "gallery.stopped", f"stopped: {len(gone)} are gone, {stay} stay"
                )
            if number % _TELL_EVERY == 0:
                talk.tell(f"{number} of {len(self._wanted)} removed")
            if self._remove(*wanted):
                gone.append(wanted[0])
        if self._stopped is not None:
            stay = len(self._wanted) - len(gone)
            raise StepError(
                "gallery.not-all",
                f"{len(gone)} are gone, {stay} stay: {self._stopped.title}",
                self._stopped.hint,
            )
        return Outcome(self._told(len(gone)), self._data(gone))

    def abort(self) -> None:
        """End it before the next edit."""
        self._aborted = True

    def _remove(self, edit_id: str, state: str, pictures: int) -> bool:
        """Remove an edit that is as it was when the plan was made; tell whether it is gone."""
        edit = self._records.get(edit_id)
        if edit is None:
            return True
        if (edit.state, len(edit.pictures)) != (state, pictures):
            self._left.append(f"edit {edit_id} has changed since: it stays")
            return False
        if state in OPEN_STATES and not self._given_up(edit_id):
            self._left.append(f"edit {edit_id} is under way again: it stays")
            return False
        for picture in edit.pictures:
            if not self._take_away(edit, picture):
                return False
        self._records.remove([edit_id])
        if state == "uncollected":
            self._forget_waiting(edit_id)
        return True

    def _given_up(self, edit_id: str) -> bool:
        """See that no job goes on with an edit later, which would make it anew; False if one is."""
        row = Journal(self._session).plans.get(edit_id)
        if row is None or row.state not in (*JOB_OPEN, *STOPPED_STATES):
            return True
        if row.state in JOB_OPEN:
            return False
        try:
            cancel(self._session, edit_id)
        except RefusedError:  # somebody has just begun with it
            return False
        return True

    def _take_away(self, edit: KeptEdit, picture: KeptPicture) -> bool:
        """Remove a picture's file unless it has to stay; False where the disk refuses.

        What another edit has too stays until that one goes, though that be the next.
        """
        shared = self._records.others_have(picture.path, [edit.id])
        if shared or self._taken_anew(edit, picture):
            return True
        try:
            removed = self._files.remove(picture)
        except EditKeepError as error:
            if error.code in _LET_STAY:
                self._left.append(error.title)
                return True
            self._stopped = error
            return False
        if removed:
            self._count += 1
            self._bytes += picture.size
        return True

    def _forget_waiting(self, edit_id: str) -> None:
        """Remove results that wait beside the journal for a folder that takes them."""
        for number in range(_MOST_RESULTS):
            with contextlib.suppress(OSError):
                spool_file(self._session, edit_id, number).unlink()

    def _taken_anew(self, edit: KeptEdit, picture: KeptPicture) -> bool:
        """Tell whether another edit has just been given an input, and is not known of yet."""
        if picture.role != "input":
            return False
        used = self._files.used_at(picture)
        ended = edit.ended_at or edit.created_at
        if used is None or used <= ended:
            return False
        return abs((self._session.clock.now() - used).total_seconds()) < _FRESH_SECONDS

    def _told(self, gone: int) -> str:
        word = "edit is" if gone == 1 else "edits are"
        text = f"{gone} {word} gone, {format_bytes(self._bytes)} are free"
        return clean_line("; ".join([text, *self._left[:3]]), 500)

    def _data(self, gone: list[str]) -> dict[str, Any]:
        return {"edits": gone, "files": self._count, "bytes": self._bytes, "left": self._left}
