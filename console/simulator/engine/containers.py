"""Requests about containers that are answered at once, and those that change one."""

import json
from typing import Any

from aiohttp import web

from console.simulator import acts
from console.simulator.engine import parts
from console.simulator.engine.call import Call
from console.simulator.engine.creation import create as make
from console.simulator.engine.details import inspected
from console.simulator.engine.listing import FILTERS, listed, selected
from console.simulator.engine.query import filters, number, truth
from console.simulator.engine.wire import answer
from console.simulator.refusal import Refusal

_NOTHING, _UNCHANGED, _CREATED = 204, 304, 201


async def list_all(call: Call) -> web.Response:
    """Answer `GET /containers/json`."""
    query, stage = call.request.query, call.world.stage
    wanted = filters(query, FILTERS)
    limit = number(query, "limit")
    found = selected(stage, wanted, truth(query, "all"), limit)
    return answer([listed(stage, actor, call.flavour) for actor in found])


async def inspect(call: Call) -> web.Response:
    """Answer `GET /containers/{name}/json`; one that vanishes is gone between list and this."""
    actor = call.world.stage.find(call.name)
    if actor.spec.vanishes:
        raise Refusal("no-such-container", name=call.name)
    return answer(inspected(call.world.stage, actor, call.flavour))


async def create(call: Call) -> web.Response:
    """Answer `POST /containers/create`."""
    body = await read_json(call.request)
    actor = make(call.world, body, call.request.query.get("name", ""))
    return answer({"Id": actor.id, "Warnings": []}, _CREATED)


async def start(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/start`."""
    stage = call.world.stage
    changed = acts.start(stage, stage.find(call.name))
    return web.Response(status=_NOTHING if changed else _UNCHANGED)


async def stop(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/stop` once it has stopped."""
    stage = call.world.stage
    actor = stage.find(call.name)
    grace = number(call.request.query, "t")
    if not actor.running:
        return web.Response(status=_UNCHANGED)

    def order(done: Any) -> None:
        acts.stop(stage, actor, grace, lambda: done(True))

    await call.world.carry_out(order)
    return web.Response(status=_NOTHING)


async def restart(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/restart` once it is up again."""
    stage = call.world.stage
    actor = stage.find(call.name)
    grace = number(call.request.query, "t")

    def order(done: Any) -> None:
        acts.restart(stage, actor, grace, done)

    refusal = await call.world.carry_out(order)
    if isinstance(refusal, Refusal):
        raise refusal
    return web.Response(status=_NOTHING)


async def kill(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/kill`; a SIGKILL is waited for, as the engine does."""
    stage = call.world.stage
    actor = stage.find(call.name)
    signal = call.request.query.get("signal", "") or "SIGKILL"

    def order(done: Any) -> None:
        acts.kill(stage, actor, signal)
        if actor.alive and acts.is_kill(signal):
            actor.settled.append(lambda: done(True))
        else:
            done(True)

    await call.world.carry_out(order)
    return web.Response(status=_NOTHING)


async def pause(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/pause`."""
    acts.pause(call.world.stage, call.world.stage.find(call.name))
    return web.Response(status=_NOTHING)


async def unpause(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/unpause`."""
    acts.unpause(call.world.stage, call.world.stage.find(call.name))
    return web.Response(status=_NOTHING)


async def rename(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/rename`."""
    stage = call.world.stage
    acts.rename(stage, stage.find(call.name), call.request.query.get("name", ""))
    return web.Response(status=_NOTHING)


async def remove(call: Call) -> web.Response:
    """Answer `DELETE /containers/{name}`."""
    stage = call.world.stage
    acts.remove(stage, stage.find(call.name), truth(call.request.query, "force"))
    return web.Response(status=_NOTHING)


async def top(call: Call) -> web.Response:
    """Answer `GET /containers/{name}/top`: process 1 and, where there is one, the child on a card.

    The process ids are the host's, as a real engine gives them.
    """
    stage = call.world.stage
    actor = stage.find(call.name)
    if not actor.alive:
        raise Refusal("restarting" if actor.running else "not-running", id=actor.id)
    begun = f"{stage.wall(actor.started_at or 0.0):%H:%M}"
    line = " ".join(parts.argv(actor))
    rows = [["root", str(actor.pid), str(actor.pid - 20), "0", begun, "?", "00:00:00", line]]
    if actor.spec.card is not None:
        child = ["user", str(actor.gpu_pid), str(actor.pid), "98", begun, "?", "00:12:41"]
        rows.append([*child, "python3 launch.py"])
    titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    stage.tell(actor, "top")
    return answer({"Processes": rows, "Titles": titles})


async def read_json(request: web.Request) -> dict[str, Any]:
    """Read a request's JSON object.

    Raises:
        Refusal: it says it is something else, or is none.
    """
    text = await request.text()
    if not text:
        return {}
    if request.content_type != "application/json":
        raise Refusal("bad-content-type", type=request.content_type)
    try:
        body = json.loads(text)
    except ValueError as error:
        raise Refusal("bad-json", character=text[0]) from error
    return body if isinstance(body, dict) else {}
