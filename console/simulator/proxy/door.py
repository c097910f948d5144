"""One proxy: takes a connection, changes the head as it is set up to, and relays the rest."""

import asyncio
import base64
import contextlib
import ssl
from pathlib import Path

from console.packaged import packaged
from console.simulator.ports import LOOPBACK, KeptPort
from console.simulator.proxy.head import Head, read_head, reply
from console.simulator.scene import ProxySpec

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter

_COMPRESSED = 0x40
"""The bit of a frame's first byte (RSV1) that says it is compressed."""

_PIECE = 64 << 10
_LOGIN = "user:rehearsal-password"
_LOGIN_PAGE = (
    "<!DOCTYPE html><title>Sign in</title><form method=post><input name=user>"
    '<input type="password" name=password></form>'
)
_WELCOME = "<!DOCTYPE html><html><title>Welcome</title><h1>It works!</h1></html>"
_GONE = "<!DOCTYPE html><title>502 - Bad Gateway</title><h1>502.3 - Bad Gateway</h1>"
_TOO_LARGE = (
    "<!DOCTYPE html><title>413.1 - Request Entity Too Large</title>"
    "<h2>413.1 - The request filtering module is configured to deny a request that exceeds the "
    "request content length.</h2>"
)
_NO_UPGRADE = "<!DOCTYPE html><title>400 - Bad Request</title><h1>Bad Request</h1>"


class Proxy:
    """A proxy on a loopback port of its own, in front of a service's port."""

    def __init__(self, spec: ProxySpec, port: KeptPort, behind: int) -> None:
        self._spec = spec
        self._port = port
        self._behind = behind
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen."""
        secure = _certificate(self._spec.tls) if self._spec.tls else None
        self._server = await asyncio.start_server(
            self._take, sock=self._port.listening(), ssl=secure
        )

    async def stop(self) -> None:
        """Break what is open and give up the port."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._port.give_up()

    def _take(self, reader: Reader, writer: Writer) -> None:
        task = asyncio.ensure_future(self._met(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _met(self, reader: Reader, writer: Writer) -> None:
        try:
            head = await read_head(reader)
            if head is not None:
                await self._relayed(head, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either end has gone: that is how a connection ends
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _relayed(self, head: Head, reader: Reader, writer: Writer) -> None:
        own = self._own(head)
        if own is None:
            try:
                to_service = await asyncio.open_connection(LOOPBACK, self._behind)
            except OSError:
                own = reply("502 Bad Gateway", _GONE)
        if own is not None:
            writer.write(own)
            await writer.drain()
            return
        back, forth = to_service
        try:
            if head.get("expect"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await writer.drain()
            forth.write(self._changed(head).packed())
            await self._exchange(head, (reader, writer), (back, forth))
        finally:
            forth.close()

    def _own(self, head: Head) -> bytes | None:
        """Give what the proxy answers itself; None where the service is to."""
        spec = self._spec
        if spec.login and not self._let_in(head):
            return self._login(head)
        if spec.answers == "everything":
            return reply("200 OK", _WELCOME)
        if spec.answers == "nobody":
            return reply("502 Bad Gateway", _GONE)
        if spec.answers == "away":
            place = f"http://{LOOPBACK}:{self._behind}{head.path}"
            return reply("302 Found", "", ("Location", place))
        if spec.body_limit and head.length > spec.body_limit:
            return reply("413 Request Entity Too Large", _TOO_LARGE)
        if head.upgrade and spec.websocket == "refuses":
            return reply("400 Bad Request", _NO_UPGRADE)
        return None

    def _let_in(self, head: Head) -> bool:
        return head.get("authorization") == f"Basic {base64.b64encode(_LOGIN.encode()).decode()}"

    def _login(self, head: Head) -> bytes:
        if self._spec.login == "page":
            return reply("200 OK", _LOGIN_PAGE)
        if self._spec.login == "redirect":
            place = f"https://login.example.org/oauth2/authorize?next={head.path.partition('?')[0]}"
            return reply("302 Found", "", ("Location", place))
        asks = ("WWW-Authenticate", 'Basic realm="studio"')
        return reply("401 Unauthorized", "", asks)

    def _changed(self, head: Head) -> Head:
        """Give the head as the service sees it."""
        host = f"localhost:{self._behind}" if self._spec.host == "backend" else head.get("host")
        changed = head.with_field("Host", host).with_field("Authorization", "")
        changed = changed.with_field("Expect", "")
        if not head.upgrade:
            changed = changed.with_field("Connection", "close")
        elif self._spec.websocket == "uncompressed":
            changed = changed.with_field("Sec-WebSocket-Extensions", "")
        return changed

    async def _exchange(
        self, head: Head, client: tuple[Reader, Writer], service: tuple[Reader, Writer]
    ) -> None:
        """Relay both ways until the service has said all."""
        up = asyncio.ensure_future(_pump(client[0], service[1]))
        try:
            if head.upgrade and self._spec.websocket == "breaks-compression":
                await self._broken(client[1], service[0])
            else:
                await _pump(service[0], client[1])
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)

    async def _broken(self, writer: Writer, reader: Reader) -> None:
        """Relay the handshake, and hang up at the first compressed frame, as ARR does."""
        head = await read_head(reader)
        if head is None:
            return
        writer.write(head.packed())
        await writer.drain()
        while (piece := await reader.read(_PIECE)) and not piece[0] & _COMPRESSED:
            writer.write(piece)
            await writer.drain()


async def _pump(reader: Reader, writer: Writer) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()


def _certificate(name: str) -> ssl.SSLContext:
    """Give what proves the proxy's name: a certificate of the rehearsal's own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(packaged(f"rehearsal_tls/{name}.pem"))
    return context


def authority() -> Path:
    """Give the file of the rehearsal's own authority, for SSL_CERT_FILE."""
    return packaged("rehearsal_tls/ca.pem")
