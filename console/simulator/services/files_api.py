"""Pictures in and out of a ComfyUI: `/upload/image`, `/upload/mask` and `/view`."""

import json
from typing import Any

from aiohttp import web

from console.simulator.services.backstage import Backstage
from console.simulator.services.moods import FETCHES, NOT_A_PICTURE, SEGFAULT, UPLOADS
from console.simulator.services.pixels import absurd_png
from console.simulator.services.replies import COMFYUI, data, plain
from console.simulator.services.retouch import converted, masked
from console.simulator.services.shelf import Refused, Shelf

LARGEST_UPLOAD = 104_857_600
_TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
_TYPES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"GIF8", "image/gif"),
)
_HUGE = 1 << 30
_PIECE = bytes(1 << 18)

Reply = web.StreamResponse


async def upload(request: web.BaseRequest, shelf: Shelf, behind: Backstage, mood: str) -> Reply:
    """Take a picture; nothing checks that it is one."""
    if mood in UPLOADS:
        behind.spend()
        return _upload_failed(request, behind, mood)
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge:
        said = f"Maximum request body size {LARGEST_UPLOAD} exceeded."
        return plain(said, COMFYUI, 413)
    except ValueError:
        return plain("", COMFYUI, 400)
    sent = form.get("image")
    if sent is None:
        return plain("", COMFYUI, 400)
    if not isinstance(sent, web.FileField):
        return plain(_TROUBLE, COMFYUI, 500)
    subfolder, kind = str(form.get("subfolder", "")), str(form.get("type", "input"))
    overwrite = form.get("overwrite") in {"true", "1"}
    content = sent.file.read()
    try:
        if request.path.endswith("/upload/mask"):
            content = masked(_original(form, shelf), content)
        name = shelf.upload(sent.filename, subfolder, kind, content, overwrite)
    except Refused as refused:
        return plain(_TROUBLE if refused.status == 500 else "", COMFYUI, refused.status)
    except (OSError, ValueError):
        return plain(_TROUBLE, COMFYUI, 500)
    return data({"name": name, "subfolder": subfolder, "type": kind}, COMFYUI)


def _original(form: Any, shelf: Shelf) -> bytes:
    """Give the picture that a mask is for, as the form names it."""
    try:
        told = json.loads(str(form.get("original_ref", "")))
        return shelf.read(told["filename"], told.get("subfolder", ""), told.get("type", "output"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(400) from error


def _upload_failed(request: web.BaseRequest, behind: Backstage, mood: str) -> Reply:
    if mood == "run-upload-full":
        return plain(_TROUBLE, COMFYUI, 500)
    if mood == "run-upload-too-large":
        return plain(f"Maximum request body size {LARGEST_UPLOAD} exceeded.", COMFYUI, 413)
    if mood == "run-dies-upload":
        behind.die(SEGFAULT)
    if request.transport is not None:
        request.transport.abort()
    return plain("", COMFYUI)


async def view(request: web.BaseRequest, shelf: Shelf, behind: Backstage, mood: str) -> Reply:
    """Give a file as it lies there, a piece of it, or (`preview`) in another format."""
    query = request.query
    if "filename" not in query:
        return plain("", COMFYUI, 404)
    name, kind = query["filename"], query.get("type", "output")
    for given in ("input", "output", "temp"):
        if name.endswith(f" [{given}]"):
            name, kind = name.removesuffix(f" [{given}]"), given
    try:
        content = shelf.read(name, query.get("subfolder", ""), kind)
    except Refused as refused:
        return plain("", COMFYUI, refused.status)
    if mood in FETCHES:
        behind.spend()
        return await _view_failed(request, content, behind, mood)
    headers = {
        "Server": COMFYUI,
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'filename="{name}"'.replace("\r", "").replace("\n", ""),
    }
    wish = query.get("preview", "")
    if wish or query.get("channel"):
        try:
            shown, media = converted(content, wish, query.get("channel", ""))
        except ValueError:
            return plain(_TROUBLE, COMFYUI, 500)
        return web.Response(body=shown, content_type=media, headers=headers)
    return _ranged(request, content, headers)


def _ranged(request: web.BaseRequest, content: bytes, headers: dict[str, str]) -> Reply:
    """Give a file, or the one range that is asked for."""
    media = next((media for head, media in _TYPES if content.startswith(head)), "text/plain")
    headers["Accept-Ranges"] = "bytes"
    try:
        asked = request.http_range
    except ValueError:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    if asked.start is None and asked.stop is None:
        return web.Response(body=content, content_type=media, headers=headers)
    first, after, _ = asked.indices(len(content))
    if first >= len(content):
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{after - 1}/{len(content)}"
    return web.Response(status=206, body=content[first:after], content_type=media, headers=headers)


async def _view_failed(
    request: web.BaseRequest, content: bytes, behind: Backstage, mood: str
) -> Reply:  # fmt: skip
    if mood == NOT_A_PICTURE:
        return web.Response(body=b"<html>no picture</html>", content_type="image/png")
    if mood == "run-fetch-gone":
        return plain("", COMFYUI, 404)
    if mood == "run-fetch-error":
        return plain(_TROUBLE, COMFYUI, 500)
    if mood == "run-fetch-bomb":
        return web.Response(body=absurd_png(), content_type="image/png")
    answer = web.StreamResponse(headers={"Server": COMFYUI, "Content-Type": "image/png"})
    huge = mood == "run-fetch-huge"
    answer.content_length = _HUGE if huge else len(content)
    await answer.prepare(request)
    await answer.write(content[: len(content) // 2])
    try:
        while huge:
            await answer.write(_PIECE)
    except ConnectionError:
        return answer
    if mood == "run-dies-fetching":
        behind.die(SEGFAULT)
    if request.transport is not None:
        request.transport.abort()
    return answer
