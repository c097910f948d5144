"""Forge's pictures: `txt2img` and `img2img` answer when the picture is there, one at a time."""

import asyncio
import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from console.simulator.services.backstage import Backstage, JobNow
from console.simulator.services.moods import FAILING, LOST_ANSWER, NOT_A_PICTURE
from console.simulator.services.pixels import edited, flat_jpeg, painted
from console.simulator.services.replies import UVICORN, data

PATHS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")
LARGEST_BODY = 256 << 20
_LOOK = 0.03

Reply = web.StreamResponse


class ForgePictures:
    """The pictures of one Forge; `pump` brings what computes up to now."""

    def __init__(self, behind: Backstage) -> None:
        self._behind = behind
        self.pump: Callable[[], None] | None = None

    async def make(self, request: web.BaseRequest, mood: str) -> Reply:
        """Take a request, wait its turn and its time, and answer with the picture."""
        request._client_max_size = LARGEST_BODY
        try:
            body = json.loads(await request.text())
        except ValueError:
            return _refused(422, "JSON decode error")
        if not isinstance(body, dict):
            return _refused(422, "Input should be a valid dictionary")
        source = _source(body) if request.path.endswith("img2img") else b""
        if source is None:
            return _refused(404, "Init image not found")
        if request.path.endswith("img2img") and not _is_picture(source):
            return _refused(500, "Invalid encoded image")
        ident = str(body.get("force_task_id") or f"task({uuid.uuid4().hex[:15]})")
        self._behind.queue(ident, {}, {"forge": body})
        how = await self._ended(ident)
        if mood in FAILING:
            said = {"error": "OutOfMemoryError", "detail": "", "body": "",
                    "errors": "CUDA out of memory. Tried to allocate 2.53 GiB."}  # fmt: skip
            return data(said, UVICORN, 500)
        if mood == LOST_ANSWER and request.transport is not None:
            request.transport.abort()
        return data(_answer(body, source, how, mood), UVICORN)

    async def _ended(self, ident: str) -> str:
        while True:
            if self.pump is not None:
                self.pump()
            self._behind.figures()
            for order, how in reversed(self._behind.history()):
                if order.ident == ident:
                    return how
            await asyncio.sleep(_LOOK)


def live_picture(job: JobNow | None) -> str | None:
    """Give the picture so far, in base64; None where no step is done yet."""
    if job is None or job.step < 1:
        return None
    picture = flat_jpeg(128, 128, 150 * job.step // max(1, job.steps))
    return base64.b64encode(picture).decode("ascii")


def _source(body: dict[str, Any]) -> bytes | None:
    """Give the first picture of a request; None where there is none, empty where it is damaged."""
    given = body.get("init_images")
    if not isinstance(given, list) or not given or not isinstance(given[0], str):
        return None
    try:
        return base64.b64decode(given[0].rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_picture(source: bytes) -> bool:
    return bool(source) and edited(source, 1, {}) is not None


def _answer(body: dict[str, Any], source: bytes, how: str, mood: str) -> dict[str, Any]:
    facts = {key: value for key, value in body.items() if key != "init_images"}
    sign = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode() + source)
    shade = int(sign.hexdigest()[:2], 16) | 1
    words = {"parameters": str(body.get("prompt", ""))[:200].encode("ascii", "replace").decode()}
    made = edited(source, shade, words) if source else None
    if made is None:
        made = painted(_size(body, "width"), _size(body, "height"), shade, words)
    if mood == NOT_A_PICTURE:
        made = b"<html>no picture</html>"
    info = {"seed": body.get("seed", -1), "prompt": body.get("prompt", ""), "ended": how}
    return {
        "images": [base64.b64encode(made).decode("ascii")],
        "parameters": facts,
        "info": json.dumps(info),
    }


def _size(body: dict[str, Any], key: str) -> int:
    value = body.get(key, 512)
    return min(2048, max(16, value)) if isinstance(value, int) else 512


def _refused(status: int, words: str) -> Reply:
    return data({"detail": words}, UVICORN, status)
