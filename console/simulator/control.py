"""The way a test or a drill makes things happen in a rehearsal: cues over a socket of its own."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from console.simulator.scene import Cue

if TYPE_CHECKING:
    from console.simulator.host import Host


class ControlServer:
    """Takes `POST /cue` with a cue as JSON, and carries it out at once."""

    def __init__(self, host: "Host", socket: Path) -> None:
        self._host = host
        self._socket = socket
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on the socket, which only its owner can reach."""
        app = web.Application()
        app.router.add_post("/cue", self._cue)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()
        self._socket.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _cue(self, request: web.Request) -> web.Response:
        world = self._host.world
        try:
            cue = msgspec.json.decode(await request.read(), type=Cue)
            world.play()
            world.prompter.perform(cue)
            world.follow()
        except (msgspec.DecodeError, ValueError, IndexError) as error:
            return web.Response(status=400, text=str(error))
        self._host.refresh()
        return web.Response(status=204)
