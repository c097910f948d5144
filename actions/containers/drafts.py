"""What each verb would do to a container, and what speaks for or against it."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from actions.containers.facts import ContainerFacts
from actions.containers.signals import ends_container
from actions.containers.words import check
from actions.plan import Check, Step

# What the engine may need beyond the grace: it waits 10 s for its own kill, then gives up.
STOP_MARGIN = 15.0
# Hooks that look for cards and volumes over the network make a start take its time.
START_LONGEST = 60.0
KILL_LONGEST = 10.0
_CRASHES = 3
# Ends by a signal are most often ends that somebody asked for: no news before a start.
_ASKED_FOR = (0, 130, 137, 143)
_PYTHON = ("python", "python3")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft must know beside the container.

    Attributes:
        docker: how to call docker for this engine, such as `("docker", "-H", "tcp://x")`.
        others: other containers that run now.
    """

    docker: tuple[str, ...]
    others: tuple[ContainerFacts, ...] = ()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a plan that depends on verb and state; without steps there is nothing to do."""

    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    longest_seconds: float = 1.0


def draft_start(facts: ContainerFacts, _options: Mapping[str, Any], around: Surroundings) -> Draft:
    """Give what a start would do; it has no options."""
    refusal = _gone(facts)
    if facts.state == "running":
        return Draft(checks=(check("container.running"),))
    if facts.state in {"paused", "restarting"}:
        refusal = check(f"container.{facts.state}", "refuse", name=facts.name)
    if refusal:
        return Draft(checks=(refusal,))
    checks = [_port_check(facts, around)]
    if facts.error:
        checks.append(check("container.start-failed", "warn", error=facts.error[:200]))
    elif facts.restart_count >= _CRASHES and facts.exit_code:
        values = {"name": facts.name, "count": facts.restart_count, "exit": facts.exit_text()}
        checks.append(check("container.crash-loop", "warn", **values))
    elif facts.state == "exited" and facts.exit_code not in _ASKED_FOR:
        checks.append(check("container.last-exit", exit=facts.exit_text()))
    undo = "" if facts.auto_remove else _command(around, "stop", facts.name)
    step = _step("start", "Start", facts, _command(around, "start", facts.name), undo=undo)
    return Draft(steps=(step,), checks=tuple(checks), longest_seconds=START_LONGEST)


def draft_stop(facts: ContainerFacts, options: Mapping[str, Any], around: Surroundings) -> Draft:
    """Give what a stop would do."""
    refusal = _gone(facts)
    if refusal:
        return Draft(checks=(refusal,))
    if not facts.runs:
        return Draft(checks=(check("container.stopped"),))
    asked = options.get("timeout")
    checks = list(_grace_checks(facts, asked))
    if facts.auto_remove:
        checks.append(check("container.auto-remove", "warn"))
    if facts.state == "restarting":
        checks.append(check("container.loop-ends"))
    if facts.restart_policy == "always":
        checks.append(check("container.comes-back", policy=facts.restart_policy))
    step = _step(
        "stop",
        "Stop",
        facts,
        _command(around, "stop", *_time(facts, asked), facts.name),
        destructive=facts.auto_remove,
        undo="" if facts.auto_remove else _command(around, "start", facts.name),
    )
    return Draft(steps=(step,), checks=tuple(checks), longest_seconds=_longest(facts, asked))


def draft_restart(facts: ContainerFacts, options: Mapping[str, Any], around: Surroundings) -> Draft:
    """Give what a restart would do; a container that does not run is started."""
    refusal = _gone(facts)
    if refusal:
        return Draft(checks=(refusal,))
    asked = options.get("timeout")
    undo = ""
    if facts.runs:
        checks = list(_grace_checks(facts, asked))
        if facts.state == "restarting":
            checks.append(check("container.loop-ends"))
        longest = _longest(facts, asked) + START_LONGEST
    else:
        undo = "" if facts.auto_remove else _command(around, "stop", facts.name)
        checks = [check("container.restart-starts"), _port_check(facts, around)]
        longest = START_LONGEST
    command = _command(around, "restart", *_time(facts, asked), facts.name)
    step = _step("restart", "Restart", facts, command, undo=undo)
    return Draft(steps=(step,), checks=tuple(checks), longest_seconds=longest)


def draft_kill(facts: ContainerFacts, options: Mapping[str, Any], around: Surroundings) -> Draft:
    """Give what a kill (or another signal) would do."""
    signal = str(options.get("signal") or "KILL")
    ends = ends_container(signal)
    refusal = _gone(facts)
    if not facts.runs and not refusal:
        if ends:
            return Draft(checks=(check("container.stopped"),))
        refusal = check("container.not-running-signal", "refuse", signal=f"SIG{signal}")
    if refusal:
        return Draft(checks=(refusal,))
    checks = [
        check(
            "container.killed" if signal == "KILL" else "container.signalled", signal=f"SIG{signal}"
        )
    ]
    if ends and facts.auto_remove:
        checks.append(check("container.auto-remove", "warn"))
    flags = () if signal == "KILL" else ("--signal", signal)
    title = "Kill" if signal == "KILL" else f"Send SIG{signal} to"
    undo = _command(around, "start", facts.name) if ends and not facts.auto_remove else ""
    step = _step(
        "kill",
        title,
        facts,
        _command(around, "kill", *flags, facts.name),
        destructive=signal == "KILL" or (ends and facts.auto_remove),
        undo=undo,
    )
    return Draft(steps=(step,), checks=tuple(checks), longest_seconds=KILL_LONGEST)


DRAFTS: dict[str, Callable[[ContainerFacts, Mapping[str, Any], Surroundings], Draft]] = {
    "start": draft_start,
    "stop": draft_stop,
    "restart": draft_restart,
    "kill": draft_kill,
}


def _gone(facts: ContainerFacts) -> Check | None:
    """Refuse what the engine is taking away."""
    if facts.state in {"removing", "dead"}:
        return check(f"container.{facts.state}", "refuse", name=facts.name)
    return None


def _grace_checks(facts: ContainerFacts, asked: int | None) -> tuple[Check, ...]:
    """Say how long an end may take, and why."""
    grace = facts.grace(asked)
    seconds = f"{grace:g}"
    if facts.state == "paused":
        return (check("container.paused-stop", "warn", grace=seconds, name=facts.name),)
    if _ignores_term(facts) and grace:
        return (check("container.ignores-term", program=facts.arguments[0], grace=seconds),)
    return (check("container.grace", grace=seconds),)


def _ignores_term(facts: ContainerFacts) -> bool:
    """Tell whether PID 1 is a bare interpreter: the kernel gives PID 1 no default handlers."""
    program = facts.arguments[0].rpartition("/")[2] if facts.arguments else ""
    interpreter = program.startswith(_PYTHON)
    return interpreter and not facts.init and facts.stop_signal in {"", "SIGTERM", "TERM", "15"}


def _longest(facts: ContainerFacts, asked: int | None) -> float:
    return facts.grace(asked) + STOP_MARGIN


def _port_check(facts: ContainerFacts, around: Surroundings) -> Check:
    """Look for a running container that has a port this one wants."""
    for other in around.others:
        for port in facts.ports:
            if other.id != facts.id and any(port.clashes(taken) for taken in other.ports):
                named = f"{port.host_port}/{port.protocol}"
                return check("container.port-taken", "refuse", port=named, other=other.name)
    return check("container.ports-free")


def _time(facts: ContainerFacts, asked: int | None) -> tuple[str, ...]:
    """Give the flag for the grace where plain `docker` would take another one than we do."""
    endless = facts.stop_timeout is not None and facts.stop_timeout < 0
    # Its long name is --time up to docker 27 and --timeout from 28 on.
    return () if asked is None and not endless else ("-t", str(facts.grace(asked)))


def _command(around: Surroundings, *words: str) -> str:
    return shlex.join((*around.docker, *words))


def _step(
    step_id: str,
    title: str,
    facts: ContainerFacts,
    command: str,
    *,
    destructive: bool = False,
    undo: str = "",
) -> Step:
    return Step(
        id=step_id,
        title=f"{title} {facts.name}",
        touches=(f"container {facts.name}",),
        command=command,
        destructive=destructive,
        undo=undo,
    )
