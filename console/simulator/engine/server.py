"""The Engine API server: requests in, the stage's answers out, on a unix socket."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from console.simulator.engine import (
    attaching,
    building,
    containers,
    execution,
    host_routes,
    networks,
    pulling,
    streams,
)
from console.simulator.engine.call import Call, Engine
from console.simulator.engine.execs import Execs
from console.simulator.engine.flavours import FLAVOURS
from console.simulator.engine.wire import refused
from console.simulator.refusal import Refusal
from console.simulator.world import World

_VERSIONED = re.compile(r"/v(?P<version>\d+\.\d+)(?P<path>/.*)")
_SLASHES = re.compile("/+")
_LEAST_PRIVATE, _NOBODY = 0o600, 0o000


Handler = Callable[[Call], Awaitable[web.StreamResponse]]

_NAME = r"(?P<name>[^/]+)"
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/_ping", host_routes.ping),
    ("HEAD", "/_ping", host_routes.ping),
    ("GET", "/version", host_routes.version),
    ("GET", "/info", host_routes.info),
    ("GET", "/events", streams.events),
    ("GET", "/images/json", host_routes.list_images),
    ("GET", r"/images/(?P<name>.+)/json", host_routes.inspect_image),
    ("POST", "/build", building.build),
    ("POST", "/images/create", pulling.pull),
    ("DELETE", r"/images/(?P<name>.+)", host_routes.remove_image),
    ("GET", "/containers/json", containers.list_all),
    ("POST", "/containers/create", containers.create),
    ("GET", f"/containers/{_NAME}/json", containers.inspect),
    ("GET", f"/containers/{_NAME}/top", containers.top),
    ("GET", f"/containers/{_NAME}/logs", streams.logs),
    ("GET", f"/containers/{_NAME}/stats", streams.stats),
    ("POST", f"/containers/{_NAME}/start", containers.start),
    ("POST", f"/containers/{_NAME}/stop", containers.stop),
    ("POST", f"/containers/{_NAME}/restart", containers.restart),
    ("POST", f"/containers/{_NAME}/kill", containers.kill),
    ("POST", f"/containers/{_NAME}/pause", containers.pause),
    ("POST", f"/containers/{_NAME}/unpause", containers.unpause),
    ("POST", f"/containers/{_NAME}/rename", containers.rename),
    ("POST", f"/containers/{_NAME}/wait", streams.wait),
    ("DELETE", f"/containers/{_NAME}", containers.remove),
    ("POST", f"/containers/{_NAME}/attach", attaching.attach),
    ("POST", f"/containers/{_NAME}/exec", execution.create),
    ("POST", f"/exec/{_NAME}/start", execution.start),
    ("POST", f"/exec/{_NAME}/resize", execution.resize),
    ("GET", f"/exec/{_NAME}/json", execution.inspect),
    ("GET", "/networks", networks.list_all),
    ("GET", "/volumes", networks.list_volumes),
    ("POST", "/networks/create", networks.create),
    ("GET", f"/networks/{_NAME}", networks.inspect),
    ("DELETE", f"/networks/{_NAME}", networks.remove),
    ("POST", f"/networks/{_NAME}/(?:dis)?connect", networks.connect),
)
_PATTERNS = tuple((method, re.compile(path), handler) for method, path, handler in _ROUTES)


class EngineServer:
    """The server on its socket; opens, closes and breaks as the world's mood says."""

    def __init__(self, world: World, socket: Path) -> None:
        self._world = world
        self._socket = socket
        flavour = FLAVOURS[world.scene.engine.flavour]
        self._engine = Engine(world, flavour, Execs(world.stage, flavour))
        self._runner: web.AppRunner | None = None
        self._open: set[asyncio.Transport] = set()
        self._chores: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, unless the scene's engine is down; follow its mood from now on."""
        self._world.mood.cut = self.cut
        self._world.mood.changed = self._follow_mood
        await self._match_mood()

    async def stop(self) -> None:
        """Stop listening, break what is open and remove the socket."""
        runner, self._runner = self._runner, None
        if runner is not None:
            self.cut()
            await runner.cleanup()
        self._socket.unlink(missing_ok=True)

    def cut(self) -> None:
        """Break every connection in the middle of what it is at."""
        for transport in tuple(self._open):
            transport.abort()

    def _follow_mood(self) -> None:
        chore = asyncio.get_running_loop().create_task(self._match_mood())
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _match_mood(self) -> None:
        mood = self._world.mood
        if not mood.up:
            await self.stop()
            return
        if self._runner is None:
            await self._listen()
        self._socket.chmod(_NOBODY if mood.denied else _LEAST_PRIVATE)

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if isinstance(transport, asyncio.Transport):
            self._open.add(transport)
        try:
            answer = await self._answered(request)
            if not answer.prepared:
                answer.headers.update(self._engine.flavour.headers)
            return answer
        except ConnectionResetError:
            # Whoever asked has read enough of a stream and is gone; that is nobody's fault.
            return web.Response()
        finally:
            if isinstance(transport, asyncio.Transport):
                self._open.discard(transport)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        if self._world.mood.delay:
            await asyncio.sleep(self._world.mood.delay)
        self._world.play()
        try:
            if self._world.mood.denied:
                raise Refusal("denied")
            return await self._routed(request)
        except Refusal as refusal:
            return refused(*refusal.worded(new=self._engine.flavour.new))
        finally:
            if request.method != "GET":
                self._world.follow()

    async def _routed(self, request: web.Request) -> web.StreamResponse:
        path, flavour = _SLASHES.sub("/", request.path), self._engine.flavour
        versioned = _VERSIONED.fullmatch(path)
        if versioned:
            version, path = versioned["version"], versioned["path"]
            stands = flavour.speaks(version)
            if stands > 0:
                raise Refusal("too-new", version=version, maximum=flavour.api)
            if stands < 0:
                raise Refusal("too-old", version=version, minimum=flavour.minimum)
            flavour = flavour.asked_by(version)
        for method, pattern, handler in _PATTERNS:
            found = pattern.fullmatch(path) if method == request.method else None
            if found:
                name = found.groupdict().get("name", "")
                return await handler(Call(self._engine, request, name, flavour))
        raise Refusal("page-not-found")


async def pass_time(world: World) -> None:
    """Play the stage along with a clock that moves on its own, until cancelled."""
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            world.play()
            ahead = world.stage.due() - world.stage.time()
            await asyncio.sleep(max(0.0, min(ahead, 0.1)))
