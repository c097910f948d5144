"""ComfyUI's WebSocket through a public address: it passes when the first `status` has arrived."""

import asyncio
import json
import uuid
from typing import TYPE_CHECKING

import msgspec

from console.errors import ConsoleError
from console.outside.visit import Visitor
from console.text import clean_line

if TYPE_CHECKING:
    import aiohttp

AS_BROWSERS = 15
"""The window of permessage-deflate that browsers offer, as aiohttp's `compress`."""

_LARGEST = 4 << 20
_MOST_FRAMES = 20
_SWITCHED = 101


class Listened(msgspec.Struct, frozen=True, kw_only=True):
    """How far a WebSocket came.

    Attributes:
        stage: `status` (all is well), `refused` (no handshake), after it `closed` or `silent`, or
            `odd` (frames came, but not ComfyUI's).
        status: HTTP status of the answer to the handshake; 101 where it succeeded.
        compressed: both ends agreed on compression.
        words: what was seen, for people.
    """

    stage: str
    status: int = 101
    compressed: bool = False
    words: str = ""


def listen(visitor: Visitor, *, compress: int = AS_BROWSERS) -> Listened:
    """Open `/ws` as a browser does, with `Origin`, and wait for the first `status`.

    Args:
        visitor: whose patience bounds it all.
        compress: the window that is offered; 0 offers no compression.

    Raises:
        ConsoleError: there is no connection at all.
    """
    found: list[Listened] = []

    async def act(session: "aiohttp.ClientSession") -> Listened:
        return await _listened(session, visitor, compress, found)

    try:
        return visitor.within(act)
    except ConsoleError as error:
        if error.code == "outside.redirected":
            return Listened(stage="refused", status=302, words="the handshake was sent elsewhere")
        if not found:
            raise
        if error.code == "outside.late":
            words = f"no status frame within {visitor.patience:g} s of the handshake"
            return msgspec.structs.replace(found[-1], stage="silent", words=words)
        return msgspec.structs.replace(found[-1], stage="closed", words=error.detail or error.title)


async def _listened(
    session: "aiohttp.ClientSession", visitor: Visitor, compress: int, found: list[Listened]
) -> Listened:
    import aiohttp

    address = visitor.address
    url = f"{address.base}/ws?clientId=gpuconsole-doctor-{uuid.uuid4().hex}"
    try:
        opened = await session.ws_connect(
            url, compress=compress, origin=address.origin, max_msg_size=_LARGEST, autoping=True,
            timeout=aiohttp.ClientWSTimeout(ws_close=0.2), ssl=visitor.context,
        )  # fmt: skip
    except aiohttp.WSServerHandshakeError as error:
        words = f"it was answered with {error.status}"
        if error.status == _SWITCHED:
            words = clean_line(f"it was answered wrongly: {error.message}", 200)
        return Listened(stage="refused", status=error.status, words=words)
    now = Listened(stage="silent", compressed=bool(opened.compress))
    found.append(now)
    try:
        return await _heard(opened, now)
    finally:
        # A proxy that swallows the closing frame must not cost more time.
        task = asyncio.ensure_future(opened.close())
        await asyncio.wait((task,), timeout=0.3)


async def _heard(opened: "aiohttp.ClientWebSocketResponse", now: Listened) -> Listened:
    from aiohttp import WSMsgType

    for _ in range(_MOST_FRAMES):
        message = await opened.receive()
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            if message.type is WSMsgType.TEXT and _is_status(message.data):
                words = "the first status frame has arrived"
                return msgspec.structs.replace(now, stage="status", words=words)
            continue
        if message.type is WSMsgType.ERROR:
            words = clean_line(str(message.data), 200) or "a damaged frame"
            return msgspec.structs.replace(now, stage="closed", words=words)
        code = opened.close_code
        words = "the connection broke before the first frame"
        if code and code not in {1000, 1006}:
            words = f"it was closed with {code} before the first frame"
        return msgspec.structs.replace(now, stage="closed", words=words)
    return msgspec.structs.replace(now, stage="odd", words="frames came, but no status")


def _is_status(text: str) -> bool:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("type") == "status"
