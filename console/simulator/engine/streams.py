"""Answers that go on: events, logs that are followed, counters, waiting for an end."""

import asyncio
from typing import Any

from aiohttp import web

from console.simulator.actor import Actor
from console.simulator.engine import events as told_events
from console.simulator.engine.call import Call
from console.simulator.engine.logs import LogQuery, asked, entries, written
from console.simulator.engine.query import filters, timestamp, truth
from console.simulator.engine.stats import sample
from console.simulator.engine.wire import encoded
from console.simulator.refusal import Refusal

_LOOKS = 0.1
_COLLECTS = 1.0


async def _opened(call: Call, content_type: str | None) -> web.StreamResponse:
    response = web.StreamResponse(headers=call.flavour.headers)
    if content_type:
        response.content_type = content_type
    else:
        response.headers["Content-Type"] = ""
    response.enable_chunked_encoding()
    await response.prepare(call.request)
    return response


async def events(call: Call) -> web.StreamResponse:
    """Answer `GET /events`."""
    query, stage = call.request.query, call.world.stage
    since, until = timestamp(query, "since"), timestamp(query, "until")
    if since is not None and until is not None and since > until:
        raise Refusal("since-after-until", since=query["since"], until=query["until"])
    wanted = filters(query, told_events.FILTERS)
    response = await _opened(call, "application/json")
    first = stage.moment_of(since) if since is not None else None
    last = stage.moment_of(until) if until is not None else None
    async for happening in told_events.stream(call.world, wanted, first, last):
        await response.write(encoded(told_events.told(call.world, happening, call.flavour)))
    return response


async def logs(call: Call) -> web.StreamResponse:
    """Answer `GET /containers/{name}/logs`; followed, it ends when the container does."""
    stage = call.world.stage
    actor = stage.find(call.name)
    query = _log_query(call)
    response = await _opened(call, _log_type(call, actor))
    seen = stage.now
    for entry in asked(actor, query, seen):
        await response.write(written(stage, actor, query, entry))
    wanted = {stream for stream, on in ((1, query.stdout), (2, query.stderr)) if on}
    while query.follow:
        now = stage.now
        for entry in entries(actor, seen, now):
            if entry.stream in wanted or actor.spec.tty:
                await response.write(written(stage, actor, query, entry))
        seen = now
        if not actor.running:
            break
        await call.world.tick(_LOOKS)
    return response


def _log_query(call: Call) -> LogQuery:
    query, stage = call.request.query, call.world.stage
    stdout, stderr = truth(query, "stdout"), truth(query, "stderr")
    if not (stdout or stderr):
        raise Refusal("no-stream")
    since, until = timestamp(query, "since"), timestamp(query, "until")
    tail = query.get("tail", "all")
    return LogQuery(
        stdout=stdout,
        stderr=stderr,
        timestamps=truth(query, "timestamps"),
        follow=truth(query, "follow"),
        tail=int(tail) if tail.isdecimal() else None,
        since=stage.moment_of(since) if since is not None else None,
        until=stage.moment_of(until) if until is not None else None,
    )


def _log_type(call: Call, actor: Actor) -> str | None:
    if not call.flavour.new:
        return None
    sort = "raw" if actor.spec.tty else "multiplexed"
    return f"application/vnd.docker.{sort}-stream"


async def stats(call: Call) -> web.StreamResponse:
    """Answer `GET /containers/{name}/stats`.

    A single answer comes at once with `one-shot`; without, the engine first collects two samples,
    which is what makes it slow.
    """
    query, stage = call.request.query, call.world.stage
    actor = stage.find(call.name)
    streaming = query.get("stream") is None or truth(query, "stream")
    one_shot = truth(query, "one-shot") and not streaming
    if not streaming and not one_shot and actor.alive and not call.world.held:
        await asyncio.sleep(2 * _COLLECTS)
        call.world.play()
    response = await _opened(call, "application/json")
    before: float | None = None if one_shot or streaming else stage.now - _COLLECTS
    while True:
        counters = sample(stage, actor, call.flavour, stage.now, before)
        before = stage.now
        await response.write(encoded(counters))
        if not streaming or actor.id not in stage.actors:
            return response
        await asyncio.sleep(_COLLECTS)
        call.world.play()


async def wait(call: Call) -> web.StreamResponse:
    """Answer `POST /containers/{name}/wait` when the container has ended (or been removed)."""
    stage = call.world.stage
    actor = stage.find(call.name)
    condition = call.request.query.get("condition", "not-running")
    response = await _opened(call, "application/json")
    if condition == "next-exit" or (condition == "not-running" and actor.running):
        ended = asyncio.get_running_loop().create_future()
        actor.settled.append(lambda: None if ended.done() else ended.set_result(None))
        await ended
    while condition == "removed" and actor.id in stage.actors:
        await call.world.tick(_LOOKS)
    result: dict[str, Any] = {"StatusCode": actor.exit_code}
    if not call.flavour.new:
        result = {"Error": None, **result}
    await response.write(encoded(result))
    return response
