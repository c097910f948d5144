"""What can happen to a container: start, end, stop, restart, kill, pause, rename, removal."""

import re
from collections.abc import Callable

from console.simulator import probes
from console.simulator.actor import Actor
from console.simulator.refusal import Refusal
from console.simulator.remains import leave_behind
from console.simulator.signals import signal_number
from console.simulator.stage import Stage

_FIRST_BACK_OFF = 0.1
_LONGEST_BACK_OFF = 60.0
_LASTING_RUN = 10.0
"""A run this long is no failed start: the back-off begins anew (moby, restartmanager)."""

_KILL_TAKES = 0.03
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_KILL, _TERM = 9, 15
_ENDING = frozenset({1, 2, 3, _TERM})
_GRACE = 10

Done = Callable[[], None]


def start(stage: Stage, actor: Actor) -> bool:
    """Start a container; False where it runs already.

    Raises:
        Refusal: it is paused, or the runtime cannot start its command.
    """
    if actor.status == "paused":
        raise Refusal("start-paused")
    if actor.status == "running":
        return False
    actor.restart_count = 0
    actor.back_off = 0.0
    actor.by_hand = False
    _begin(stage, actor)
    return True


def _begin(stage: Stage, actor: Actor) -> None:
    """Begin a run, as an order or the restart policy asks for."""
    actor.serial += 1
    stage.tell_network(actor, "connect")
    own = actor.spec.start_error if fails_to_start(stage, actor) else ""
    error = own or stage.refuses(actor)
    if error:
        actor.error = error
        actor.exit_code = 127 if "not found" in actor.error else 128
        actor.status = "created" if actor.started_at is None else "exited"
        stage.tell_network(actor, "disconnect")
        raise Refusal("start-failed" if own else "start-without-port", error=actor.error)
    actor.status = "running"
    actor.error = ""
    actor.oom_killed = False
    actor.exit_code = 0
    actor.pid = stage.next_pid()
    actor.started_at = stage.now
    actor.open_run(stage.now)
    stage.tell(actor, "start")
    plan_end(stage, actor)
    probes.begin(stage, actor)


def fails_to_start(stage: Stage, actor: Actor) -> bool:
    """Tell whether the runtime cannot start a container as things are."""
    holder = actor.spec.start_error_while
    others = (other for other in stage.actors.values() if other.name == holder)
    return bool(actor.spec.start_error) and (not holder or any(one.alive for one in others))


def plan_end(stage: Stage, actor: Actor) -> None:
    """Plan the end a run comes to on its own, where its life has one."""
    ending = actor.planned_end()
    if ending is None or actor.started_at is None:
        return
    after, code, oom = ending
    act = _guarded(actor, lambda: end(stage, actor, code, oom))
    stage.plan_at(actor.started_at + after, act)


def _guarded(actor: Actor, act: Done) -> Done:
    """Give `act` so that it does nothing once the container has started or ended again."""
    serial = actor.serial

    def guarded() -> None:
        if actor.serial == serial:
            act()

    return guarded


def end(stage: Stage, actor: Actor, code: int, oom: bool = False) -> None:
    """End a container's process; the restart policy says what comes next."""
    if not actor.alive:
        return
    lasted = stage.now - (actor.started_at or stage.now)
    leave_behind(stage, actor)
    actor.serial += 1
    actor.pid = 0
    actor.exit_code = code
    actor.finished_at = stage.now
    actor.runs[-1].end = stage.now
    actor.oom_killed = oom
    if oom:
        stage.tell(actor, "oom")
    stage.tell(actor, "die", exitCode=str(code), execDuration=str(int(lasted)))
    probes.finish(actor)
    delay = _restarts_after(actor, lasted)
    if delay is None:
        actor.status = "exited"
    else:
        actor.status = "restarting"
        actor.restart_count += 1
        stage.plan(delay, _guarded(actor, lambda: _begin_again(stage, actor)))
    stage.tell_network(actor, "disconnect")
    _settle(actor)


def _begin_again(stage: Stage, actor: Actor) -> None:
    try:
        _begin(stage, actor)
    except Refusal:
        actor.status = "exited"


def _settle(actor: Actor) -> None:
    waiting, actor.settled = actor.settled, []
    for done in waiting:
        done()


def _restarts_after(actor: Actor, lasted: float) -> float | None:
    """Give the seconds until the restart policy starts it again; None where it will not."""
    if actor.spec.flap and not actor.by_hand:
        return actor.back_after()
    name, limit = actor.policy
    if actor.by_hand or name in {"", "no"}:
        return None
    spent = actor.exit_code == 0 or (limit and actor.restart_count >= limit)
    if name == "on-failure" and spent:
        return None
    if lasted >= _LASTING_RUN:
        actor.back_off = 0.0
    actor.back_off = min(actor.back_off * 2 or _FIRST_BACK_OFF, _LONGEST_BACK_OFF)
    return actor.back_off


