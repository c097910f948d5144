"""An edit from its pictures' upload to its result on this host's disk, whatever happens between.

What is submitted is written down before it is sent. It is sent once: whoever goes on with an edit
looks for it at the service, and fetches what it has left there.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from actions.edit_now import EditNow
from actions.edits.attempt import Attempt
from actions.edits.collecting import CollectError, outputs_in
from actions.edits.preparing import Prepared
from actions.edits.refusing import cancelled, error_of
from actions.edits.sending import sender_for, with_pictures
from actions.edits.services import connector, target_named
from actions.edits.stopping import CANCEL, StoppedError
from actions.session import Session
from console.edits.kept import OPEN_STATES, EditError, KeptEdit
from console.edits.words import trouble
from console.errors import ConsoleError, RefusedError
from console.store.edits import EditRecords

_MAY_BE_THERE = frozenset({"edit.submit-unknown"})
_FORGOTTEN = frozenset({"edit.removed", "edit.restarted"})


def _unheard(_now: EditNow) -> None:
    """Take figures that nobody asked for."""


def _never() -> str:
    return ""


def run_edit(
    session: Session,
    prepared: Prepared,
    *,
    edit_id: str,
    group: str = "",
    report: Callable[[EditNow], None] = _unheard,
    stop: Callable[[], str] = _never,
    at: datetime | None = None,
) -> KeptEdit:
    """Run an edit and give it as it is kept then; several may run at once in one process.

    It never raises for what goes wrong with the edit: `error` says that. An edit of this id that
    was begun before is gone on with; one that has ended is given as it is.

    Args:
        session: settings, places, clock, journal.
        prepared: what to run; one with a refusal fails by it.
        edit_id: under which it is kept.
        group: of the comparison or load run that it belongs to.
        report: told how it goes, at most five times a second but for what it is at, from several
            threads.
        stop: asked ten times a second: `cancel` breaks it off at the service, `leave` leaves it
            there to be gone on with, an empty text goes on.
        at: when it was asked for; now, where that is not given.

    Returns:
        The edit: `done`, `failed`, `cancelled` or `interrupted`; or in one of `OPEN_STATES` where
        it was left, or is not collected yet (`uncollected`, with its reason).
    """
    records = EditRecords(session.store)
    known = records.get(edit_id)
    if known is not None and (known.submitted or known.state not in OPEN_STATES):
        return go_on(session, known, report=report, stop=stop)
    edit = known or kept_of(prepared, edit_id, group, at or session.clock.now())
    records.add(edit)
    with Attempt(session, edit, prepared.gpu_uuid, report, stop) as attempt:
        try:
            _send(session, prepared, attempt)
        except StoppedError as stopped:
            attempt.stopped(stopped.wish)
        except CollectError as error:
            attempt.not_collected(error)
        except ConsoleError as error:
            _not_taken(session, error, attempt)
        return attempt.edit


def go_on(
    session: Session,
    edit: KeptEdit,
    *,
    report: Callable[[EditNow], None] = _unheard,
    stop: Callable[[], str] = _never,
) -> KeptEdit:
    """Go on with an edit that was submitted before: look for it, wait for it, collect it.

    It is never sent again. One that has ended is given as it is.

    Args:
        session: as of `run_edit`, like the others.
        edit: as it is kept.
        report: told how it goes.
        stop: asked whether to end.
    """
    if edit.state not in OPEN_STATES or not edit.submitted:
        return edit
    with Attempt(session, edit, edit.gpu_uuid, report, stop) as attempt:
        try:
            _look_for(session, attempt)
        except StoppedError as stopped:
            attempt.stopped(stopped.wish)
        except CollectError as error:
            attempt.not_collected(error)
        except ConsoleError as error:
            attempt.stays_open(error_of(error, {}, session.catalog))
        return attempt.edit


def cancel_left(session: Session, edit: KeptEdit) -> KeptEdit:
    """Cancel an edit that nobody watches any more, at its service too where that answers.

    Pictures that are finished but not fetched are not waited for.
    """
    if edit.state not in OPEN_STATES:
        return edit
    records = EditRecords(session.store)
    why = ""
    if edit.submitted and edit.kind == "comfyui" and not outputs_in(edit.recipe):
        target = target_named(session, edit.service)
        if target is not None:
            from console.comfyui.prompts import PromptCalls

            with connector(session, target)() as client:
                try:
                    PromptCalls(client).cancel(edit.prompt_ident)
                except ConsoleError as error:
                    why = error.title
    return records.change(
        edit.id,
        state="cancelled",
        ended_at=session.clock.now(),
        error=cancelled(edit.service, why),
    )


def kept_of(prepared: Prepared, edit_id: str, group: str, at: datetime) -> KeptEdit:
    """Give an edit as it is kept before anything of it is sent."""
    request, built = prepared.request, prepared.built
    fit = prepared.fit
    return KeptEdit(
        id=edit_id,
        group=group,
        state="queued",
        service=prepared.service,
        kind=prepared.kind,
        workflow=request.workflow,
        variant=built.variant,
        prompt=_in_graph(prepared, "prompt", request.prompt),
        negative=_in_graph(prepared, "negative", request.negative),
        seed=built.seed,
        steps=built.steps,
        cfg=built.cfg,
        width=built.size[0] if built.size else None,
        height=built.size[1] if built.size else None,
        lightning=request.lightning,
        recipe={"request": msgspec.to_builtins(request)},
        created_at=at,
        gpu_uuid=prepared.gpu_uuid,
        gpu_name=prepared.gpu_name,
        fit=fit.verdict if fit is not None and isinstance(fit.verdict, str) else "",
        warnings=prepared.warnings,
    )


def _in_graph(prepared: Prepared, name: str, asked: str | None) -> str:
    """Give a text as it is sent: as asked, else as the workflow's own graph has it."""
    if asked is not None:
        return asked
    value = prepared.workflow.value(name)
    return value if isinstance(value, str) else ""


