"""What both origins of the rehearsed hub share: reading a request, counting it, answering."""

import json
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from console.simulator.hub.counts import Asked
from console.simulator.hub.listener import break_off
from console.simulator.hub.state import HubState


class Answering(BaseHTTPRequestHandler):
    """One connection; subclasses answer `reply`."""

    protocol_version = "HTTP/1.1"
    where = ""
    server_version = "rehearsal-hub"
    sys_version = ""

    def __init__(self, connection: socket.socket, state: HubState) -> None:
        self.state = state
        self.file = ""
        super().__init__(connection, ("127.0.0.1", 0), None)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is counted."""

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    def reply(self) -> None:
        """Answer the request; `self.file` is set to what it is about."""
        raise NotImplementedError

    def _answer(self) -> None:
        """Answer, or break off where the other side has gone."""
        self.file = ""
        try:
            length = int(self.headers.get("Content-Length") or 0)
            self.content = self.rfile.read(length) if length else b""
            self.reply()
        except (ValueError, LookupError):  # what nobody can mean
            self.tell_json({"error": "Bad Request"}, 400)
        except (ConnectionError, TimeoutError):
            self.drop()

    @property
    def route(self) -> str:
        """The path as it came, without the query."""
        return urlsplit(self.path).path

    @property
    def query(self) -> dict[str, str]:
        """The query; of names that come twice the last."""
        found = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}

    @property
    def parts(self) -> list[str]:
        """The parts of the path, each unquoted."""
        return [unquote(part) for part in self.route.split("/")[1:]]

    def begin(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        """Send the status and the headers, and count the request."""
        counts = self.state.counts
        token = "Authorization" in self.headers
        asked = self.headers.get("Range", "")
        counts.asked(Asked(self.where, self.command, self.path, self.file, asked, token, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def tell(
        self,
        content: bytes | str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        kind: str = "text/plain; charset=utf-8",
    ) -> None:
        """Send a short answer."""
        data = content.encode() if isinstance(content, str) else content
        self.begin(status, {"Content-Type": kind, **(headers or {})}, len(data))
        if self.command != "HEAD":
            self.wfile.write(data)

    def tell_json(
        self, data: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send some JSON."""
        self.tell(json.dumps(data), status, headers, "application/json; charset=utf-8")

    def misbehave(self) -> bool:
        """Let what is wrong at this place happen; tells whether the request is done with."""
        faults = self.state.faults
        if (fault := faults.take("hang", self.file, self.where)) is not None:
            fault.sit_out()
            self.drop()
            return True
        if (fault := faults.take("rate-limit", self.file, self.where)) is not None:
            wait = f"{fault.retry_after:g}"
            limits = {
                "Retry-After": wait,
                "RateLimit": f'"resolvers";r=0;t={max(1, round(fault.retry_after))}',
                "RateLimit-Policy": '"fixed window";"resolvers";q=3000;w=300',
            }
            words = "We had to rate limit your IP. To continue using our service, log in."
            self.tell_json({"error": words}, 429, limits)
            return True
        if (fault := faults.take("error", self.file, self.where)) is not None:
            self.tell_json({"error": "Internal Error - We're working hard to fix it"}, fault.status)
            return True
        return False

    def drop(self) -> None:
        """Break the connection."""
        break_off(self.connection)
        self.close_connection = True
