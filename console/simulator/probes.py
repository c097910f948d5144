"""Health checks: run at their interval, counted as the engine counts them."""

import hashlib

from console.simulator.actor import Actor, Health, Probe
from console.simulator.scene import HealthCheck, seconds
from console.simulator.services.moods import RUNS
from console.simulator.stage import Stage

_KEPT = 5
_TAKES = 0.06
_ROUNDING = 1e-6
"""A check that is due now must not be planned for now again."""


def begin(stage: Stage, actor: Actor) -> None:
    """Begin checking a container that has just started; without a check, do nothing."""
    if actor.spec.health is None:
        return
    actor.health = Health()
    _plan_next(stage, actor)


def resume(stage: Stage, actor: Actor) -> None:
    """Give a container that has long been up the health it has by now, and go on checking."""
    check, health = actor.spec.health, Health()
    if check is None or actor.started_at is None:
        return
    actor.health = health
    every = seconds(check.interval)
    count = int((stage.now - actor.started_at) // every)
    for number in range(max(1, count - _KEPT * 2), count + 1):
        _take(actor, check, actor.started_at + number * every)
    _plan_next(stage, actor)


def finish(actor: Actor) -> None:
    """Stop checking; what has stopped is not healthy."""
    if actor.health is not None:
        actor.health.status = "unhealthy"


def _plan_next(stage: Stage, actor: Actor) -> None:
    serial = actor.serial
    started = actor.started_at or stage.now
    every = actor.health_period()
    rounds = int((stage.now - started) / every + _ROUNDING) + 1
    stage.plan_at(started + rounds * every, lambda: _check(stage, actor, serial))


def _check(stage: Stage, actor: Actor, serial: int) -> None:
    check = actor.spec.health
    if actor.serial != serial or check is None or actor.health is None:
        return
    if actor.status == "running":
        before = actor.health.status
        probe = _take(actor, check, stage.now)
        _tell(stage, actor, check, probe)
        if actor.health.status != before:
            stage.tell(actor, f"health_status: {actor.health.status}")
    _plan_next(stage, actor)


def _take(actor: Actor, check: HealthCheck, at: float) -> Probe:
    """Run one check and count its answer."""
    moment, health = actor.moment(at), actor.health or Health()
    well = moment is not None and moment.ready and actor.mood in ("", *RUNS)
    probe = Probe(at, at + _TAKES, 0 if well else 1, "" if well else check.output)
    health.log = [*health.log, probe][-_KEPT:]
    if well:
        health.status, health.streak = "healthy", 0
        return probe
    if health.status == "starting" and at - (actor.started_at or at) < seconds(check.start_period):
        return probe
    health.streak += 1
    if health.streak >= check.retries:
        health.status = "unhealthy"
    return probe


def _tell(stage: Stage, actor: Actor, check: HealthCheck, probe: Probe) -> None:
    """Let the check's own exec be known, as a real engine does each time."""
    run = hashlib.sha256(f"{actor.id}/{probe.start}".encode()).hexdigest()
    command = f"/bin/sh -c {check.command}"
    stage.tell(actor, f"exec_create: {command}", execID=run)
    stage.tell(actor, f"exec_start: {command}", execID=run)
    stage.tell(actor, "exec_die", execID=run, exitCode=str(probe.exit_code))
