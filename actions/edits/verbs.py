"""The verb `edit`: plan one, run it, go on with one that was left, give one up."""

import shlex
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actions.containers.verbs import new_plan_id
from actions.edit_now import EditNow
from actions.edits.carried import carried, carry
from actions.edits.places import outputs_root
from actions.edits.preparing import Prepared, doubtful, prepare
from actions.edits.request import EditRequest
from actions.edits.running import cancel_left, go_on, run_edit
from actions.edits.stopping import CANCEL, LEAVE
from actions.edits.telling import end_text, now_text
from actions.edits.words import check
from actions.plan import Asker, Plan, Step
from actions.session import Session
from actions.step_thread import Outcome, Talk, Work
from actions.trouble import DroppedStepError, PausedStepError
from console.edits.kept import OPEN_STATES, EditError, KeptEdit
from console.errors import ConsoleError, ExitCode, RefusedError, UsageError
from console.store.edits import EditRecords
from console.text import clean_line

_SHOWN_PROMPT = 200
_AWAY = frozenset({
    "web.refused", "web.no-host", "web.no-connection", "web.connect-timeout", "web.timeout",
    "web.closed", "web.tls", "edit.not-submitted", "edit.submit-unknown", "edit.gone",
})  # fmt: skip


class EditFailedError(ConsoleError):
    """An edit has no result here; `outcome` is how its plan ends."""

    outcome = "failed"

    def __init__(self, error: EditError, outcome: str = "failed") -> None:
        super().__init__(error.code, error.title, error.hint, error.detail)
        self.outcome = outcome
        if error.code in _AWAY:
            self.exit_code = ExitCode.UNREACHABLE


class EditVerbs:
    """Plans and performs `edit`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan of an edit with a workflow; nothing is sent by it.

        Args:
            verb: `edit`.
            name: of the workflow.
            options: fields of `EditRequest`; None leaves one as it is.
            asker: who asks.

        Raises:
            UsageError: the request makes no sense.
            PictureError: a picture cannot be used.
            UnreachableError, ServiceFault: there is no service for it, or it does not answer.
        """
        prepared = prepare(self._session, request_of(name, options))
        return edit_plan(self._session, verb, prepared, asker)

    def replan(self, plan: Plan) -> Plan:
        """Give the plan itself: its step looks at what is true when it begins."""
        return plan

    def work(self, plan: Plan, step: Step) -> Work:  # noqa: ARG002 -- it has one step
        """Give what runs the edit."""
        return EditWork(self._session, plan)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how the edit stands."""
        edit = EditRecords(self._session.store).get(plan.id)
        return {"text": f"the edit is {edit.state}" if edit else "nothing was sent"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:  # noqa: ARG002
        """Give no steps: a picture that was made is kept."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002 -- see below
        """Refuse: an edit is removed by a plan of its own.

        Raises:
            RefusedError: always (`undo.none`).
        """
        raise RefusedError(
            "undo.none",
            f"the last plan was edit {plan.target}: it changed nothing that could be taken back",
            f"gpuconsole gallery rm {plan.id} removes its pictures",
        )

    def drop(self, plan: Plan) -> str:
        """Give an edit up that nobody watches any more, at its service too; says what came."""
        edit = EditRecords(self._session.store).get(plan.id)
        if edit is None or edit.state not in OPEN_STATES:
            return ""
        if edit.recipe.get("outputs") or edit.recipe.get("spooled"):
            return "it is done, and its picture is still to be collected: nothing of it was removed"
        return _unheard(cancel_left(self._session, edit))


