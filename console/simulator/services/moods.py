"""How a service misbehaves: it hangs, answers what no such service would, or its runs go wrong."""

import asyncio

from aiohttp import web

_MIB = 1 << 20

HANG = "hang"
ODD = ("html", "garbage", "huge", "wrong-types", "redirect-loop", "cut", "error")
"""The odd answers there are."""

FAILING = ("run-oom", "run-raises")
"""Runs submitted now fail in the middle of sampling."""

BAD_NAMES = "run-bad-names"
NOT_A_PICTURE = "run-no-picture"
GARBAGE = "run-garbage"
LOST_ANSWER = "run-lost-answer"
LOST_REQUEST = "run-lost-request"
DROPS = "run-drops"
DEAF = "run-deaf"
NO_SOCKET = "run-no-socket"
RUNS = (
    *FAILING,
    BAD_NAMES,
    NOT_A_PICTURE,
    GARBAGE,
    LOST_ANSWER,
    LOST_REQUEST,
    DROPS,
    DEAF,
    NO_SOCKET,
)
"""How runs go wrong on a service that answers well otherwise: output names that lead elsewhere, a
picture that is none, garbage between the messages, a submission whose answer is lost after it was
taken or before, a WebSocket that drops after each few messages, that says nothing, that is not
there."""


async def misbehave(request: web.BaseRequest, mood: str) -> web.StreamResponse:
    """Answer in a mood of `ODD`, or never for any other."""
    if mood == "html":
        text = "<!DOCTYPE html><html><title>It works!</title><h1>It works!</h1></html>"
        return web.Response(text=text, content_type="text/html")
    if mood == "garbage":
        return web.Response(body=bytes(range(256)) * 4, content_type="application/json")
    if mood == "huge":
        body = b'{"system": {"padding": "' + b"x" * (10 * _MIB) + b'"}}'
        return web.Response(body=body, content_type="application/json")
    if mood == "wrong-types":
        text = '{"system": ["no"], "devices": {"name": 7}, "queue_running": "many", "cuda": 3}'
        return web.Response(text=text, content_type="application/json")
    if mood == "redirect-loop":
        return web.Response(status=302, headers={"Location": request.path_qs})
    if mood == "error":
        return web.Response(text="Internal Server Error", status=500)
    return await (_cut(request) if mood == "cut" else _hang())


async def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Promise more than is sent, and hang up."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    answer.content_length = 4096
    await answer.prepare(request)
    await answer.write(b'{"system": {"os": ')
    if request.transport is not None:
        request.transport.close()
    return answer


async def _hang() -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes this up")