def _send(session: Session, prepared: Prepared, attempt: Attempt) -> None:
    """Upload, submit, watch and collect.

    Raises:
        StoppedError: somebody wished to end before it was sent.
        CollectError: it is done, but not all here.
        ConsoleError: it was not taken.
    """
    refusal, built = prepared.refusal, prepared.built
    if refusal is not None:
        raise RefusedError(refusal.code, refusal.title, refusal.hint)
    connect = connector(session, prepared.target)
    sender = sender_for(session, prepared.kind, connect, built.path)
    names, pictures = attempt.upload(sender, connect, prepared.request.images)
    attempt.stopping.check()
    recipe: dict[str, Any] = {
        **attempt.edit.recipe,
        "graph": with_pictures(built.graph, prepared.workflow, names),
        "path": built.path,
    }
    attempt.change(
        pictures=pictures,
        recipe=recipe,
        submitted=True,
        submitted_at=session.clock.now(),
        prompt_ident=str(uuid.uuid4()),
        client_ident=uuid.uuid4().hex,
    )
    run = sender.run(attempt.edit, preview=prepared.request.preview, submitted=False)
    attempt.watch(run, connect)


def _look_for(session: Session, attempt: Attempt) -> None:
    """Find an edit at its service, or what it has left there.

    Raises:
        StoppedError: somebody wished to end.
        CollectError: it is done, but not all here.
        ConsoleError: the service cannot be asked.
    """
    edit = attempt.edit
    attempt.change(error=None)
    if edit.recipe.get("spooled"):
        attempt.unspool()
        return
    if edit.kind == "forge":
        address = edit.service
        attempt.fails(trouble("forge.lost-answer", address=address))
        return
    target = target_named(session, edit.service)
    if target is None:
        told = trouble("edit.service-gone", name=edit.service)
        raise ConsoleError(told.code, told.title, told.hint)
    connect = connector(session, target)
    outputs = outputs_in(edit.recipe)
    if outputs:
        attempt.collect(outputs, connect)
        return
    sender = sender_for(session, edit.kind, connect)
    preview = bool((edit.recipe.get("request") or {}).get("preview", True))
    run = sender.run(edit, preview=preview, submitted=True)
    attempt.watch(run, connect)
    error = attempt.edit.error
    if error is not None and error.code in _FORGOTTEN:
        attempt.fails(trouble("edit.not-found", error.title, address=edit.service))


def _not_taken(session: Session, error: ConsoleError, attempt: Attempt) -> None:
    """Keep why a service did not take an edit, in words that say what to do."""
    graph = attempt.edit.recipe.get("graph") or {}
    told = error_of(error, graph, session.catalog)
    if error.code in _MAY_BE_THERE:
        attempt.stays_open(told)
        return
    if attempt.stopping.wish == CANCEL:
        attempt.stopped(CANCEL)
        return
    if getattr(error, "status", 0) in {429, 503}:
        full = trouble("edit.queue-full", error.title, address=attempt.edit.service)
        told = EditError(
            code=full.code, title=full.title, hint=full.hint, detail=error.detail or error.title
        )
    attempt.change(submitted=False)
    attempt.failed(told)