class EditWork:
    """Runs the edit of one plan, or goes on with it."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self._session = session
        self._plan = plan
        self._aborted = threading.Event()

    def run(self, talk: Talk) -> Outcome:
        """Run it, and give where its pictures are.

        Raises:
            DroppedStepError: somebody cancelled it.
            PausedStepError: this process has to go; it is gone on with by the next.
            EditFailedError: it came to no picture, or to none that is here yet.
            ConsoleError: what was true when it was planned is not any more.
        """

        def stop() -> str:
            if self._aborted.is_set() or not talk.cancelled():
                return LEAVE if self._aborted.is_set() else ""
            return LEAVE if talk.pausing() else CANCEL

        def report(now: EditNow) -> None:
            talk.report(now)
            talk.tell(now_text(now))

        report(EditNow(edit_id=self._plan.id))
        edit = self._edit(report, stop)
        if edit.state == "done":
            return Outcome(end_text(edit), {"id": edit.id, "state": edit.state})
        return self._bad_end(edit, stop())

    def abort(self) -> None:
        """Leave it at its service."""
        self._aborted.set()

    def _edit(self, report: Any, stop: Any) -> KeptEdit:
        known = EditRecords(self._session.store).get(self._plan.id)
        if known is not None and (known.submitted or known.state not in OPEN_STATES):
            return go_on(self._session, known, report=report, stop=stop)
        try:
            prepared = prepare(self._session, carried(self._plan.options))
        except ConsoleError as error:
            if known is not None:  # one that was begun before, and surely not sent
                self._fails(known, error)
            raise
        return run_edit(
            self._session,
            prepared,
            edit_id=self._plan.id,
            report=report,
            stop=stop,
            at=self._plan.created_at,
        )

    def _fails(self, edit: KeptEdit, error: ConsoleError) -> None:
        EditRecords(self._session.store).change(
            edit.id,
            state="failed",
            ended_at=self._session.clock.now(),
            error=EditError(
                code=error.code, title=error.title, hint=error.hint, detail=error.detail
            ),
        )

    def _bad_end(self, edit: KeptEdit, wish: str) -> Outcome:
        if edit.state == "cancelled":
            said = _unheard(edit) or "it was broken off at its service"
            raise DroppedStepError("edit.cancelled", said)
        if edit.error is not None:
            still = edit.state in OPEN_STATES
            raise EditFailedError(edit.error, "interrupted" if still else "failed")
        if wish == CANCEL:
            raise DroppedStepError("edit.cancelled", "it was given up")
        raise PausedStepError("edit.left", "it goes on at its service")


def _unheard(edit: KeptEdit) -> str:
    """Say that a cancelled edit may still run; empty where its service has heard of it."""
    return edit.error.hint if edit.error is not None and edit.error.detail else ""


def request_of(name: str, options: Mapping[str, Any]) -> EditRequest:
    """Give the request of a plan's options.

    Raises:
        UsageError: an option that there is none of, or of another kind (`plan.bad-option`).
    """
    fields = {key: value for key, value in options.items() if value is not None}
    unknown = sorted(set(fields) - set(EditRequest.__struct_fields__))
    if unknown:
        raise UsageError("plan.bad-option", f"edit has no option {clean_line(unknown[0], 40)}")
    try:
        return msgspec.convert({**fields, "workflow": name}, EditRequest)
    except msgspec.ValidationError as error:
        raise UsageError("plan.bad-option", clean_line(str(error), 200)) from error


def edit_plan(session: Session, verb: str, prepared: Prepared, asker: Asker) -> Plan:
    """Give the plan of an edit that is prepared."""
    request = prepared.request
    verdict = "warned" if doubtful(prepared) else "ready"
    folder = str(outputs_root(session))
    keeps = check("edit.keeps", folder=folder)
    step = Step(
        id="edit",
        title=f"edit with {request.workflow} on {prepared.service}",
        touches=(f"the queue of {prepared.service}", f"pictures under {folder}"),
        command=command_of(request),
    )
    plan_id = new_plan_id(session)
    return Plan(
        id=plan_id,
        verb=verb,
        target=request.workflow,
        target_id=plan_id,
        steps=(step,),
        checks=(*prepared.checks, keeps),
        verdict="refused" if prepared.refusal is not None else verdict,
        refusal=prepared.refusal,
        facts={
            "service": prepared.service,
            "variant": request.variant,
            "seed": request.seed,
            "fetch": list(prepared.fetch),
            "files": list(prepared.files),
        },
        options=carry(request),
        subject="edits",
        fits=(prepared.fit,) if prepared.fit is not None else (),
        endless=True,
        pausable=False,
        created_at=session.clock.now(),
        asker=asker,
    )


def command_of(request: EditRequest) -> str:
    """Give the command line that asks for an edit; a long prompt is cut."""
    words = ["gpuconsole", "edit", "--workflow", request.workflow]
    for image in request.images:
        words += ["--image", image]
    for name in ("prompt", "negative"):
        value = getattr(request, name)
        if value is not None:
            words += [f"--{name}", clean_line(value, _SHOWN_PROMPT)]
    for name in ("service", "variant", "encoder", "seed", "steps", "cfg", "denoise", "lightning"):
        value = getattr(request, name)
        if value not in {None, ""}:
            option = "text-encoder" if name == "encoder" else name
            words += [f"--{option}", str(value)]
    if request.size is not None:
        words += ["--size", f"{request.size[0]}x{request.size[1]}"]
    if request.out:
        words += ["--out", request.out]
    return shlex.join(clean_line(word, 400) for word in words)
