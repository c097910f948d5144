"""What a service answered to one request, and what can be told from its status and first bytes."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from console.text import clean_bytes, clean_line

_LOGIN = re.compile(
    r"(?:^|[/._-])"
    r"(?:(?:web|service)?log[-_]?(?:in|on)|sign[-_]?(?:in|on)|sessions?/new"
    r"|auth|authn|authorize|authenticate|authentication|oauth2?|oidc|openid|sso|saml2?|cas"
    r"|authelia|(?:go)?authentik|keycloak|adfs|okta)"
    r"(?:$|[/._?#-])",
    re.IGNORECASE,
)
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,400})", re.IGNORECASE)
_HTML = re.compile(rb"\s{0,64}(?:<!doctype html|<html|<head|<body|<!--)", re.IGNORECASE)
_LONGEST_PLACE = 200
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# The last ones are Cloudflare's: the server behind it is down, is late, or its tunnel is gone.
BEHIND = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 530})


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer.

    Attributes:
        what: the request, such as `GET /queue`, without its query.
        status: HTTP status.
        body: as it came; `cut` says that it went on.
        media: the media type without its parameters, lower case.
        server: the `Server` header.
        location: where a redirect leads, as it came.
    """

    what: str
    status: int
    body: bytes = b""
    cut: bool = False
    media: str = ""
    server: str = ""
    location: str = ""

    @property
    def is_html(self) -> bool:
        """Whether it is a web page, by its type or its first bytes."""
        return self.media in {"text/html", "application/xhtml+xml"} or bool(_HTML.match(self.body))

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON, or begins as a JSON object does."""
        return self.media.endswith("json") or self.body.lstrip()[:1] == b"{"

    @property
    def title(self) -> str:
        """The title of a web page, cleaned; empty where it has none."""
        found = _TITLE.search(self.body[:65536])
        return clean_line(clean_bytes(found[1]), 200) if found else ""

    @property
    def to_login(self) -> bool:
        """Whether it is a redirect to a login page, as far as the address tells."""
        place = urlsplit_or_none(self.location)
        if self.status not in REDIRECTS or place is None:
            return False
        return bool(_LOGIN.search(f"{place.hostname or ''}/{place.path}"))

    @property
    def place(self) -> str:
        """Where a redirect leads, cleaned, without user and query: a token may stand there."""
        place = urlsplit_or_none(self.location)
        if place is None:
            return "an address that makes no sense"
        host = place.netloc.rpartition("@")[2]
        shown = f"{place.scheme}://{host}{place.path}" if host else place.path
        return clean_line(shown, _LONGEST_PLACE) or "nowhere"

    def words(self) -> str:
        """Give what the service itself says in an error's body; not cleaned of secrets yet."""
        if self.is_html:
            return self.title
        try:
            told = parse_json(self.body)
        except ValueError:
            return clean_bytes(self.body[:2000])
        return _said(told)


def urlsplit_or_none(address: str) -> Any:
    """Take an address apart; None where it is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def parse_json(body: bytes) -> Any:
    """Read JSON, also with constants and numbers that are none in JSON.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # Python's servers write NaN, infinities and numbers beyond any range.
        try:
            return json.loads(body)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error


def _said(told: Any) -> str:
    """Find the sentence in an error's JSON: FastAPI's `detail`, ComfyUI's `error.message`."""
    if isinstance(told, str):
        return told
    if not isinstance(told, dict):
        return ""
    for key in ("detail", "error", "message", "errors"):
        said = told.get(key)
        if isinstance(said, str) and said:
            return said
        if isinstance(said, dict):
            return _said(said)
    return ""
