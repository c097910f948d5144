"""Pictures in and out of a ComfyUI: `/upload/image` and `/view`."""

from aiohttp import web

from console.simulator.services.replies import COMFYUI, data, plain
from console.simulator.services.shelf import Refused, Shelf

LARGEST_UPLOAD = 104_857_600
_TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
_TYPES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"GIF8", "image/gif"),
)

Reply = web.StreamResponse


async def upload(request: web.BaseRequest, shelf: Shelf) -> Reply:
    """Take a picture; nothing checks that it is one."""
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
    try:
        name = shelf.upload(sent.filename, subfolder, kind, sent.file.read(), overwrite)
    except Refused as refused:
        return plain(_TROUBLE if refused.status == 500 else "", COMFYUI, refused.status)
    return data({"name": name, "subfolder": subfolder, "type": kind}, COMFYUI)


def view(request: web.BaseRequest, shelf: Shelf) -> Reply:
    """Give a file as it lies there; other formats (`preview`, `channel`) are not made here."""
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
    told = next((media for head, media in _TYPES if content.startswith(head)), "text/plain")
    return web.Response(
        body=content,
        content_type=told,
        headers={
            "Server": COMFYUI,
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'filename="{name}"'.replace("\r", "").replace("\n", ""),
        },
    )
