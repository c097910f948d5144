"""Being attached to a container: what it writes from now on, on a taken-over connection."""

import asyncio

from aiohttp import web

from console.simulator.actor import Actor
from console.simulator.engine.call import Call
from console.simulator.engine.execution import BEGINNING, Hijacked, Silent, head
from console.simulator.engine.logs import LogQuery, asked, entries, written
from console.simulator.engine.query import truth

_LOOKS = 0.1


async def attach(call: Call) -> web.StreamResponse:
    """Answer `POST /containers/{name}/attach`; ends when the container does, or its client.

    One that was never started is waited for: compose 1.x attaches before it starts anything.
    """
    actor = call.world.stage.find(call.name)
    query = call.request.query
    wanted = LogQuery(stdout=truth(query, "stdout"), stderr=truth(query, "stderr"))
    transport = call.request.transport
    if isinstance(transport, asyncio.Transport):
        transport.set_protocol(Hijacked(transport.get_protocol()))
        transport.write(head(call))
        await asyncio.sleep(BEGINNING)
        await _write_on(call, actor, wanted, transport)
        transport.close()
    return Silent()


async def _write_on(
    call: Call, actor: Actor, wanted: LogQuery, transport: asyncio.Transport
) -> None:
    """Write what the container writes, for as long as both are there."""
    stage = call.world.stage
    streams = {stream for stream, on in ((1, wanted.stdout), (2, wanted.stderr)) if on}
    seen = stage.now
    ran = actor.running
    if truth(call.request.query, "logs"):
        for entry in asked(actor, wanted, seen):
            transport.write(written(stage, actor, wanted, entry))
    while truth(call.request.query, "stream") and not transport.is_closing():
        now = stage.now
        for entry in entries(actor, seen, now):
            if entry.stream in streams or actor.spec.tty:
                transport.write(written(stage, actor, wanted, entry))
        seen = now
        ran = ran or actor.running
        if (ran and not actor.running) or actor.id not in stage.actors:
            return
        await call.world.tick(_LOOKS)
