"""Edits on a rehearsal, made as the verbs make them, in the process of the test."""

import itertools
from collections.abc import Callable
from pathlib import Path

from actions.edit_now import EditNow
from actions.edits.preparing import Prepared, prepare
from actions.edits.request import EditRequest
from actions.edits.running import run_edit
from actions.session import Session
from console.edits.kept import KeptEdit
from tests.support.edits import EditHost

_numbers = itertools.count(1)


def asked(host: EditHost, **fields: object) -> EditRequest:
    """Give a request for a single edit, with a picture and few steps."""
    whole: dict[str, object] = {
        "workflow": "edit-single",
        "images": (str(host.picture()),),
        "prompt": "paint it red",
        "steps": 4,
        **fields,
    }
    return EditRequest(**whole)  # type: ignore[arg-type]


def make(
    session: Session,
    wanted: EditRequest | Prepared,
    *,
    edit_id: str = "",
    report: Callable[[EditNow], None] | None = None,
    stop: Callable[[], str] | None = None,
) -> KeptEdit:
    """Prepare an edit and run it to its end."""
    prepared = prepare(session, wanted) if isinstance(wanted, EditRequest) else wanted
    return run_edit(
        session,
        prepared,
        edit_id=edit_id or f"20261127T120000-{next(_numbers):06x}",
        report=report or (lambda _now: None),
        stop=stop or (lambda: ""),
    )


def outputs_of(edit: KeptEdit) -> list[Path]:
    """Give the files of its results."""
    return [Path(one.path) for one in edit.of_role("output")]