def stop(stage: Stage, actor: Actor, grace: float | None, done: Done) -> bool:
    """Stop a container: the stop signal, then the grace period, then SIGKILL.

    `grace` None is the container's own or 10 s, below 0 waits for ever; `done` is called once it
    has stopped. False where it was not running, and `done` is not called.
    """
    if not actor.running:
        return False
    actor.by_hand = True
    if actor.status == "restarting":
        actor.serial += 1
        actor.status = "exited"
        stage.tell(actor, "stop")
        done()
        return True
    if actor.status == "paused":
        _resume(actor)

    def stopped() -> None:
        stage.tell(actor, "stop")
        done()

    actor.settled.append(stopped)
    number = signal_number(actor.spec.stop_signal or "SIGTERM") or _TERM
    _send(stage, actor, number)
    patience = grace if grace is not None else _patience(actor)
    if patience >= 0:
        stage.plan(patience, _guarded(actor, lambda: _send(stage, actor, _KILL)))
    return True


def _patience(actor: Actor) -> float:
    configured = actor.spec.stop_timeout
    return float(_GRACE if configured is None else configured)


def restart(
    stage: Stage, actor: Actor, grace: float | None, done: Callable[[Refusal | None], None]
) -> None:
    """Stop a container where it runs, start it, let `restart` be known; then call `done`.

    `done` gets the refusal where the start failed.
    """

    def up_again() -> None:
        try:
            start(stage, actor)
        except Refusal as refusal:
            error = refusal.facts.get("error", "")
            done(Refusal("restart-failed", name=actor.name, error=error))
            return
        stage.tell(actor, "restart")
        done(None)

    if not stop(stage, actor, grace, up_again):
        up_again()


def kill(stage: Stage, actor: Actor, signal: str) -> None:
    """Send a signal to process 1.

    Raises:
        Refusal: there is no such signal, or the container does not run.
    """
    number = signal_number(signal)
    if number is None:
        raise Refusal("invalid-signal", signal=signal)
    if not actor.running:
        raise Refusal("cannot-kill", name=actor.name, id=actor.id)
    stop_number = signal_number(actor.spec.stop_signal) if actor.spec.stop_signal else number
    if number in {_KILL, stop_number}:
        actor.by_hand = True
    if actor.status == "restarting":
        actor.serial += 1
        actor.status = "exited"
        return
    if actor.status == "paused" and number == _KILL:
        _resume(actor)
    _send(stage, actor, number)


def _send(stage: Stage, actor: Actor, number: int) -> None:
    stage.tell(actor, "kill", signal=str(number))
    spec = actor.spec
    if number == _KILL:
        stage.plan(_KILL_TAKES, _guarded(actor, lambda: end(stage, actor, 128 + _KILL)))
    elif spec.term == "exit" and number in _ENDING:
        stage.plan(spec.term_seconds, _guarded(actor, lambda: end(stage, actor, spec.term_code)))


def pause(stage: Stage, actor: Actor) -> None:
    """Freeze a container's processes; they keep their memory.

    Raises:
        Refusal: it does not run, or is frozen already.
    """
    if actor.status == "paused":
        raise Refusal("already-paused", id=actor.id)
    if actor.status == "restarting":
        raise Refusal("restarting", id=actor.id)
    if actor.status != "running":
        raise Refusal("not-running", id=actor.id)
    actor.status = "paused"
    actor.runs[-1].paused_at = stage.now
    stage.tell(actor, "pause")


def unpause(stage: Stage, actor: Actor) -> None:
    """Let a frozen container go on.

    Raises:
        Refusal: it is not frozen.
    """
    if actor.status != "paused":
        raise Refusal("not-paused", id=actor.id)
    _resume(actor)
    stage.tell(actor, "unpause")


def _resume(actor: Actor) -> None:
    actor.status = "running"
    actor.runs[-1].paused_at = None


def rename(stage: Stage, actor: Actor, name: str) -> None:
    """Give a container another name.

    Raises:
        Refusal: the name is empty, taken, or not one an engine allows.
    """
    if not name.removeprefix("/"):
        raise Refusal("empty-name")
    name = name.removeprefix("/")
    if not _NAME.fullmatch(name):
        raise Refusal("bad-name", name=name)
    for other in stage.actors.values():
        if other.name == name:
            raise Refusal("name-taken", name=name, id=other.id)
    old, actor.name = actor.name, name
    stage.tell(actor, "rename", oldName="/" + old)


def remove(stage: Stage, actor: Actor, force: bool) -> None:
    """Remove a container; one that runs only by `force`, which kills it first.

    Raises:
        Refusal: it runs and nothing forces it.
    """
    if actor.alive:
        if not force:
            raise Refusal("remove-running", id=actor.id, name=actor.name)
        actor.by_hand = True
        stage.tell(actor, "kill", signal=str(_KILL))
        end(stage, actor, 128 + _KILL)
    actor.serial += 1
    stage.drop(actor)
    stage.tell(actor, "destroy")


def is_kill(signal: str) -> bool:
    """Tell whether a signal is SIGKILL, by name or number."""
    return signal_number(signal) == _KILL
