"""What restarting a service would do: stop and start, with the same care."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actions.containers.words import check as container_check
from actions.plan import Check, Plan, Step
from actions.service_verbs.anew import WELL, facts_before, rollback_anew
from actions.service_verbs.around import Around
from actions.service_verbs.draft import ServiceDraft, fit_facts
from actions.service_verbs.goal import runs
from actions.service_verbs.layout_words import check
from actions.service_verbs.start import card_check, cards_of, draft_start, fit_checks
from actions.service_verbs.steps import StartHow, start_steps
from actions.service_verbs.stop import draft_stop
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.errors import ConsoleError


def draft_restart(
    session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what a restart would do; a service that does not run is started.

    What it holds itself counts as free for it: it gives it back in between. With `recreate` compose
    makes its container anew, by what the compose file says now; its own volumes stay. Where that
    file was changed for it just before, `edits` has what leads back if it does not come up.

    Args:
        session: for the catalogue.
        around: the look at the host.
        status: the service.
        options: `recreate`, `edits`, and those of stop and of start.
    """
    recreate = bool(options.get("recreate"))
    missing = _no_compose(session, status) if recreate else None
    if missing is not None:
        return ServiceDraft(checks=(missing,))
    stopping = draft_stop(session, around, status, options)
    if stopping.refused is not None:
        return stopping
    if not stopping.steps and not recreate:
        starting = draft_start(session, around, status, options)
        note = container_check("container.restart-starts")
        return msgspec.structs.replace(starting, checks=(note, *starting.checks))
    fits, fitting = fit_checks(session, around, status, options)
    checks = (*stopping.checks, *card_check(status), *fitting)
    facts = {"fits": fit_facts(fits), **_before(around, status, options)}
    if any(one.verdict == "refuse" for one in checks):
        return ServiceDraft(checks=checks, fits=fits, facts=facts)
    stopped = msgspec.structs.replace(status, state="stopped", activity="", reading=None)
    how = StartHow(ready_limit=options.get("ready_limit"), recreate=recreate)
    starting_steps = start_steps(around, stopped, fits[0] if fits else None, how)
    return ServiceDraft(
        steps=(*stopping.steps, *starting_steps),
        checks=checks,
        fits=fits,
        cards=cards_of(status, fits),
        facts=facts,
    )


def rollback_restart(
    session: Session, plan: Plan, done: Sequence[Step], broken: Step | None
) -> tuple[Step, ...]:
    """Give the steps that put file and container back; none where no file was changed for it."""
    return rollback_anew(session, plan, done, broken) if facts_before(plan).get("edits") else ()


def _before(around: Around, status: ServiceStatus, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a way back rests on, where there is one."""
    edits = options.get("edits")
    if not edits:
        return {}
    return {"running": runs(around, status), "well": status.state in WELL, "edits": dict(edits)}


def _no_compose(session: Session, status: ServiceStatus) -> Check | None:
    """Say that nothing can make a container anew; None where compose can."""
    service = status.service
    if service.compose_file is None or not service.compose_service:
        return check("move.no-compose", "refuse", hint="docker rm and docker run it anew")
    from console.compose.command import find_compose
    from console.compose.project import read_service

    try:
        find_compose(session.environ, session.endpoint)
        read_service(service.compose_file, service.compose_service)
    except ConsoleError as error:
        refused = check("move.cannot-edit", "refuse", title=error.title, hint=error.hint)
        return msgspec.structs.replace(refused, id=error.code)
    return None
