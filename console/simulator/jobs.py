"""What can happen to a service: jobs come, wait and end, are broken off; models are unloaded.

The life of a container goes through its jobs by itself. An order makes it leap: forward to the
next job, or over the rest of the one under way.
"""

import math
import uuid
from collections.abc import Callable
from dataclasses import replace

from console.simulator import acts
from console.simulator.actor import Actor
from console.simulator.life import Span
from console.simulator.scene import GIB
from console.simulator.services.backstage import Order
from console.simulator.services.effort import somebodys_effort
from console.simulator.services.moods import SEGFAULT
from console.simulator.services.solo import somebodys_graph
from console.simulator.stage import Stage

_MOMENT = 1e-6
"""A sum of floats may fall short of where a job ends."""


def current(stage: Stage, actor: Actor) -> tuple[Span, Order] | None:
    """Give the job under way, as the container's life or an order has it."""
    span = actor.job(stage.now)
    if span is None:
        return None
    return span, actor.order or _somebodys(stage, actor, span)


def _somebodys(stage: Stage, actor: Actor, span: Span) -> Order:
    begun = stage.wall(span.begin).timestamp()
    number = int(span.begin - (actor.started_at or 0.0))
    ident = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{actor.id}/{number}"))
    return Order(ident=ident, number=number, asked=begun, begun=begun, graph=somebodys_graph())


def somebodys_order(stage: Stage, actor: Actor) -> Order:
    """Give an order that came from nowhere, another one each time."""
    count = len(actor.ended) + len(actor.waiting)
    ident = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{actor.id}/{stage.now:.3f}/{count}"))
    number = int(stage.now - (actor.started_at or 0.0)) + count
    return Order(
        ident=ident, number=number, asked=stage.wall(stage.now).timestamp(), graph=somebodys_graph()
    )


def take(stage: Stage, actor: Actor, order: Order) -> None:
    """Take a job: it begins at once, or when those before it are done."""
    actor.waiting.append(order)
    span = actor.job(stage.now)
    if span is None:
        _next(stage, actor)
    elif actor.stint is None:
        _plan(stage, actor, span.end, lambda: _done(stage, actor, span.end))


def begin_waiting(stage: Stage, actor: Actor, count: int) -> None:
    """Let so many jobs of somebody's wait."""
    for _ in range(count):
        take(stage, actor, somebodys_order(stage, actor))


def interrupt(stage: Stage, actor: Actor, ident: str = "") -> None:
    """Break off the job under way, or only the one named; what waits comes next."""
    now = current(stage, actor)
    if now is None or ident not in {"", now[1].ident}:
        return
    run = actor.runs[-1]
    if actor.stint is not None:
        run.lay_down(stage.now)
    else:
        run.leap(stage.now, run.position(stage.now) + now[0].end - stage.now + _MOMENT)
    actor.ended.append((now[1], "interrupted"))
    actor.order = None
    _rest(stage, actor)


def unload(stage: Stage, actor: Actor) -> None:
    """Give back the VRAM of the models; after the job under way, where there is one."""
    span = actor.job(stage.now)
    if span is None:
        _release(stage, actor)
        return
    actor.unloads = True
    if actor.stint is not None:
        return
    _plan(stage, actor, span.end, lambda: _done(stage, actor, span.end))


def _release(stage: Stage, actor: Actor) -> None:
    actor.unloads = False
    if actor.alive and actor.runs:
        actor.runs[-1].release(stage.now)


def _done(stage: Stage, actor: Actor, end: float) -> None:
    """Look after a job's planned end what comes next; an earlier end has seen to it already."""
    if actor.stint is not None:
        return
    span = actor.job(stage.now)
    if span is not None and span.begin < end - _MOMENT:
        return
    if actor.order is not None and (span is None or span.begin >= end - _MOMENT):
        actor.ended.append((actor.order, "success"))
        actor.order = None
    if span is None:
        _rest(stage, actor)
    else:
        _plan(stage, actor, span.end, lambda: _done(stage, actor, span.end))


def _rest(stage: Stage, actor: Actor) -> None:
    """Do what was put off until the job is done."""
    if actor.unloads:
        _release(stage, actor)
    _next(stage, actor)


def _next(stage: Stage, actor: Actor) -> None:
    """Begin the first job that waits."""
    if not actor.waiting or not actor.runs:
        return
    run = actor.runs[-1]
    position = run.position(stage.now)
    begins = actor.life.next_job(position)
    order = actor.waiting.pop(0)
    begun = replace(order, begun=stage.wall(stage.now).timestamp())
    if order.measure is not None or math.isinf(begins):
        _perform(stage, actor, begun)
        return
    run.leap(stage.now, begins)
    actor.order = begun
    span = actor.job(stage.now)
    if span is not None:
        _plan(stage, actor, span.end, lambda: _done(stage, actor, span.end))


def _perform(stage: Stage, actor: Actor, order: Order) -> None:
    """Do a job that was asked for: it takes what whoever took it says."""
    run = actor.runs[-1]
    if order.measure is not None:
        effort = order.measure(order)
    else:
        effort = somebodys_effort(stage.scene.pace)
    moment = actor.moment(stage.now)
    context = int(actor.spec.service.context * GIB)
    before = max(0, moment.vram_bytes - context) if moment is not None else 0
    actor.order = order
    run.take_up(stage.now, effort, before)
    stint = run.stints[-1]

    def over() -> None:
        if actor.stint is stint:
            _performed(stage, actor, order, effort.outcome)

    _plan(stage, actor, stage.now + effort.seconds, over)


def _performed(stage: Stage, actor: Actor, order: Order, how: str) -> None:
    if how == "dies":
        acts.end(stage, actor, SEGFAULT)
        return
    actor.runs[-1].lay_down(stage.now)
    actor.ended.append((order, how))
    actor.order = None
    _rest(stage, actor)


def _plan(stage: Stage, actor: Actor, at: float, act: Callable[[], None]) -> None:
    """Plan something for this run of the container only."""
    serial = actor.serial

    def guarded() -> None:
        if actor.serial == serial:
            act()

    stage.plan_at(at + _MOMENT, guarded)
