"""The one HTTP client: every call ends in time, nothing is followed, every failure is a fault."""

import contextlib
import threading
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar
from urllib.parse import quote

from console.clock import Clock, SystemClock
from console.text import clean_line
from console.units import format_bytes
from console.web.answer import BEHIND, REDIRECTS, Answer, parse_json, urlsplit_or_none
from console.web.credential import NO_LOGIN, Credential, Login
from console.web.faults import (
    BadStatusError,
    FrontOnlyError,
    NeedsAuthError,
    OddAnswerError,
    ServiceFault,
    ServiceTimeoutError,
    ServiceUnreachableError,
    fault,
)
from console.web.form import Form

if TYPE_CHECKING:
    import httpx2

    from console.web.socket import WebSocket
    from console.web.transport import Wires

F = TypeVar("F", bound=ServiceFault)

PATIENCE = 2.0
LIMIT = 1 << 20
_ERROR_LIMIT = 64 << 10
_PIECE = 64 << 10


class WebClient:
    """Talks to one service; belongs to one thread at a time, any other may `abort()` it.

    Nothing happens before the first call: it imports the libraries and connects. Redirects are not
    followed, cookies not kept, proxies of the environment not used, and the login goes to the
    configured origin only, because no other is ever asked.

    Args:
        base_url: the service's address, with a path in front of its own where it has one.
        credential: how to log in; None is no login.
        patience: seconds a whole call may take, however its answer drips in.
    """

    def __init__(
        self, base_url: str, credential: Credential | None = None, patience: float = PATIENCE
    ) -> None:
        self._credential = credential
        self._patience = patience
        self._pace: Clock = SystemClock()
        self._until = float("inf")
        self._lock = threading.Lock()
        self._aborted = False
        self._wires: Wires | None = None
        self._client: httpx2.Client | None = None
        self._login: Login = NO_LOGIN
        self._base, self.address = _taken_apart(base_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def prepare(self) -> None:
        """Import and make what the first call needs, so that its time limit does not pay for it."""
        self._opened()

    def allow(self, seconds: float | None) -> None:
        """Limit all calls from now on together to `seconds`; None lifts the limit."""
        self._until = float("inf") if seconds is None else self._pace.monotonic() + seconds

    def get(self, path: str, *, limit: int = LIMIT, patience: float | None = None) -> Answer:
        """Ask for `path`, with its query, and give the answer of status 200 to 299.

        A service may have hung up on the kept connection: then it is asked once more.

        Raises:
            ServiceFault: any of its kinds, each with what to do.
        """
        return self.judged(self.ask("GET", path, limit=limit, patience=patience))

    def json(self, path: str, *, limit: int = LIMIT, patience: float | None = None) -> Any:
        """Ask for `path` and give the JSON of its answer, of whatever shape.

        Raises:
            ServiceFault: any of its kinds; OddAnswerError where it is a web page or no JSON.
        """
        return self.parsed(self.get(path, limit=limit, patience=patience))

    def post(self, path: str, data: object = None, *, patience: float | None = None) -> Answer:
        """Send `data` as JSON (None: an empty body) to `path`; asked once, never again by itself.

        Raises:
            ServiceFault: any of its kinds; after ServiceTimeoutError it may have been done or not.
        """
        # On a kept connection nobody could tell whether the service saw the request.
        self._drop()
        return self.judged(self.ask("POST", path, data, patience=patience))

    def ask(
        self,
        method: str,
        path: str,
        data: object = None,
        *,
        limit: int = LIMIT,
        patience: float | None = None,
        head_only: bool = False,
    ) -> Answer:
        """Ask once and give the answer of whatever status; an error's body is cut at 64 KiB.

        An empty `path` is the service's address itself; with `head_only` no body is read. `data` is
        sent as JSON, a `Form` as what it is.

        Raises:
            ServiceUnreachableError: no answer at all, or none in time.
            OddAnswerError: more than `limit` bytes, or no HTTP.
        """
        what = f"{method} {clean_line(path.partition('?')[0], 120) or '/'}"
        client, wires = self._opened()
        self._login = self._credential.read() if self._credential is not None else NO_LOGIN
        limit_s = self._patience if patience is None else patience
        now = self._pace.monotonic()
        wires.deadline = min(now + limit_s, self._until)
        before = wires.opened
        try:
            return self._asked(client, method, path, data, what, -1 if head_only else limit)
        except ServiceFault:
            raise
        except Exception as error:
            from console.web.translation import FAULTS, hung_up

            # Whoever closes an idle connection may do so just when we use it.
            kept = method == "GET" and wires.opened == before and not wires.was_cut
            self._drop()
            if kept and hung_up(error):
                return self.ask(
                    method, path, data, limit=limit, patience=patience, head_only=head_only
                )
            if isinstance(error, FAULTS):
                connected = wires.opened > before
                self._fail(error, what, min(limit_s, max(self._until - now, 0)), connected)
            raise

    def socket(self, path: str, *, patience: float | None = None) -> "WebSocket":
        """Open a WebSocket at `path`, on a connection of its own that outlives the next calls.

        Raises:
            ServiceFault: any of its kinds; the handshake was refused, or answered by another.
        """
        what = f"GET {clean_line(path.partition('?')[0], 120)}"
        self._opened()
        self._login = self._credential.read() if self._credential is not None else NO_LOGIN
        limit = self._patience if patience is None else patience
        from console.web.translation import FAULTS
        from console.web.transport import Wires

        wires = Wires()
        wires.deadline = self._pace.monotonic() + limit
        try:
            return self._upgraded(wires, path, what)
        except FAULTS as error:
            self._fail(error, what, limit, wires.opened > 0)

    def _upgraded(self, wires: "Wires", path: str, what: str) -> "WebSocket":
        from console.web.socket import WebSocket, handshake
        from console.web.transport import open_client

        client = open_client(wires, str(self._base).startswith("https:"))
        asked, wanted = handshake()
        if self._login.header:
            asked["Authorization"] = self._login.header
        request = client.build_request("GET", self._url(path), headers=asked)
        response = client.send(request, stream=True)
        if response.status_code == 101:
            if response.headers.get("Sec-WebSocket-Accept") == wanted:
                return WebSocket(response.extensions["network_stream"], wires, self.address)
            client.close()
            raise self._fault(OddAnswerError, "web.odd-answer", what)
        try:
            body, cut = self._body(response, _ERROR_LIMIT)
        finally:
            response.close()
            client.close()
        told = response.headers
        media = told.get("Content-Type", "").partition(";")[0].strip().lower()
        place = told.get("Location", "")[:2000]
        self.judged(
            Answer(
                what=what, status=response.status_code, body=body, cut=cut, media=media,
                location=place,
            )
        )  # fmt: skip
        raise self._fault(OddAnswerError, "web.odd-answer", what)

    def judged(self, answer: Answer) -> Answer:
        """Give an answer back where its status is 200 to 299.

        Raises:
            NeedsAuthError: a login is in the way (401, 403, a redirect to a login page).
            FrontOnlyError: 502, 503 or 504 by a front.
            OddAnswerError: a redirect to elsewhere.
            BadStatusError: any other status.
        """
        status = answer.status
        if 200 <= status < 300:
            return answer
        if status in {401, 403, 407, 511} or answer.to_login:
            self._deny(answer)
        detail = self.scrub(answer.words())
        if status in REDIRECTS:
            place = self.scrub(answer.place)
            raise self._fault(OddAnswerError, "web.redirect", answer.what, detail, status, place)
        if status in BEHIND and not answer.is_json:
            raise self._fault(FrontOnlyError, "web.front-only", answer.what, detail, status)
        code = "web.not-found" if status in {404, 405, 410} else "web.status"
        raise self._fault(BadStatusError, code, answer.what, detail, status)

    def parsed(self, answer: Answer) -> Any:
        """Give the JSON of an answer.

        Raises:
            OddAnswerError: it is a web page, or no JSON.
        """
        if answer.is_html:
            raise self._fault(OddAnswerError, "web.html", answer.what, self.scrub(answer.title))
        try:
            return parse_json(answer.body)
        except ValueError as error:
            detail = self.scrub(str(error))
            raise self._fault(OddAnswerError, "web.not-json", answer.what, detail) from error

    def odd(self, what: str, detail: str = "") -> OddAnswerError:
        """Make the fault of an answer that is not what this kind of service gives."""
        return self._fault(OddAnswerError, "web.odd-answer", what, self.scrub(detail))

    def scrub(self, text: str, limit: int = 300) -> str:
        """Give a text of the service as one clean line without secrets, the login's among them."""
        return self._login.scrub(text, limit)

    def abort(self) -> None:
        """End whatever call is under way, from any thread; the client is used up."""
        with self._lock:
            self._aborted = True
            wires = self._wires
        if wires is not None:
            wires.cut()

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        self._drop()

    def _opened(self) -> tuple["httpx2.Client", "Wires"]:
        if self._base is None:
            raise fault(ServiceUnreachableError, "web.address", address=self.address)
        from console.web.transport import Wires, open_client

        if self._client is None or self._wires is None:
            wires = Wires()
            self._client = open_client(wires, self._base.startswith("https:"))
            with self._lock:
                self._wires = wires
                if self._aborted:
                    wires.cut()
        return self._client, self._wires

    def _asked(
        self, client: "httpx2.Client", method: str, path: str, data: object, what: str, limit: int
    ) -> Answer:
        headers: dict[bytes, bytes] = {}
        if self._login.header:
            headers[b"Authorization"] = self._login.header.encode()
        sent: dict[str, Any] = {} if data is None else {"json": data}
        if isinstance(data, Form):
            media, content = data.packed()
            headers[b"Content-Type"] = media.encode()
            sent = {"content": content}
        request = client.build_request(method, self._url(path), headers=headers, **sent)
        response = client.send(request, stream=True)
        try:
            status = response.status_code
            most = limit if 200 <= status < 300 else min(limit, _ERROR_LIMIT)
            body, cut = self._body(response, most)
        finally:
            response.close()
        if cut:
            self._drop()
        if cut and limit >= 0 and 200 <= status < 300:
            size = format_bytes(limit)
            raise self._fault(OddAnswerError, "web.too-large", what, size=size)
        headers_in = response.headers
        return Answer(
            what=what,
            status=status,
            body=body,
            cut=cut,
            media=headers_in.get("Content-Type", "").partition(";")[0].strip().lower(),
            server=clean_line(headers_in.get("Server", ""), 100),
            location=headers_in.get("Location", "")[:2000],
        )

    def _body(self, response: "httpx2.Response", limit: int) -> tuple[bytes, bool]:
        """Read a body up to the limit and say whether it goes on; what lies beyond is not read."""
        if limit < 0:
            return b"", True
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced[:20]) > limit and response.is_success:
            return b"", True
        body = bytearray()
        for piece in response.iter_raw(_PIECE):
            body += piece
            if len(body) > limit:
                return bytes(body[:limit]), True
        return bytes(body), False

    def _url(self, path: str) -> str:
        """Give the whole address of a request; it can be on the configured origin only."""
        if path and not path.startswith("/"):
            raise ValueError(f"no path: {path[:40]!r}")
        url = f"{self._base}{path}"
        if not self._login.parameter:
            return url
        joint = "&" if "?" in path else "?"
        name, value = (quote(part, safe="") for part in (self._login.parameter, self._login.value))
        return f"{url}{joint}{name}={value}"

    def _deny(self, answer: Answer) -> NoReturn:
        """Say what is wrong with the login: there is none, no secret for it, or not this one."""
        detail, status = self.scrub(answer.words()), answer.status
        missing = self._login.missing
        if missing is not None:
            made = self._fault(
                NeedsAuthError, "web.no-secret", answer.what, detail, status, reason=missing.title
            )
            made.hint = missing.hint or made.hint
            raise made
        code = "web.wrong-auth" if self._login.sent else "web.needs-auth"
        raise self._fault(NeedsAuthError, code, answer.what, detail, status)

    def _fail(self, error: Exception, what: str, limit: float, connected: bool) -> NoReturn:
        """Turn whatever the libraries or the system raised into a fault."""
        from console.web.translation import code_of, words_of

        code = "web.aborted" if self._aborted else code_of(error)
        if code == "web.connect-timeout" and connected:
            # It took the connection but not the handshake of https.
            code = "web.timeout"
        kind: type[ServiceFault] = ServiceUnreachableError
        if code in {"web.timeout", "web.connect-timeout"}:
            kind = ServiceTimeoutError
        elif code == "web.not-http":
            kind = OddAnswerError
        detail = "" if kind is ServiceTimeoutError else self.scrub(words_of(error))
        raise self._fault(kind, code, what, detail, limit=f"{limit:.3g}") from error

    def _fault(
        self, kind: type[F], code: str, what: str, detail: str = "", status: int = 0,
        place: str = "", **values: object,
    ) -> F:  # fmt: skip
        return fault(
            kind, code, detail=detail, status=status, address=self.address, what=what,
            place=place, **values,
        )  # fmt: skip

    def _drop(self) -> None:
        """Close what is open, whatever state it is in."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()


def _taken_apart(base_url: str) -> tuple[str | None, str]:
    """Give the address without its last slash, and how it is shown; None where it is none."""
    parts = urlsplit_or_none(base_url.strip())
    shown = clean_line(base_url.partition("?")[0].rpartition("@")[2], 200) or "(no address)"
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return None, shown
    if "@" in parts.netloc or parts.query or parts.fragment or not base_url.isprintable():
        return None, shown
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return base, clean_line(base, 200)
