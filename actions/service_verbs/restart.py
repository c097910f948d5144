"""What restarting a service would do: stop and start, with the same care."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actions.containers.words import check as container_check
from actions.service_verbs.around import Around
from actions.service_verbs.draft import ServiceDraft, fit_facts
from actions.service_verbs.start import card_check, cards_of, draft_start, fit_checks
from actions.service_verbs.steps import StartHow, start_steps
from actions.service_verbs.stop import draft_stop
from actions.services.snapshot import ServiceStatus
from actions.session import Session


def draft_restart(
    session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what a restart would do; a service that does not run is started.

    What it holds itself counts as free for it: it gives it back in between.

    Args:
        session: for the catalogue.
        around: the look at the host.
        status: the service.
        options: those of stop and of start.
    """
    stopping = draft_stop(session, around, status, options)
    if stopping.refused is not None:
        return stopping
    if not stopping.steps:
        starting = draft_start(session, around, status, options)
        note = container_check("container.restart-starts")
        return msgspec.structs.replace(starting, checks=(note, *starting.checks))
    fits, fitting = fit_checks(session, around, status, options)
    checks = (*stopping.checks, *card_check(status), *fitting)
    facts = {"fits": fit_facts(fits)}
    if any(one.verdict == "refuse" for one in checks):
        return ServiceDraft(checks=checks, fits=fits, facts=facts)
    stopped = msgspec.structs.replace(status, state="stopped", activity="", reading=None)
    how = StartHow(ready_limit=options.get("ready_limit"))
    starting_steps = start_steps(around, stopped, fits[0] if fits else None, how)
    return ServiceDraft(
        steps=(*stopping.steps, *starting_steps),
        checks=checks,
        fits=fits,
        cards=cards_of(status, fits),
        facts=facts,
    )
