"""Carrying out one step on the engine, and looking whether it had the effect it should."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from actions.containers.facts import ContainerFacts, facts_of
from actions.containers.signals import ends_container
from actions.plan import Plan
from actions.trouble import StepError
from console.clock import SystemClock
from console.engine.faults import EngineTimeoutError, NoSuchContainerError

if TYPE_CHECKING:
    from console.engine.client import EngineClient

# A start that dies at once (a bad flag, a missing file) shows within this time.
_SETTLE_SECONDS = 0.5
_END_SECONDS = 5.0
_SIGNAL_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_KILLED = 137
_CLOCK = SystemClock()


def perform_start(plan: Plan, client: "EngineClient") -> str:
    """Start the container and see it live through its first moments."""
    client.start(plan.target_id)
    return _settled(plan, client)


def perform_stop(plan: Plan, client: "EngineClient") -> str:
    """Stop the container and see that it ended."""
    begun = _CLOCK.monotonic()
    try:
        grace = _grace(plan, client)
        client.stop(plan.target_id, grace)
    except NoSuchContainerError:
        return _vanished(plan)
    except EngineTimeoutError as error:
        raise _will_not_end(plan, error.title) from error
    waited = _CLOCK.monotonic() - begun
    facts = _ended(plan, client)
    if facts is None:
        return _vanished(plan)
    if facts.exit_code == _KILLED and 0 < grace <= waited:
        return f"{plan.target} is stopped, exit {_KILLED} (killed after {grace} s of grace)"
    return f"{plan.target} is stopped, {facts.exit_text(asked=True)}"


def perform_restart(plan: Plan, client: "EngineClient") -> str:
    """Restart the container and see it live through its first moments."""
    try:
        client.restart(plan.target_id, _grace(plan, client))
    except EngineTimeoutError as error:
        raise _will_not_end(plan, error.title) from error
    return _settled(plan, client)


def perform_kill(plan: Plan, client: "EngineClient") -> str:
    """Send the signal; where it should end the container, see whether it did."""
    signal = str(plan.options.get("signal") or "KILL")
    client.kill(plan.target_id, f"SIG{signal}")
    if signal == "KILL":
        facts = _ended(plan, client)
    else:
        facts = _wait_for_end(plan, client, _SIGNAL_SECONDS if ends_container(signal) else 0)
    if facts is None:
        return _vanished(plan)
    if facts.runs:
        return f"SIG{signal} sent; {plan.target} is still {facts.state}"
    return f"SIG{signal} sent; {plan.target} ended, {facts.exit_text(asked=True)}"


PERFORMERS: dict[str, Callable[[Plan, "EngineClient"], str]] = {
    "start": perform_start,
    "stop": perform_stop,
    "restart": perform_restart,
    "kill": perform_kill,
}


def _grace(plan: Plan, client: "EngineClient") -> int:
    """Give the grace by the option, else as the container is configured now."""
    asked = plan.options.get("timeout")
    return facts_of(client.inspect(plan.target_id)).grace(asked)


def _settled(plan: Plan, client: "EngineClient") -> str:
    """Watch a container's first moments; an end with an error among them is a failure."""
    deadline = _CLOCK.monotonic() + _SETTLE_SECONDS
    while True:
        try:
            facts = facts_of(client.inspect(plan.target_id))
        except NoSuchContainerError:
            return f"{plan.target} ran and was removed at its end (--rm)"
        if facts.state == "restarting" or (facts.state != "running" and facts.exit_code):
            raise StepError(
                "container.ended-at-once",
                f"{plan.target} ended at once: {facts.exit_text()}",
                f"Its log says why: docker logs --tail 50 {plan.target}",
            )
        if facts.state == "exited":
            return f"{plan.target} ran to its end, {facts.exit_text()}"
        if _CLOCK.monotonic() >= deadline:
            return f"{plan.target} is {facts.state}"
        time.sleep(_LOOK_SECONDS)


def _ended(plan: Plan, client: "EngineClient") -> ContainerFacts | None:
    """See that a container has ended; one that will not is a failure that offers a kill."""
    facts = _wait_for_end(plan, client, _END_SECONDS)
    if facts is not None and facts.runs:
        raise _will_not_end(plan, f"the engine says it is still {facts.state}")
    return facts


def _wait_for_end(plan: Plan, client: "EngineClient", seconds: float) -> ContainerFacts | None:
    """Give the facts once it has ended or time is up; None where it was removed at its end."""
    deadline = _CLOCK.monotonic() + seconds
    while True:
        try:
            facts = facts_of(client.inspect(plan.target_id))
        except NoSuchContainerError:
            return None
        if not (facts.runs or facts.state == "removing") or _CLOCK.monotonic() >= deadline:
            return facts
        time.sleep(_LOOK_SECONDS)


def _vanished(plan: Plan) -> str:
    return f"{plan.target} is stopped and was removed (--rm)"


def _will_not_end(plan: Plan, why: str) -> StepError:
    return StepError(
        "container.will-not-end",
        f"{plan.target} did not stop: {why}",
        "Kill it: what it is working on is lost",
        offers=("kill",),
    )
