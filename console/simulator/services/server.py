"""A service on a loopback port that it keeps for good, and listens on only while it is up."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import web

from console.simulator.ports import KeptPort
from console.simulator.services.backstage import Backstage
from console.simulator.services.comfyui import ComfyUI
from console.simulator.services.forge import Forge
from console.simulator.services.front import Front
from console.simulator.services.moods import RUNS, misbehave

_TELL = 0.03
"""Seconds between two looks at what there is to say over the WebSockets."""


class ServiceServer:
    """A Forge or ComfyUI on its port; opens and closes without waiting for anything.

    `mood` names how it misbehaves (`hang`, or one of `console.simulator.services.moods.ODD`), or
    how its runs go wrong (one of `RUNS` there); empty is well.
    """

    def __init__(
        self,
        behind: Backstage,
        api: ComfyUI | Forge,
        front: Front | None,
        port: KeptPort,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.mood = ""
        self.port = port
        self._behind = behind
        self._api = api
        self._front = front
        self._before = before
        self._after = after
        api.pump = before
        self._protocol = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._socket is not None

    def open(self) -> None:
        """Accept connections from now on; needs a running event loop."""
        if self._socket is None:
            self._socket = self.port.listening()
            self._opening = asyncio.get_running_loop().create_task(self._serve(self._socket))

    async def _serve(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, sock=listening)
        while True:
            await asyncio.sleep(_TELL)
            await self._tell()

    async def _tell(self) -> None:
        """Say over the WebSockets what is due; nothing where nobody listens."""
        if not self._api.listened:
            return
        if self._before is not None:
            self._before()
        await self._api.tell()
        self._settle()

    def close(self) -> None:
        """Refuse connections from now on and break those that are open."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        for connection in self._protocol.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def stop(self) -> None:
        """Close for good and give up the port."""
        self.close()
        self.port.give_up()
        await self._protocol.shutdown(0.1)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._before is not None:
            self._before()
        try:
            self._api.mood = self.mood if self.mood in RUNS else ""
            if self.mood and self.mood not in RUNS:
                return await misbehave(request, self.mood)
            return await self._well(request)
        finally:
            self._settle()

    def _settle(self) -> None:
        """Let others see what has changed; what died in the middle is there no more."""
        if self._after is not None:
            self._after()
        if self._behind.died:
            self.close()

    async def _well(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._front is None:
            return await self._api.answer(request)
        return await self._front.answer(request, self._behind.figures(), self._api.answer)
