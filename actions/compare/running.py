"""Carrying a comparison out: each variant's edits one after another, then the report."""

import threading
from collections.abc import Mapping

import msgspec

from actions.compare.asked import Course, course_of
from actions.compare.cases import edit_id
from actions.compare.model import COLD, DONE, Shot
from actions.edit_now import EditNow
from actions.edits.preparing import Prepared
from actions.plan import Plan
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.trouble import DroppedStepError, PausedStepError
from console.edits.kept import OPEN_STATES, EditError, KeptEdit
from console.errors import ConsoleError
from console.store.edits import EditRecords

_UNCOLD = "its model may still have been loaded: "


class VariantWork:
    """Runs one variant: unloads the model, then its edits; what was made before is kept."""

    def __init__(self, session: Session, plan: Plan, variant: int) -> None:
        self._session = session
        self._plan = plan
        self._course = course_of(plan)
        self._variant = variant
        self._records = EditRecords(session.store)
        self._aborted = threading.Event()

    def run(self, talk: Talk) -> Outcome:
        """Run what is not there yet; an edit that fails is a row, and the rest goes on.

        Raises:
            PausedStepError, DroppedStepError: somebody wished to end.
        """
        course = self._course
        name = course.candidates[self._variant].name
        edits: dict[int, KeptEdit] = {}
        for shot in course.of(self._variant):
            cold = edits.get(course.of(self._variant)[0].number)
            if cold is not None and cold.state != DONE:
                break
            self._tell(talk, shot, f"{name}: {_what(shot)}")
            edits[shot.number] = self._edit(talk, shot)
            self._see_wish(talk)
        done = [one for one in edits.values() if one.state == DONE]
        failed = next((one for one in edits.values() if one.state != DONE), None)
        words = f"{name}: {len(done)} of {len(course.of(self._variant))} edits"
        if failed is not None and failed.error is not None:
            words += f"; {failed.error.title}"
        return Outcome(words, {"edits": [one.id for one in edits.values()]})

    def abort(self) -> None:
        """End it at the next moment, as somebody who leaves does."""
        self._aborted.set()

    def _edit(self, talk: Talk, shot: Shot) -> KeptEdit:
        """Make one edit, or go on with it, or give it where it is there already."""
        from actions.edits.running import go_on, run_edit
        from actions.edits.telling import now_text

        ident = edit_id(self._plan.id, shot.number)
        there = self._records.get(ident)
        if there is not None and there.state not in OPEN_STATES:
            return there

        def report(now: EditNow) -> None:
            placed = self._placed(now, shot)
            talk.report(placed)
            talk.tell(f"edit {shot.number} of {placed.of}: {now_text(placed)}")

        def stop() -> str:
            return self._wish(talk)

        if there is not None and there.submitted:
            return go_on(self._session, there, report=report, stop=stop)
        try:
            prepared = self._prepared(talk, shot)
        except (PausedStepError, DroppedStepError):
            raise
        except ConsoleError as error:
            return self._never_sent(shot, ident, error)
        return run_edit(
            self._session,
            prepared,
            edit_id=ident,
            group=self._plan.id,
            report=report,
            stop=stop,
        )

    def _prepared(self, talk: Talk, shot: Shot) -> Prepared:
        """Have the model unloaded where the edit is to run cold, and look at it once more."""
        from actions.compare.freeing import Waiting, await_ready, unload
        from actions.edits.preparing import prepare
        from actions.edits.services import target_named

        session, request = self._session, self._course.request_for(shot)
        waiting = Waiting(talk.tell, lambda seconds: self._rest(talk, seconds))
        doubt = ""
        target = target_named(session, request.service)
        if target is not None and shot.why == COLD:
            doubt = unload(session, target, waiting)
        elif target is not None:
            await_ready(session, target, waiting)
        prepared = prepare(session, request)
        if not doubt:
            return prepared
        return msgspec.structs.replace(prepared, warnings=(*prepared.warnings, f"{_UNCOLD}{doubt}"))

    def _never_sent(self, shot: Shot, ident: str, error: ConsoleError) -> KeptEdit:
        """Keep why an edit could not even be sent, so that it is a row like any other."""
        request, now = self._course.request_for(shot), self._session.clock.now()
        edit = KeptEdit(
            id=ident,
            group=self._plan.id,
            state="failed",
            service=request.service,
            kind="",
            workflow=request.workflow,
            variant=request.variant,
            prompt=request.prompt or "",
            negative=request.negative or "",
            seed=request.seed,
            steps=request.steps,
            recipe={"request": msgspec.to_builtins(request)},
            created_at=now,
            ended_at=now,
            error=EditError(
                code=error.code, title=error.title, hint=error.hint, detail=error.detail
            ),
        )
        self._records.add(edit)
        return edit

    def _placed(self, now: EditNow, shot: Shot) -> EditNow:
        """Give how an edit goes with its place among all."""
        name = self._course.candidates[self._variant].name
        note = now.note or f"{name}, {_what(shot)}"
        total = len(self._course.shots)
        return msgspec.structs.replace(now, done=shot.number - 1, of=total, note=note)

    def _tell(self, talk: Talk, shot: Shot, text: str) -> None:
        talk.tell(f"{text} (edit {shot.number} of {len(self._course.shots)})")

    def _wish(self, talk: Talk) -> str:
        """Give what somebody wishes, in the words of an edit's `stop`."""
        if self._aborted.is_set():
            return "leave"
        if not talk.cancelled():
            return ""
        return "leave" if talk.pausing() else "cancel"

    def _see_wish(self, talk: Talk) -> None:
        """Go on, unless somebody wishes to end.

        Raises:
            PausedStepError, DroppedStepError: somebody does.
        """
        wish = self._wish(talk)
        if wish == "cancel":
            raise DroppedStepError("compare.cancelled", "what was finished is kept")
        if wish:
            raise PausedStepError("compare.left", "what was finished is kept")

    def _rest(self, talk: Talk, seconds: float) -> None:
        self._aborted.wait(seconds)
        self._see_wish(talk)


class ReportWork:
    """Writes the report of what was made."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self._session = session
        self._plan = plan

    def run(self, talk: Talk) -> Outcome:
        """Write it; a disk that takes none costs the report, and it says so."""
        talk.tell("compares the pictures, writes the report")
        from actions.compare.ending import conclude

        concluded = conclude(self._session, self._plan)
        return Outcome(concluded.text, concluded.data)

    def abort(self) -> None:
        """Do nothing: it is over in seconds."""


def edits_of(session: Session, plan: Plan, course: Course) -> Mapping[int, KeptEdit]:
    """Give the edits of a comparison that were begun, by the number of their shot."""
    records = EditRecords(session.store)
    found = {one.number: records.get(edit_id(plan.id, one.number)) for one in course.shots}
    return {number: edit for number, edit in found.items() if edit is not None}


def _what(shot: Shot) -> str:
    steps = f", {shot.steps} steps" if shot.steps is not None else ""
    return f"{shot.why if shot.why == COLD else 'warm'}, seed {shot.seed}{steps}"
