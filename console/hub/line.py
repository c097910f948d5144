"""Requests to one hub over the library's session, with the token, and what is wrong as a fault."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from console.clock import Clock, SystemClock
from console.hub.facts import HubFile, HubSpec
from console.hub.faults import HubFault, fault
from console.hub.spec import endpoint_of
from console.hub.token import read_token, switched_on, token_source
from console.mask import mask_text
from console.text import clean_line

if TYPE_CHECKING:
    import httpx2

    from console.hub.answers import Asked

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 15.0
MOST_HOPS = 6
_MOST_JSON = 8 << 20
_MOST_WORDS = 64 << 10


class HubLine:
    """Asks one hub; any thread may use it. Nothing is imported or sent before the first request.

    Attributes:
        endpoint: the hub's address, without a slash at its end.
        shown: the same as it may be shown.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        self._environ = environ
        self._clock = clock or SystemClock()
        self.endpoint = endpoint_of(environ)
        self.shown = mask_text(clean_line(self.endpoint, 200))

    def token(self) -> str:
        """Give the token that is sent; empty where there is none."""
        return read_token(self._environ)

    @property
    def source(self) -> str:
        """Give where the token is from; empty where there is none."""
        return token_source(self._environ)

    def check(self) -> None:
        """Raise where the hub is not to be asked, or its address is none."""
        if switched_on(self._environ, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            raise fault("hub.offline")
        try:
            parts = urlsplit(self.endpoint)
            fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
            fine = fine and (parts.port is None or parts.port > 0) and not parts.query
        except ValueError:
            fine = False
        if not fine:
            raise fault("hub.endpoint", endpoint=self.shown)

    def address(self, file: HubFile) -> str:
        """Give where a file's bytes are asked for: by its commit, so that they cannot change."""
        repo, path = quote(file.spec.repo, safe="/"), quote(file.spec.path, safe="/")
        return f"{self.endpoint}/{repo}/resolve/{file.commit}/{path}"

    def asked(self, spec: HubSpec, *, seen: bool = False, limit: float = ANSWER_SECONDS) -> "Asked":
        """Give what the words of a fault need to know of a request."""
        from console.hub.answers import Asked

        return Asked(endpoint=self.shown, spec=spec, source=self.source, seen=seen, limit=limit)

    def is_home(self, url: str) -> bool:
        """Tell whether an address is on the hub's own origin, where the token may go."""
        from console.hub.library import origin_of

        try:
            return origin_of(url) == origin_of(self.endpoint)
        except ValueError:
            return False

    def get(self, url: str, headers: Mapping[str, str], asked: "Asked") -> "httpx2.Response":
        """Send one GET and give its answer, of whatever status, before its body is read.

        The token goes along where the address is on the hub's own origin. Whoever gets the answer
        closes it; its body may stand still for a minute.

        Raises:
            HubFault: there was no answer.
        """
        import httpx2

        from console.hub.answers import FAULTS, of_error
        from console.hub.library import at_home, session

        sent = {"Accept-Encoding": "identity", "User-Agent": "gpuconsole", **headers}
        token = self.token() if self.is_home(url) else ""
        if token:
            sent["Authorization"] = f"Bearer {token}"
        limits = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, pool=None)
        try:
            with at_home(self.endpoint):
                client = session()
                request = client.build_request("GET", url, headers=sent, timeout=limits)
                answer = client.send(request, stream=True, follow_redirects=False)
        except FAULTS as error:
            raise of_error(error, asked) from error
        # From here on whoever fetches watches whether something comes.
        request.extensions["timeout"]["read"] = 60.0
        return answer

    def json(self, path: str, asked: "Asked") -> tuple[Any, "httpx2.Headers"]:
        """Ask the hub's API (a path, or a whole address on its origin) and give JSON and headers.

        Raises:
            HubFault: of whatever kind.
        """
        from console.hub.answers import FAULTS, of_error

        url = urljoin(f"{self.endpoint}/", path) if "://" in path else f"{self.endpoint}{path}"
        answer = self.landed(url, {"Accept": "application/json"}, asked)
        try:
            if answer.status_code >= 300:
                raise self.refusal(answer, asked)
            body = _read(answer, _MOST_JSON)
        except FAULTS as error:
            raise of_error(error, asked) from error
        finally:
            answer.close()
        try:
            return json.loads(body), answer.headers
        except (ValueError, RecursionError) as error:
            raise fault("hub.not-a-hub", **asked.words()) from error

    def landed(self, url: str, headers: Mapping[str, str], asked: "Asked") -> "httpx2.Response":
        """Send a GET, follow where it is sent on to, and give the answer that is no redirect."""
        for _ in range(MOST_HOPS):
            answer = self.get(url, headers, asked)
            if not answer.has_redirect_location:
                return answer
            answer.close()
            url = self.next_hop(url, answer.headers["Location"], asked)
        raise fault("hub.redirect", detail=f"more than {MOST_HOPS} times")

    def next_hop(self, url: str, location: str, asked: "Asked") -> str:
        """Give where a redirect leads.

        Raises:
            HubFault: it is no address of the web, or leads from https to http.
        """
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            fine = False
        if not fine or (url.startswith("https:") and not target.startswith("https:")):
            shown = clean_line(location.partition("?")[0], 120)
            raise fault("hub.redirect", detail=mask_text(shown), **asked.words())
        return target

    def refusal(self, answer: "httpx2.Response", asked: "Asked") -> HubFault:
        """Give the fault that an answer's status stands for; reads the beginning of its body."""
        from console.hub.answers import FAULTS, Refused, of_answer

        headers = {name.lower(): value for name, value in answer.headers.items()}
        try:
            body = _read(answer, _MOST_WORDS)
        except FAULTS:
            body = b""
        refused = Refused(status=answer.status_code, headers=headers, body=body)
        made = of_answer(refused, asked, self._clock.now())
        if made.code == "hub.no-repo" and asked.source and not self.token_works(asked):
            return fault("hub.token-wrong", detail=made.detail, status=made.status, **asked.words())
        return made

    def token_works(self, asked: "Asked") -> bool:
        """Tell whether the hub knows the token; where it cannot be asked, it may well."""
        answer = None
        try:
            answer = self.get(f"{self.endpoint}/api/whoami-v2", {}, asked)
            return answer.status_code != 401
        except HubFault:
            return True
        finally:
            if answer is not None:
                answer.close()


def _read(answer: "httpx2.Response", most: int) -> bytes:
    """Read a short body; what lies beyond `most` is not read."""
    body = bytearray()
    for piece in answer.iter_raw():
        body += piece
        if len(body) >= most:
            break
    return bytes(body[:most])
