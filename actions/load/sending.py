"""Sending the requests of a run: each an edit of its own, with a seed of its own, of one group."""

import contextlib
import threading
from collections.abc import Callable

from actions.edit_now import EditNow
from actions.edits.places import kept_files
from actions.edits.preparing import Prepared, prepare
from actions.edits.request import EditRequest
from actions.load.model import LoadRequest
from actions.load.seeding import with_seed
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.edits.kept import EditError, KeptEdit, KeptPicture
from console.errors import ConsoleError
from console.store.edits import EditRecords, Filter


class EditSender:
    """Sends edits by way of `actions.edits`; what a service is sent is prepared once for each.

    Args:
        session: whose host.
        plan_id: of the run: the group of its edits.
        request: what is sent where.
        look: gives the host as it is now; None where nobody has looked.
    """

    def __init__(
        self,
        session: Session,
        plan_id: str,
        request: LoadRequest,
        look: Callable[[], HostSnapshot | None],
    ) -> None:
        self._session = session
        self._plan_id = plan_id
        self._edits = request.edits
        self._look = look
        self._locks = [threading.Lock() for _ in request.edits]
        self._prepared: dict[int, Prepared] = {}
        self._inputs: dict[str, KeptPicture] = {}

    def edit_id(self, number: int, attempt: int) -> str:
        """Give the id of one attempt at one request: it begins with the plan's."""
        again = f"-{attempt}" if attempt > 1 else ""
        return f"{self._plan_id}-{number:03d}{again}"

    def send(
        self,
        lane: int,
        seed: int,
        edit_id: str,
        report: Callable[[EditNow], None],
        stop: Callable[[], str],
    ) -> KeptEdit:
        """Send it and wait for its end; what was sent under this id before is only looked for."""
        from actions.edits.running import go_on, run_edit

        known = EditRecords(self._session.store).get(edit_id)
        if known is not None and known.submitted:  # by an earlier process of this run
            return go_on(self._session, known, report=report, stop=stop)
        try:
            prepared = self._ready(lane)
        except ConsoleError as error:
            return self._unsent(self._edits[lane], seed, edit_id, error)
        return run_edit(
            self._session,
            with_seed(prepared, seed),
            edit_id=edit_id,
            group=self._plan_id,
            report=report,
            stop=stop,
        )

    def forget(self, edit: KeptEdit) -> None:
        """Forget an attempt that was not taken, as another follows."""
        EditRecords(self._session.store).remove([edit.id])

    def discard_all(self) -> None:
        """Discard what an earlier process of this run had done when it was killed."""
        done = Filter(group=self._plan_id, states=("done",))
        for edit in EditRecords(self._session.store).find(done, limit=-1):
            self.discard(edit)

    def discard(self, edit: KeptEdit) -> None:
        """Remove the results of an edit and what is known of it; its inputs stay for the others."""
        files = kept_files(self._session)
        for picture in edit.of_role("output"):
            # One that was changed meanwhile is somebody's.
            with contextlib.suppress(ConsoleError):
                files.remove(picture)
        for picture in edit.of_role("input"):
            self._inputs[picture.sha256] = picture
        EditRecords(self._session.store).remove([edit.id])

    def tidy(self) -> None:
        """Remove the inputs of what was discarded, where no other edit needs them."""
        records, files = EditRecords(self._session.store), kept_files(self._session)
        for sha256, picture in self._inputs.items():
            if not records.using(sha256):
                with contextlib.suppress(ConsoleError):
                    files.remove(picture)

    def _ready(self, lane: int) -> Prepared:
        """Prepare what a service is sent, once it answers.

        Raises:
            ConsoleError: it does not, or does not take it.
        """
        with self._locks[lane]:
            there = self._prepared.get(lane)
            if there is None:
                there = prepare(self._session, self._edits[lane], self._look())
                self._prepared[lane] = there
            return there

    def _unsent(
        self, request: EditRequest, seed: int, edit_id: str, error: ConsoleError
    ) -> KeptEdit:
        """Give an edit that could not even be prepared: it surely was not taken."""
        return KeptEdit(
            id=edit_id,
            group=self._plan_id,
            state="failed",
            service=request.service,
            kind="",
            workflow=request.workflow,
            variant=request.variant,
            seed=seed,
            created_at=self._session.clock.now(),
            error=EditError(
                code=error.code, title=error.title, hint=error.hint, detail=error.detail
            ),
        )
