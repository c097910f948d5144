"""Forge's pictures: `txt2img` and `img2img` answer when the picture is there, one at a time."""

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from console.simulator.services.backstage import Backstage, JobNow
from console.simulator.services.darkroom import Developing
from console.simulator.services.effort import Effort, Means, forge_effort, steps_of
from console.simulator.services.moods import (
    DIES_QUEUED,
    DYING,
    FAILING,
    HANGS,
    LOST_ANSWER,
    LOST_REQUEST,
    NO_NUMBERS,
    NOT_A_PICTURE,
    OTHERS_INTERRUPT,
    QUEUE_FULL,
    SEGFAULT,
    SLOW,
    SUBMISSIONS,
)
from console.simulator.services.replies import UVICORN, data
from console.simulator.services.retouch import Wish, is_picture, live, retouched

PATHS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")
LARGEST_BODY = 256 << 20
_LOOK = 0.03
_NO_MEMORY = {
    "error": "OutOfMemoryError", "detail": "", "body": "",
    "errors": "CUDA out of memory. Tried to allocate 2.53 GiB.",
}  # fmt: skip
_FAILURES = {
    "run-raises": {"error": "RuntimeError", "detail": "", "body": "",
                   "errors": "mat1 and mat2 shapes cannot be multiplied (154x2048 and 768x320)"},
    "run-raises-load": {"error": "SafetensorError", "detail": "", "body": "",
                        "errors": "Error while deserializing header: MetadataIncompleteBuffer"},
    "run-disk-full": {"error": "OSError", "detail": "", "body": "",
                      "errors": "[Errno 28] No space left on device"},
}  # fmt: skip

Reply = web.StreamResponse


class ForgePictures:
    """The pictures of one Forge; `pump` brings what computes up to now."""

    def __init__(self, behind: Backstage) -> None:
        self._behind = behind
        self.pump: Callable[[], None] | None = None
        self._making: dict[str, tuple[Developing, tuple[int, int]]] = {}

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
        if request.path.endswith("img2img") and not is_picture(source):
            return _refused(500, "Invalid encoded image")
        if mood in SUBMISSIONS or mood == NOT_A_PICTURE:
            self._behind.spend()
        if mood == QUEUE_FULL:
            return _refused(429, "Queue is full")
        if mood == LOST_REQUEST:
            return _cut(request)
        return await self._made(request, body, source, mood)

    async def _made(
        self, request: web.BaseRequest, body: dict[str, Any], source: bytes, mood: str
    ) -> Reply:
        ident = str(body.get("force_task_id") or f"task({uuid.uuid4().hex[:15]})")
        wish = _wish(body, self._behind.figures().model)
        texts = {"parameters": _parameters(body, self._behind.figures().model)}
        making = Developing(lambda: retouched([source] if source else [], wish, texts))
        self._making[ident] = making, wish.size
        try:
            self._behind.queue(ident, {}, {"forge": body}, lambda _: self._effort(body, mood))
            if mood == DIES_QUEUED:
                asyncio.get_running_loop().call_later(_LOOK, self._behind.die, SEGFAULT)
            how = await self._ended(ident)
            made = await asyncio.to_thread(making.wait)
        finally:
            self._making.pop(ident, None)
        if mood in FAILING:
            return data(_FAILURES.get(mood, _NO_MEMORY), UVICORN, 500)
        if mood == LOST_ANSWER:
            return _cut(request)
        png = made.png if made is not None and mood != NOT_A_PICTURE else b"<html>no picture</html>"
        return _odd(_answer(body, png, how, texts["parameters"]), mood)

    def _effort(self, body: dict[str, Any], mood: str) -> Effort:
        now = self._behind.figures()
        means = Means(
            pace=now.pace, speed=now.speed, fixed=now.fixed, own=now.own,
            size_of=self._behind.size_of,
        )  # fmt: skip
        effort = forge_effort(body, means)
        if mood in FAILING:
            return effort.cut(effort.seconds / 2, "success", 0 if "oom" in mood else None)
        if mood in DYING:
            return effort.cut(effort.seconds / 2, "dies")
        if mood == OTHERS_INTERRUPT:
            return effort.cut(effort.seconds / 2, "interrupted")
        if mood in {SLOW, HANGS}:
            return effort.slower(10.0 if mood == SLOW else 1e7)
        return effort

    async def _ended(self, ident: str) -> str:
        while True:
            if self.pump is not None:
                self.pump()
            self._behind.figures()
            for order, how in reversed(self._behind.history()):
                if order.ident == ident:
                    return how
            await asyncio.sleep(_LOOK)

    def live_picture(self, job: JobNow | None) -> str | None:
        """Give the picture so far, in base64; None where no step is done yet."""
        if job is None or job.step < 1:
            return None
        making, size = self._making.get(job.order.ident, (None, (128, 128)))
        picture = live(making.soon if making else None, size, job.step / max(1, job.steps))
        return base64.b64encode(picture).decode("ascii")


