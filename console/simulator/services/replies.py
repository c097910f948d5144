"""How the servers write their answers."""

import json
from typing import Any

from aiohttp import web

COMFYUI = "Python/3.12 aiohttp/3.12.15"
UVICORN = "uvicorn"
CADDY = "Caddy"


def data(value: Any, server: str, status: int = 200) -> web.Response:
    """Give a JSON answer."""
    return web.Response(
        text=json.dumps(value),
        status=status,
        content_type="application/json",
        headers={"Server": server},
    )


def page(text: str, server: str, status: int = 200) -> web.Response:
    """Give a page."""
    return web.Response(
        text=text, status=status, content_type="text/html", headers={"Server": server}
    )


def plain(text: str, server: str, status: int = 200) -> web.Response:
    """Give a line of text; none at all is an empty body without a type."""
    if not text:
        return web.Response(status=status, headers={"Server": server})
    return web.Response(text=text, status=status, headers={"Server": server})


def sent_away(to: str, server: str) -> web.Response:
    """Send a client elsewhere."""
    return web.Response(status=302, headers={"Server": server, "Location": to})


async def read_object(request: web.BaseRequest) -> dict[str, Any] | None:
    """Read a request's JSON object; None where it is none."""
    try:
        value = json.loads(await request.text() or "{}")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
