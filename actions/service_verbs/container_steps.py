"""Starting and stopping a service's container, or having compose create it."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from actions.containers.drafts import START_LONGEST, STOP_MARGIN
from actions.containers.facts import facts_of
from actions.containers.perform import perform_start, perform_stop
from actions.plan import Plan
from actions.service_verbs.doing import Doing
from actions.service_verbs.steps import project_of
from actions.service_verbs.volumes import has_own_volumes
from actions.service_verbs.vram import note_before
from actions.trouble import CancelledStepError, StepError
from console.engine.faults import EngineUnreachableError
from console.errors import ConsoleError

if TYPE_CHECKING:
    from console.engine.client import EngineClient

_AGAIN_SECONDS = 1.0


def start(doing: Doing) -> str:
    """Start the service's container and see it live through its first moments.

    Raises:
        StepError: it ended at once, or the engine went away for good (`service.state-unknown`).
        EngineError: the engine refused.
    """
    return _insist(doing, perform_start, START_LONGEST, "started")


def stop(doing: Doing) -> str:
    """Stop the service's container and see that it ended; notes what its card held before.

    Raises:
        StepError: it will not end, or the engine went away for good (`service.state-unknown`).
        EngineError: the engine refused.
    """
    note_before(doing)
    return _insist(doing, perform_stop, doing.step.longest_seconds or STOP_MARGIN, "stopped")


def compose_up(doing: Doing) -> str:
    """Have compose create the service's container and start it; its output is told as it comes.

    Raises:
        ComposeError: compose is missing, or failed, or was not over within the limit.
        CancelledStepError: somebody asked to cancel.
    """
    from console.compose.command import find_compose
    from console.compose.faults import ComposeCancelledError
    from console.compose.project import read_service
    from console.compose.run import up

    status = doing.look().status
    if status is None:
        raise StepError("service.unknown", f"{doing.name} is not there any more")
    service = status.service
    if service.compose_file is None:
        raise StepError("service.absent", f"{doing.name} has no compose file any more")
    try:
        return up(
            find_compose(doing.session.environ, doing.session.endpoint),
            read_service(service.compose_file, service.compose_service, project_of(service)),
            service.compose_service,
            recreate=bool(doing.options.get("recreate")),
            tell=doing.tell,
            cancelled=doing.cancelled,
            limit=float(doing.options["limit"]),
            renew=not has_own_volumes(doing, status.container_id),
        )
    except ComposeCancelledError as error:
        raise CancelledStepError(error.code, error.title, detail=error.detail) from error


def _insist(
    doing: Doing, perform: Callable[[Plan, "EngineClient"], str], limit: float, effect: str
) -> str:
    """Do it, and again once the engine is back, where it went away meanwhile."""
    left = f"whether {doing.name} was {effect} is not known"
    while True:
        try:
            with doing.client() as client:
                return perform(_as_container(doing, client), client)
        except EngineUnreachableError as error:
            if doing.over(limit):
                raise _not_known(left, error) from error
            doing.tell(f"the engine does not answer ({error.title}); trying again")
            doing.pause(_AGAIN_SECONDS, left)


def _as_container(doing: Doing, client: "EngineClient") -> Plan:
    """Give the plan as one for the service's container, for who performs those."""
    ident = str(doing.options["container"])
    facts = facts_of(client.inspect(ident))
    options = {"timeout": doing.options.get("timeout")}
    return msgspec.structs.replace(
        doing.plan, target=shlex.quote(facts.name), target_id=ident, options=options
    )


def _not_known(left: str, error: ConsoleError) -> StepError:
    return StepError(
        "service.state-unknown", f"{left}: {error.title}", error.hint or "Look at its state"
    )
