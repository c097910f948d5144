"""Requests about execs; the connection of a started one is taken over, as the engine does."""

import asyncio

from aiohttp import web

from console.simulator.engine.call import Call
from console.simulator.engine.containers import read_json
from console.simulator.engine.execs import Exec, Outcome, described, is_bare_shell
from console.simulator.engine.terminal import ShellTerminal
from console.simulator.engine.wire import answer, frame

_CREATED = 201
BEGINNING = 0.04
"""Seconds a real process takes to write something: the SDK loses what comes with the head."""

_TYPE = "application/vnd.docker.raw-stream"


async def create(call: Call) -> web.Response:
    """Answer `POST /containers/{name}/exec`."""
    actor = call.world.stage.find(call.name)
    body = await read_json(call.request)
    words = body.get("Cmd") or []
    argv = [words] if isinstance(words, str) else [str(word) for word in words]
    made = call.engine.execs.create(actor, argv, bool(body.get("Tty")))
    return answer({"Id": made.id}, _CREATED)


async def inspect(call: Call) -> web.Response:
    """Answer `GET /exec/{name}/json`."""
    return answer(described(call.engine.execs.get(call.name)))


async def start(call: Call) -> web.StreamResponse:
    """Answer `POST /exec/{name}/start`: the output, straight on the connection."""
    made = call.engine.execs.get(call.name)
    body = await read_json(call.request)
    if made.begun:
        again = Outcome(f"Error: Exec command {made.id} has already run\r\n")
        return await _taken_over(call, again, tty=False)
    if made.tty and is_bare_shell(made.argv) and not body.get("Detach"):
        return await _interactive(call, made)
    outcome = call.engine.execs.run(made)
    if body.get("Detach"):
        return web.Response()
    return await _taken_over(call, outcome, tty=made.tty)


async def resize(call: Call) -> web.Response:
    """Answer `POST /exec/{name}/resize`: there is no terminal behind it whose size matters."""
    call.engine.execs.get(call.name)
    return web.Response()


async def _interactive(call: Call, made: Exec) -> web.StreamResponse:
    """Hand the connection to a shell that reads what is typed."""
    execs = call.engine.execs
    execs.begin(made)
    transport = call.request.transport
    if isinstance(transport, asyncio.Transport):
        terminal = ShellTerminal(
            transport.get_protocol(),
            lambda line: execs.typed(made, line),
            lambda code: execs.end(made, code),
        )
        transport.set_protocol(terminal)
        transport.write(head(call))
        await asyncio.sleep(BEGINNING)
        terminal.take(transport)
        # aiohttp closes the connection as soon as its handler returns.
        await terminal.over.wait()
    return Silent()


def head(call: Call) -> bytes:
    """Give the head of the answer after which the connection is no longer HTTP."""
    upgrade = call.request.headers.get("Upgrade", "")
    lines = ["HTTP/1.1 101 UPGRADED" if upgrade else "HTTP/1.1 200 OK", f"Content-Type: {_TYPE}"]
    if upgrade:
        lines += ["Connection: Upgrade", f"Upgrade: {upgrade}"]
    lines += [f"{name}: {value}" for name, value in call.flavour.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def _taken_over(call: Call, outcome: Outcome, *, tty: bool) -> web.StreamResponse:
    """Write the head and the output by hand: after it the connection is no longer HTTP."""
    data = b""
    for stream, text in ((1, outcome.stdout), (2, outcome.stderr)):
        if text:
            payload = text.encode("utf-8", "surrogateescape")
            data += payload.replace(b"\n", b"\r\n") if tty else frame(stream, payload)
    transport = call.request.transport
    if isinstance(transport, asyncio.Transport):
        transport.set_protocol(Hijacked(transport.get_protocol()))
        transport.write(head(call))
        await asyncio.sleep(BEGINNING)
        transport.write(data)
        transport.close()
    return Silent()


class Hijacked(asyncio.Protocol):
    """What a taken-over connection is read by: its client may end its side and still listen."""

    def __init__(self, before: asyncio.BaseProtocol) -> None:
        self._before = before

    def eof_received(self) -> bool:
        """Keep our side open: docker's client closes its own as soon as it has no input."""
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who had the connection before, so that it is forgotten there."""
        self._before.connection_lost(error)


class Silent(web.StreamResponse):
    """An answer that has been given already: aiohttp has nothing left to write."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, _request: web.BaseRequest) -> None:
        """Write no head."""

    async def write_eof(self, _data: bytes = b"") -> None:
        """Write no end."""

    @property
    def prepared(self) -> bool:
        """It has been, by hand."""
        return True
