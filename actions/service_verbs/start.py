"""What starting a service would do: its container or compose, its card, and whether it fits."""

from collections.abc import Mapping
from typing import Any

from actions.containers.drafts import Surroundings
from actions.containers.drafts import draft_start as draft_container
from actions.containers.words import check as container_check
from actions.fit.model import Fit
from actions.plan import Check
from actions.service_verbs.around import Around
from actions.service_verbs.draft import FORCEABLE, ServiceDraft, fit_facts
from actions.service_verbs.steps import StartHow, project_of, start_steps
from actions.service_verbs.words import check, under_code
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.errors import ConsoleError
from console.units import format_bytes
from console.unknown import Unknown

_SHOWN_WAYS = 3
# The driver was read, and no single card is the one that the config names.
_WRONG_CARD = frozenset({"gpu.not-here", "gpu.ambiguous"})


def draft_start(
    session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what a start would do.

    Args:
        session: for the catalogue and the commands there are.
        around: the look at the host.
        status: the service.
        options: `force`, `ready_limit` in seconds, `variant` (what it will load).
    """
    how = StartHow(ready_limit=options.get("ready_limit"))
    if status.activity or status.state in {"ready", "busy"}:
        ready = (check("service.ready"),)
        elsewhere = (check("service.elsewhere", "warn", advice=status.advice),)
        return ServiceDraft(checks=ready + elsewhere if status.misplaced else ready)
    if _runs_on(around, status) and status.state == "needs-auth":
        return ServiceDraft(checks=(_behind_login(status),))
    if _runs_on(around, status):
        waits = check("service.only-wait", state=status.state)
        return ServiceDraft(steps=start_steps(around, status, None, how), checks=(waits,))
    before = container_checks(session, around, status)
    card = card_check(status)
    fits, fitting = fit_checks(session, around, status, options)
    checks = (*before, *card, *fitting)
    if any(one.verdict == "refuse" for one in checks):
        return ServiceDraft(checks=checks, fits=fits, facts={"fits": fit_facts(fits)})
    fit = fits[0] if fits else None
    steps = start_steps(around, status, fit, how)
    return ServiceDraft(
        steps=steps,
        checks=checks,
        fits=fits,
        cards=cards_of(status, fits),
        facts={"fits": fit_facts(fits)},
    )


def container_checks(session: Session, around: Around, status: ServiceStatus) -> tuple[Check, ...]:
    """Say what speaks for or against starting its container, or creating it by compose."""
    facts = around.container(status)
    if facts is None:
        return (_compose_check(session, status),)
    if status.state == "crash-looping":
        return (container_check("container.restarting", "refuse", name=facts.name),)
    surroundings = Surroundings(docker=around.docker, others=around.others)
    checks = draft_container(facts, {}, surroundings).checks
    if status.service.kind != "other" and not status.service.url and not facts.ports:
        return (*checks, check("service.no-url", "warn", name=status.name))
    return checks


def card_check(status: ServiceStatus) -> tuple[Check, ...]:
    """Refuse a card that is named for the service and is not here; no force helps with that."""
    expected = status.gpu_expected_uuid
    if not isinstance(expected, Unknown):
        return ()
    values = {"title": expected.title, "hint": expected.hint}
    if expected.code in _WRONG_CARD:
        return (under_code(check("gpu.not-here", "refuse", **values), expected.code),)
    return (check("gpu.unknown", "warn", **values),)


def fit_checks(
    session: Session,
    around: Around,
    status: ServiceStatus,
    options: Mapping[str, Any],
    *,
    gpu_uuid: str | None = None,
) -> tuple[tuple[Fit, ...], tuple[Check, ...]]:
    """Give the pre-check of a start and what it says for or against it.

    Args:
        session: for the catalogue.
        around: the look at the host.
        status: the service.
        options: `force` and `variant`.
        gpu_uuid: another card than the one it is meant for.
    """
    if _uses_no_card(around, status):
        return (), (check("gpu.none"),)
    from actions.fit.service import fit_service

    fit = fit_service(
        session,
        around.snapshot,
        status.name,
        gpu_uuid=gpu_uuid,
        variant=options.get("variant"),
    )
    return (fit,), fit_words(fit, force=bool(options.get("force")))


def fit_words(fit: Fit, *, force: bool) -> tuple[Check, ...]:
    """Give a pre-check's verdict as checks; `force` overrules want of VRAM or RAM only."""
    if isinstance(fit.verdict, Unknown):
        hint = fit.verdict.hint
        return (check("fit.unknown", "warn", reason=fit.reason or fit.verdict.title, hint=hint),)
    if fit.verdict == "resident":
        fine = check("fit.resident", reason=fit.reason)
        return (fine, check("service.not-forced")) if force else (fine,)
    if fit.verdict == "offload":
        streams = f"{format_bytes(fit.streams_bytes)} of its weights stream from host memory"
        cost = f"{streams}: {fit.cost or 'slower, by how much nobody has measured'}"
        return (check("fit.offload", "warn", reason=fit.reason, cost=cost),)
    if force and fit.code in FORCEABLE:
        return (check("fit.forced", "warn", reason=fit.reason),)
    ways = "; ".join(way.title for way in fit.ways_out[:_SHOWN_WAYS])
    return (check("fit.refused", "refuse", reason=fit.reason, ways=ways and f"Ways out: {ways}"),)


def cards_of(status: ServiceStatus, fits: tuple[Fit, ...]) -> tuple[str, ...]:
    """Give the cards that a start of the service takes VRAM on."""
    uuids = (status.gpu_expected_uuid, status.gpu_declared_uuid, *(fit.gpu_uuid for fit in fits))
    return tuple(dict.fromkeys(uuid for uuid in uuids if isinstance(uuid, str) and uuid))


def _runs_on(around: Around, status: ServiceStatus) -> bool:
    """Tell whether its container runs well enough to be waited for."""
    facts = around.container(status)
    return facts is not None and facts.state == "running" and status.state != "crash-looping"


def _behind_login(status: ServiceStatus) -> Check:
    """Say that it runs, and that nobody gets to see whether it is ready."""
    problem = status.reading.problem if status.reading is not None else None
    why = problem.title if problem is not None else "a login is in the way"
    return check("service.behind-login", "warn", why=why, name=status.name)


def _compose_check(session: Session, status: ServiceStatus) -> Check:
    """Say whether compose could create the container of a service that has none."""
    service = status.service
    if service.compose_file is None or not service.compose_service:
        return check("service.absent", "refuse")
    from console.compose.command import find_compose
    from console.compose.project import read_service

    try:
        read_service(service.compose_file, service.compose_service, project_of(service))
        find_compose(session.environ, session.endpoint)
    except ConsoleError as error:
        made = check("compose.trouble", "refuse", title=error.title, hint=error.hint)
        return under_code(made, error.code)
    return check("service.created-by-compose", file=service.compose_file)


def _uses_no_card(around: Around, status: ServiceStatus) -> bool:
    """Tell whether nothing at all points to a card, so that there is nothing to fit."""
    service = status.service
    claim = around.snapshot.claims.get(status.container_id)
    if service.kind != "other" or service.variant or service.vram_budget or service.gpu:
        return False
    return claim is None or not claim.uses_gpu