def _cut(request: web.BaseRequest) -> Reply:
    if request.transport is not None:
        request.transport.abort()
    return data({}, UVICORN)


def _source(body: dict[str, Any]) -> bytes | None:
    """Give the first picture of a request; None where there is none, empty where it is damaged."""
    given = body.get("init_images")
    if not isinstance(given, list) or not given or not isinstance(given[0], str):
        return None
    try:
        return base64.b64decode(given[0].rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""


def _wish(body: dict[str, Any], model: str) -> Wish:
    seed, cfg = body.get("seed"), body.get("cfg_scale")
    share = body.get("denoising_strength")
    return Wish(
        size=(_size(body, "width"), _size(body, "height")),
        prompt=str(body.get("prompt", "")),
        negative=str(body.get("negative_prompt", "")),
        seed=seed if isinstance(seed, int) else -1,
        steps=steps_of(body),
        cfg=float(cfg) if isinstance(cfg, int | float) else 7.0,
        strength=min(0.9, 0.6 * share) if isinstance(share, int | float) else 0.45,
        weights=model,
    )


def _parameters(body: dict[str, Any], model: str) -> str:
    """Give the text that Forge puts into a PNG and its answer."""
    facts = {
        "Steps": steps_of(body), "Sampler": body.get("sampler_name") or "Euler",
        "CFG scale": body.get("cfg_scale", 7.0), "Seed": body.get("seed", -1),
        "Size": f"{_size(body, 'width')}x{_size(body, 'height')}",
        "Model": model.rpartition(".")[0] or model, "Version": "f2.0.1v1.10.1",
    }  # fmt: skip
    rows = [str(body.get("prompt", ""))]
    if body.get("negative_prompt"):
        rows.append(f"Negative prompt: {body['negative_prompt']}")
    rows.append(", ".join(f"{key}: {value}" for key, value in facts.items()))
    return "\n".join(rows)


def _answer(body: dict[str, Any], png: bytes, how: str, words: str) -> dict[str, Any]:
    facts = {key: value for key, value in body.items() if key != "init_images"}
    seed = body.get("seed", -1)
    info = {
        "seed": seed, "all_seeds": [seed], "prompt": body.get("prompt", ""),
        "negative_prompt": body.get("negative_prompt", ""), "steps": steps_of(body),
        "infotexts": [words], "ended": how,
    }  # fmt: skip
    return {
        "images": [base64.b64encode(png).decode("ascii")],
        "parameters": facts,
        "info": json.dumps(info),
    }


def _odd(answer: dict[str, Any], mood: str) -> Reply:
    if mood == NO_NUMBERS:
        answer["parameters"] |= {"cfg_scale": float("nan"), "eta": float("inf")}
    return data(answer, UVICORN)


def _size(body: dict[str, Any], key: str) -> int:
    value = body.get(key, 512)
    return min(2048, max(16, value)) if isinstance(value, int) else 512


def _refused(status: int, words: str) -> Reply:
    return data({"detail": words}, UVICORN, status)
