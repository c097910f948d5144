"""What stands in front of a service: ai-dock's Caddy, which lets in who has the token."""

import base64
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from console.simulator.services.backstage import Figures
from console.simulator.services.replies import CADDY, page, plain, sent_away

LOG_STAGES = ("sync", "preflight", "provisioning")
"""The stages in which a log viewer answers where Forge will."""

Reply = web.StreamResponse
Handler = Callable[[web.BaseRequest], Awaitable[Reply]]

_LOGIN = "http://127.0.0.1:1111/login"
_GONE = "<!DOCTYPE html><html><title>502 Bad Gateway</title><h1>The service is not available</h1>"
_LOG = (
    "<!DOCTYPE html><html><head><title>Preparing your container</title></head>"
    "<body><h1>Preparing your container...</h1><pre id=log>{stage}</pre></body></html>"
)


class Front:
    """ai-dock's front door, with a token or open to all.

    `basic` is `user:password` of a Basic login, which counts only after the image's own script has
    set it; empty where it has not.
    """

    def __init__(self, token: str = "", basic: str = "", *, auth: bool = True) -> None:
        self._token = token
        self._basic = base64.b64encode(basic.encode()).decode() if basic else ""
        self._auth = auth and bool(token or basic)

    async def answer(self, request: web.BaseRequest, now: Figures, behind: Handler) -> Reply:
        """Answer a request, or let the service behind answer it."""
        if request.path == "/ai-dock/health-check":
            return plain("ok", CADDY)
        if self._auth and not self._lets_in(request):
            return sent_away(f"{_LOGIN}?next={quote(request.path)}", CADDY)
        if now.stage in LOG_STAGES:
            return page(_LOG.format(stage=now.stage), CADDY)
        if not now.up:
            return page(_GONE, CADDY, 502)
        return await behind(request)

    def _lets_in(self, request: web.BaseRequest) -> bool:
        secrets = {part for part in (self._token, self._basic) if part}
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        bearer = scheme.lower() == "bearer" and value == self._token != ""
        basic = scheme.lower() == "basic" and value == self._basic != ""
        cookies = request.cookies.values()
        return (
            bearer
            or basic
            or request.query.get("token", "") in secrets
            or any(cookie in secrets for cookie in cookies)
        )
