"""Visits to a public address, as a stranger: no login, no cookies, nothing followed off the site.

aiohttp is what asks here, because it offers WebSocket compression as browsers do.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from console.errors import ConsoleError
from console.outside.address import PublicAddress, leads
from console.outside.certificate import told, trust
from console.text import clean_line
from console.web.answer import REDIRECTS, Answer

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

LIMIT = 64 << 10
_MOST_HOPS = 3
_HEAD_BYTES = 16 << 10
_PIECE = 64 << 10


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """What came of announcing a body that was never sent.

    Attributes:
        size: bytes that were announced.
        let_in: somebody asked for the body (`100 Continue`).
        answer: what was answered instead; None where nothing was within the time.
    """

    size: int
    let_in: bool = False
    answer: Answer | None = None


class Visitor:
    """Asks at one public address, from any thread; each call is bounded in time and size.

    Args:
        address: the site; `addresses` are what its name resolves to.
        environ: where SSL_CERT_FILE may name other certificates to trust.
        patience: seconds that a whole call may take.
        verify: False asks even where the certificate is not accepted, as whoever looks for open
            doors does. Nothing secret is ever sent either way.
    """

    def __init__(
        self,
        address: PublicAddress,
        addresses: tuple[str, ...],
        environ: Mapping[str, str],
        *,
        patience: float = 2.0,
        verify: bool = True,
    ) -> None:
        self.address = address
        self.patience = patience
        self._addresses = addresses
        self._trust: ssl.SSLContext | None = (
            trust(environ, verify=verify) if address.secure else None
        )

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, limit: int = LIMIT
    ) -> Answer:
        """Ask for a path of the service; redirects are followed on the site, three at most.

        A redirect that leaves the site, or goes round, is the answer. A login's redirect is never
        followed.

        Raises:
            ConsoleError: `outside.…`: no answer, none in time, or no HTTP.
        """
        sent = dict(headers or {})
        return self.within(lambda session: self._got(session, path, sent, limit))

    def post(self, path: str, body: bytes, media: str) -> Answer:
        """Send a body and give the answer, of whatever status.

        Raises:
            ConsoleError: as of `get`.
        """
        headers = {"Content-Type": media}

        async def send(session: "aiohttp.ClientSession") -> Answer:
            url = f"{self.address.base}{path}"
            async with session.post(
                url, data=_pieces(body), headers={**headers, "Content-Length": str(len(body))},
                allow_redirects=False, ssl=self._ssl(),
            ) as response:  # fmt: skip
                return await _answer(f"POST {path}", response, LIMIT)

        return self.within(send)

    def announce(self, path: str, size: int, media: str) -> Announced:
        """Announce a body of so many bytes (`Expect: 100-continue`) and send none of it.

        Raises:
            ConsoleError: as of `get`, but for an answer that does not come in time.
        """
        asked = asyncio.Event

        async def send(session: "aiohttp.ClientSession") -> Announced:
            wanted = asked()

            async def nothing() -> AsyncIterator[bytes]:
                wanted.set()
                await asyncio.sleep(self.patience)
                yield b""

            task = asyncio.ensure_future(self._announced(session, path, nothing(), size, media))
            let_in = asyncio.ensure_future(wanted.wait())
            done, _ = await asyncio.wait(
                (task, let_in), timeout=self.patience * 0.7, return_when=asyncio.FIRST_COMPLETED
            )
            let_in.cancel()
            if task in done:
                return Announced(size=size, answer=task.result())
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return Announced(size=size, let_in=wanted.is_set())

        return self.within(send)

    async def _announced(
        self, session: "aiohttp.ClientSession", path: str, body: AsyncIterator[bytes], size: int,
        media: str,
    ) -> Answer:  # fmt: skip
        async with session.post(
            f"{self.address.base}{path}",
            data=body,
            headers={"Content-Length": str(size), "Content-Type": media},
            expect100=True,
            allow_redirects=False,
            ssl=self._ssl(),
        ) as response:
            return await _answer(f"POST {path}", response, LIMIT)

    async def _got(
        self, session: "aiohttp.ClientSession", path: str, headers: dict[str, str], limit: int
    ) -> Answer:
        url, seen = f"{self.address.base}{path}", set[str]()
        while True:
            async with session.get(
                url, headers=headers, allow_redirects=False, ssl=self._ssl()
            ) as response:
                answer = await _answer(f"GET {path}", response, limit)
            seen.add(url)
            place = leads(self.address, answer.location) if answer.status in REDIRECTS else None
            if place is None or answer.to_login or place.origin != self.address.origin:
                return answer
            url = _joined(self.address, answer.location)
            if url in seen or len(seen) > _MOST_HOPS:
                return answer

    def within(self, act: "Callable[[aiohttp.ClientSession], Awaitable[T]]") -> T:
        """Let something be asked with a session of its own, within the patience.

        Raises:
            ConsoleError: as of `get`.
        """
        return asyncio.run(self._within(act))

    async def _within(self, act: "Callable[[aiohttp.ClientSession], Awaitable[T]]") -> T:
        import aiohttp

        from console.outside.resolver import Known

        connector = aiohttp.TCPConnector(
            resolver=Known(self._addresses), limit=2, force_close=True, use_dns_cache=False
        )
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_stay)
        try:
            async with (
                asyncio.timeout(self.patience),
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    auto_decompress=False,
                    max_line_size=_HEAD_BYTES,
                    max_field_size=_HEAD_BYTES,
                    trace_configs=[trace],
                    headers={"User-Agent": "gpuconsole", "Accept-Encoding": "identity"},
                ) as session,
            ):
                return await act(session)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._told(error) from error

    def _told(self, error: BaseException) -> ConsoleError:
        import aiohttp

        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return told(error.certificate_error, self.address, self.patience)
        if isinstance(error, aiohttp.ClientConnectorError):
            return told(error.os_error, self.address, self.patience)
        if isinstance(error, OSError):
            return told(error, self.address, self.patience)
        closed = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError)
        return ConsoleError(
            "outside.closed" if closed else "outside.no-http",
            f"{self.address.host} closed the connection without an answer"
            if closed
            else f"what listens at {self.address.host}:{self.address.port} speaks no HTTP",
            "see the log of the proxy" if closed else "check the port and whether it is https",
            clean_line(str(error), 200),
        )

    def _ssl(self) -> "ssl.SSLContext | bool":
        return self._trust or True

    @property
    def context(self) -> "ssl.SSLContext | bool":
        """What decides which certificates are accepted, as aiohttp takes it."""
        return self._ssl()


async def _stay(_session: object, _context: object, _params: object) -> None:
    """Refuse to be led elsewhere: aiohttp follows a handshake's redirects by itself."""
    raise ConsoleError(
        "outside.redirected", "the answer is a redirect", "redirects are not followed"
    )


async def _answer(what: str, response: "aiohttp.ClientResponse", limit: int) -> Answer:
    body, cut = bytearray(), False
    async for piece in response.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > limit:
            cut = True
            break
    told_by = response.headers
    answer = Answer(
        what=what,
        status=response.status,
        body=bytes(body[:limit]),
        cut=cut,
        media=told_by.get("Content-Type", "").partition(";")[0].strip().lower(),
        server=clean_line(told_by.get("Server", ""), 100),
        location=told_by.get("Location", "")[:2000],
    )
    response.close()
    return answer


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
        # Lets it be noticed that the other end has hung up.
        await asyncio.sleep(0)


def _joined(address: PublicAddress, location: str) -> str:
    """Give the whole address of a redirect on the site, its query with it."""
    if location.startswith("//"):
        return f"{address.scheme}:{location}"
    if location.lower().startswith(("http:", "https:")):
        return location
    return f"{address.origin}{'' if location.startswith('/') else '/'}{location}"
