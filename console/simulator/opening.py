"""How a scene stands when it opens: what is up, what has ended, what has been failing for long."""

from console.simulator import acts, jobs, probes
from console.simulator.actor import Actor
from console.simulator.refusal import Refusal
from console.simulator.scene import seconds
from console.simulator.stage import Stage


def open_scene(stage: Stage) -> None:
    """Put every container where the scene has it at second 0.

    What ends on its own (a crash loop, a flapping container) is played from its start, so that
    its restarts, its back-off and the engine's memory of events are what they would be.
    """
    played: list[Actor] = []
    for actor in stage.actors.values():
        since = seconds(actor.spec.since)
        if actor.spec.state == "running" and actor.planned_end() is not None:
            played.append(actor)
        elif actor.spec.state in {"running", "paused"}:
            _has_been_up(stage, actor, since)
        elif actor.spec.state == "exited":
            _has_ended(actor, since)
    for actor in stage.actors.values():
        if actor.alive and actor.spec.service.waiting:
            jobs.begin_waiting(stage, actor, actor.spec.service.waiting)
    for actor in played:
        since = seconds(actor.spec.since)
        stage.now = min(stage.now, -since)
        stage.plan_at(-since, lambda actor=actor: _try_start(stage, actor))  # type: ignore[misc]
    stage.play(0.0)


def _try_start(stage: Stage, actor: Actor) -> None:
    try:
        acts.start(stage, actor)
    except Refusal:
        actor.finished_at = stage.now


def _has_been_up(stage: Stage, actor: Actor, since: float) -> None:
    actor.started_at = -since
    actor.pid = stage.next_pid()
    actor.open_run(-since)
    actor.mood = actor.spec.service.mood
    actor.status = "running"
    if actor.spec.start_error:
        actor.status, actor.pid, actor.runs, actor.started_at = "created", 0, [], None
        actor.error, actor.exit_code = actor.spec.start_error, 128
        return
    probes.resume(stage, actor)
    if actor.spec.state == "paused":
        actor.status = "paused"
        actor.runs[-1].paused_at = stage.now


def _has_ended(actor: Actor, since: float) -> None:
    actor.status = "exited"
    actor.exit_code = actor.spec.exit_code
    actor.oom_killed = actor.spec.oom
    actor.started_at = -since - 1.5
    actor.finished_at = -since
    actor.open_run(-since - 1.5)
    actor.runs[-1].end = -since
