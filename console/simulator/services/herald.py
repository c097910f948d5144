"""The WebSockets of a ComfyUI: who listens under which name, and what is told to whom."""

import asyncio
import contextlib
import json
import math
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import WSMsgType, web

from console.simulator.services.backstage import Figures, Order
from console.simulator.services.moods import DEAF, DROPS, GARBAGE, NO_NUMBERS
from console.simulator.services.playbook import Playbook
from console.simulator.services.script import Line, frame, lines, odd_frames

_DROP_AFTER = 5
_ODD_EVERY = 2
_SLOW = 5.0


class _Turn:
    """One prompt as it is being told: which of its lines are said already."""

    def __init__(self, order: Order, said: Iterator[Line]) -> None:
        self.order = order
        self.client = str(order.extra.get("client_id") or "")
        self._lines = said
        self._next: Line | None = next(said, None)
        self.node = ""

    def due(self, share: float) -> Iterator[Line]:
        """Give the lines that are due at a share of the job."""
        while self._next is not None and self._next.share <= share:
            line = self._next
            self._next = next(self._lines, None)
            yield line


class Herald:
    """Tells over WebSockets what happens, in the recorded order.

    As in the real one a name has one connection, a newer one takes it over, and when any connection
    of that name closes, the name is forgotten: the newer one stays open and hears nothing more.
    """

    def __init__(self, playbook: Playbook, features: dict[str, Any]) -> None:
        self._playbook = playbook
        self._features = features
        self._by_name: dict[str, web.WebSocketResponse] = {}
        self._described: set[str] = set()
        self._turn: _Turn | None = None
        self._ends_told = 0
        self._remaining = 0
        self._lock = asyncio.Lock()
        self._sent = 0
        self.mood = ""

    @property
    def listened(self) -> bool:
        """Whether anybody listens."""
        return bool(self._by_name)

    async def listen(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one connection until it closes."""
        name = request.query.get("clientId") or uuid.uuid4().hex
        # What came before is not told to who comes now.
        await self.tell()
        made = web.WebSocketResponse(max_msg_size=4 << 20)
        await made.prepare(request)
        self._by_name[name] = made
        self._described.discard(name)
        try:
            await self._greet(name, made)
            await self._heed(name, made)
        finally:
            self._by_name.pop(name, None)
        return made

    async def _greet(self, name: str, made: web.WebSocketResponse) -> None:
        status = {"status": _status(self._remaining), "sid": name}
        await self._send(made, {"type": "status", "data": status})
        turn = self._turn
        if turn is not None and turn.client == name and turn.node:
            await self._send(made, {"type": "executing", "data": {"node": turn.node}})

    async def _heed(self, name: str, made: web.WebSocketResponse) -> None:
        """Answer the first message where it tells features; all others are ignored."""
        first = True
        async for message in made:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                told = json.loads(message.data)
            except ValueError:
                continue
            if first and isinstance(told, dict) and told.get("type") == "feature_flags":
                wishes = told.get("data")
                if isinstance(wishes, dict) and wishes.get("supports_preview_metadata"):
                    self._described.add(name)
                await self._send(made, {"type": "feature_flags", "data": self._features})
            first = False

    async def tell(self) -> None:
        """Say what is due by now."""
        async with self._lock:
            now = self._playbook.catch_up()
            remaining = len(now.waiting) + (1 if now.job else 0)
            if remaining > self._remaining:
                await self._say_status(remaining)
            while self._ends_told < len(self._playbook.log):
                order = self._playbook.log[self._ends_told]
                self._ends_told += 1
                left = len(self._playbook.log) - self._ends_told + remaining
                await self._finish(order, left)
            await self._go_on(now)
            if remaining != self._remaining:
                await self._say_status(remaining)

    async def _go_on(self, now: Figures) -> None:
        if now.job is None:
            return
        await self._begin(now.job.order)
        assert self._turn is not None  # noqa: S101 -- it has just been made
        await self._perform(self._turn, now.job.share)

    async def _begin(self, order: Order) -> None:
        if self._turn is not None and self._turn.order is order:
            return
        acting = self._playbook.acting(order)
        self._turn = _Turn(order, lines(acting))
        await self._say_status(self._remaining)
        head = {"prompt_id": order.ident, "timestamp": round(order.begun * 1000)}
        await self._say(self._turn, {"type": "execution_start", "data": head})
        cached = {"nodes": acting.cached, **head}
        await self._say(self._turn, {"type": "execution_cached", "data": cached})

    async def _finish(self, order: Order, remaining: int) -> None:
        await self._begin(order)
        turn = self._turn
        assert turn is not None  # noqa: S101 -- it has just been made
        how = self._playbook.how(order.ident)
        # The lines of a failing prompt end by themselves, where it fails.
        share = self._playbook.reached(order.ident) if how == "interrupted" else math.inf
        await self._perform(turn, share)
        kind, facts = self._playbook.last_message(order, self._playbook.times[order.ident][1])
        await self._say(turn, {"type": kind, "data": facts})
        await self._say_status(remaining)
        over = {"node": None, "prompt_id": order.ident}
        await self._say(turn, {"type": "executing", "data": over})
        self._turn = None

    async def _perform(self, turn: _Turn, share: float) -> None:
        for line in turn.due(share):
            if line.picture is not None:
                await self._show(turn, *line.picture)
            elif line.message is not None:
                told = line.message["type"]
                if told == "executing":
                    turn.node = line.message["data"]["node"]
                # A picture is told of once it lies there; where it cannot, the node fails.
                if told == "executed" and not self._playbook.keep(
                    turn.order, line.message["data"]["node"]
                ):
                    continue
                await self._say(turn, line.message, broadcast=line.broadcast)

    async def _say(self, turn: _Turn, message: dict[str, Any], *, broadcast: bool = False) -> None:
        for _, made in self._hearers(turn, broadcast):
            await self._send(made, message)

    async def _show(self, turn: _Turn, node: str, step: int, steps: int) -> None:
        hearers = self._hearers(turn, broadcast=True)
        if not hearers:
            return
        # What it is drawn from is made in a thread: the first live picture waits for it.
        picture = await asyncio.to_thread(self._playbook.live, turn.order, step, steps)
        for name, made in hearers:
            described = name in self._described
            await self._send(made, frame(turn.order.ident, node, picture, described))

    def _hearers(self, turn: _Turn, broadcast: bool) -> list[tuple[str, web.WebSocketResponse]]:
        """Give who hears of a prompt: its client; without one everybody, of some messages."""
        if turn.client:
            made = self._by_name.get(turn.client)
            return [(turn.client, made)] if made is not None else []
        return list(self._by_name.items()) if broadcast else []

    async def _say_status(self, remaining: int) -> None:
        self._remaining = remaining
        for made in list(self._by_name.values()):
            await self._send(made, {"type": "status", "data": {"status": _status(remaining)}})

    async def _send(self, made: web.WebSocketResponse, what: dict[str, Any] | bytes | str) -> None:
        self._sent += 1
        if self.mood == DEAF and self._sent > 1:
            return
        if self.mood == DROPS and self._sent % _DROP_AFTER == 0:
            await self._drop(made)
            return
        if self.mood == GARBAGE and self._sent % _ODD_EVERY == 0:
            odd = odd_frames()
            await self._put(made, odd[self._sent // _ODD_EVERY % len(odd)])
        await self._put(made, what)

    async def _drop(self, made: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            await asyncio.wait_for(made.close(code=1011), _SLOW)

    async def _put(self, made: web.WebSocketResponse, what: dict[str, Any] | bytes | str) -> None:
        if made.closed:
            return
        # A client that reads nothing must not hold up the others.
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            if isinstance(what, bytes):
                await asyncio.wait_for(made.send_bytes(what), _SLOW)
            else:
                text = what if isinstance(what, str) else json.dumps(what)
                if self.mood == NO_NUMBERS:
                    text = text.replace('"max": ', '"odd": Infinity, "max": ')
                await asyncio.wait_for(made.send_str(text), _SLOW)


def _status(remaining: int) -> dict[str, Any]:
    return {"exec_info": {"queue_remaining": remaining}}
