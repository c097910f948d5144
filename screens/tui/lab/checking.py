"""The edit that the form holds, looked at as it will be before it is sent; in a thread."""

from __future__ import annotations

import msgspec

from actions.edits.preparing import Prepared, doubtful, prepare
from actions.edits.request import EditRequest
from actions.session import Session
from actions.snapshot import HostSnapshot
from screens.tui.lab.source import Checked


def check(session: Session, request: EditRequest, snapshot: HostSnapshot) -> Checked:
    """Look at everything that speaks for or against an edit; nothing is sent.

    Raises:
        ConsoleError: it cannot even be looked at: no service, a picture that is none, a value.
    """
    return checked_of(prepare(session, request, snapshot))


def checked_of(prepared: Prepared) -> Checked:
    """Give what the lab shows of a prepared edit."""
    built = prepared.built
    verdict = "warned" if doubtful(prepared) else "ready"
    return Checked(
        service=prepared.service,
        variant=prepared.request.variant,
        fit=prepared.fit,
        checks=prepared.checks,
        refusal=prepared.refusal,
        steps=built.steps,
        cfg=built.cfg,
        size=built.size,
        pulls=prepared.files,
        verdict="refused" if prepared.refusal is not None else verdict,
    )


def options_of(request: EditRequest) -> dict[str, object]:
    """Give a request as options of the verb `edit`, without what is left to the workflow."""
    blank = EditRequest(workflow=request.workflow)
    given = msgspec.structs.asdict(request)
    return {
        name: value
        for name, value in given.items()
        if name != "workflow" and value != getattr(blank, name)
    }
