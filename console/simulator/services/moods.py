"""How a service misbehaves: it hangs, answers what no such service would, or its runs go wrong."""

import asyncio

from aiohttp import web

_MIB = 1 << 20

HANG = "hang"
ODD = ("html", "garbage", "huge", "wrong-types", "redirect-loop", "cut", "error")
"""The odd answers there are."""

FAILING = (
    "run-oom", "run-oom-encode", "run-oom-decode", "run-raises", "run-raises-load",
    "run-disk-full",
)  # fmt: skip
"""Runs submitted now fail: out of memory while sampling, encoding or decoding, an exception in the
sampler or in the loader, a disk that is full when the picture is saved."""

DYING = ("run-dies-sampling", "run-dies-decoding")
"""The process ends in the middle of runs submitted now, as from a segmentation fault."""

OTHERS_INTERRUPT = "run-interrupted"
SLOW = "run-slow"
HANGS = "run-hangs"
NO_NUMBERS = "run-nan"
BAD_NAMES = "run-bad-names"
NOT_A_PICTURE = "run-no-picture"
GARBAGE = "run-garbage"
LOST_ANSWER = "run-lost-answer"
LOST_REQUEST = "run-lost-request"
DIES_QUEUED = "run-dies-queued"
QUEUE_FULL = "run-queue-full"
DROPS = "run-drops"
DEAF = "run-deaf"
NO_SOCKET = "run-no-socket"

UPLOADS = ("run-dies-upload", "run-upload-full", "run-upload-cut", "run-upload-too-large")
"""Uploads go wrong: the process ends, its disk is full, the connection breaks, it is too large."""

FETCHES = (
    "run-dies-fetching", NOT_A_PICTURE, "run-fetch-cut", "run-fetch-gone", "run-fetch-error",
    "run-fetch-huge", "run-fetch-bomb",
)  # fmt: skip
"""Fetching a picture goes wrong: the process ends in the middle, what comes is no picture, breaks
off, is not there, is an error, never ends, or is a small file of a picture of absurd size."""

SOCKETS = (DROPS, DEAF, NO_SOCKET, GARBAGE)
SUBMISSIONS = (
    *FAILING, *DYING, OTHERS_INTERRUPT, SLOW, HANGS, NO_NUMBERS, BAD_NAMES, LOST_ANSWER,
    LOST_REQUEST, DIES_QUEUED, QUEUE_FULL,
)  # fmt: skip
RUNS = (*SUBMISSIONS, *UPLOADS, *FETCHES, *SOCKETS)
"""How runs go wrong on a service that answers well otherwise. Of submissions, beside those above:
somebody else interrupts, everything takes ten times as long, sampling never ends, answers have NaN
and Infinity for numbers, output names lead elsewhere, the answer is lost after it was taken or
before, the process ends while it waits, no more is taken. Of the WebSocket: it drops after each few
messages, says nothing, is not there, has garbage between the messages."""

SEGFAULT = 139
"""The exit code of a process that dies so."""


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
