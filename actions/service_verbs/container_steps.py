"""Starting and stopping a service's container, or having compose create it."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from actions.containers.drafts import START_LONGEST, STOP_MARGIN
from actions.containers.facts import facts_of
from actions.containers.perform import perform_start, perform_stop
from actions.plan import Plan
from actions.service_verbs.composing import bring_up
from actions.service_verbs.doing import Doing
from actions.service_verbs.vram import note_before
from actions.trouble import StepError
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
    return bring_up(doing, recreate=bool(doing.options.get("recreate")))


def compose_create(doing: Doing) -> str:
    """Have compose make the service's container anew, without starting it.

    Raises:
        ComposeError: compose is missing, or failed, or was not over within the limit.
        CancelledStepError: somebody asked to cancel.
    """
    return bring_up(doing, recreate=True, start=False)


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
