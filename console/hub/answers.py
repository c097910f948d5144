"""Which of our faults an answer of the hub, or an error on the way to it, stands for.

Importing this module imports the HTTP libraries; it is imported where something has gone wrong.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
from huggingface_hub.errors import FileMetadataError, OfflineModeIsEnabled
from huggingface_hub.utils._http import parse_ratelimit_headers

from console.hub.facts import HubSpec
from console.hub.faults import HubFault, fault
from console.hub.spec import page_of
from console.mask import mask_text
from console.text import clean_line
from console.units import format_duration
from console.web.translation import FAULTS as _WEB_FAULTS
from console.web.translation import code_of, words_of

FAULTS = (*_WEB_FAULTS, OfflineModeIsEnabled, FileMetadataError)
"""Everything that a request to the hub may raise for reasons outside."""

_LONGEST_WAIT = 3_600.0
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_DISABLED = "access to this resource is disabled"
_BY_CODE = {
    "web.no-host": "hub.no-host",
    "web.tls": "hub.certificate",
    "web.timeout": "hub.timeout",
    "web.connect-timeout": "hub.timeout",
    "web.not-http": "hub.not-a-hub",
    "web.address": "hub.endpoint",
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the hub, as far as the words of a fault need it.

    Attributes:
        endpoint: the hub's address, as it may be shown.
        source: where the token that was sent is from; empty where none was sent.
        seen: the hub has shown this file before, so that its name is right.
        limit: seconds that the answer had time.
    """

    endpoint: str
    spec: HubSpec
    source: str = ""
    seen: bool = False
    limit: float = 0.0

    def words(self) -> dict[str, Any]:
        """Give the values that the packaged words name."""
        return {
            "endpoint": self.endpoint,
            "repo": mask_text(self.spec.repo),
            "path": _typed(self.spec.path, 200),
            "revision": _typed(self.spec.revision, 60),
            "page": mask_text(page_of(self.spec, self.endpoint)),
            "source": self.source or "no token",
            "limit": f"{self.limit:g}",
        }


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with a status of 400 or more.

    Attributes:
        headers: names in lower case.
        body: its first bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def code(self) -> str:
        """Give the hub's own code, such as `RepoNotFound`; may be empty."""
        return self.headers.get("x-error-code", "")

    @property
    def words(self) -> str:
        """Give the hub's own words as one clean line without secrets; may be empty."""
        return own_words(self.headers, self.body)


def of_answer(refused: Refused, asked: Asked, now: datetime) -> HubFault:
    """Give the fault that a refusal of the hub stands for."""
    status, code, words = refused.status, refused.code, asked.words()
    by_code = _OF_CODES.get(code)
    if by_code is not None:
        key = by_code(asked)
    elif status == 429:
        return _rate_limited(refused, asked, now)
    elif status >= 500 or status in {408, 425}:
        wait = _retry_after(refused.headers, now)
        return fault(
            "hub.server-error", detail=refused.words, retry_after=wait, status=status, **words
        )
    else:
        key = _of_status(refused, asked)
    return fault(key, detail=refused.words, status=status, **words)


def of_error(error: BaseException, asked: Asked, *, body: bool = False) -> HubFault:
    """Give the fault that an error of the libraries or the system stands for.

    Args:
        error: one of `FAULTS`.
        asked: what was asked.
        body: it came in the middle of a file.
    """
    words = asked.words()
    if isinstance(error, OfflineModeIsEnabled):
        return fault("hub.offline")
    if isinstance(error, FileMetadataError):
        return fault("hub.odd-answer", detail=_line(str(error)), **words)
    if isinstance(error, httpx2.ProxyError):
        return fault("hub.proxy", detail=_line(words_of(error)), **words)
    key = _BY_CODE.get(code_of(error), "hub.unreachable")
    if key == "hub.unreachable" and not body and _by_proxy(asked.endpoint):
        key = "hub.proxy"
    if body and key in {"hub.unreachable", "hub.timeout", "hub.not-a-hub"}:
        key = "hub.cut"
    detail = "" if key == "hub.timeout" else _line(words_of(error))
    return fault(key, detail=detail, **words)


def _by_proxy(endpoint: str) -> bool:
    """Tell whether the environment sends requests to the hub through a proxy."""
    from urllib.request import getproxies_environment, proxy_bypass

    parts, proxies = urlsplit(endpoint), getproxies_environment()
    host = parts.hostname or ""
    named = proxies.get(parts.scheme) or proxies.get("all")
    loopback = host in {"localhost", "127.0.0.1", "::1"}
    return bool(named) and not loopback and not proxy_bypass(host)


def own_words(headers: Mapping[str, str], body: bytes) -> str:
    """Give what an answer says for itself, as one clean line without secrets; may be empty."""
    told = headers.get("x-error-message", "")
    if told:
        return _line(told)
    text = body.decode("utf-8", "replace")
    if "html" in headers.get("content-type", "").lower():
        title = _TITLE.search(text)
        return _line(title[1]) if title else ""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return _line(re.sub("<[^>]{0,200}>", " ", text))
    error = data.get("error") if isinstance(data, dict) else None
    return _line(error) if isinstance(error, str) else ""


def _of_status(refused: Refused, asked: Asked) -> str:
    """Choose the words for a refusal that comes without a code of the hub's own."""
    status, said = refused.status, refused.words.lower()
    if _DISABLED in said:
        return "hub.disabled"
    if status == 401:
        return "hub.token-wrong" if asked.source else _hidden(asked)
    if status == 403:
        return "hub.forbidden" if asked.source else "hub.no-token"
    if status == 407:
        return "hub.proxy"
    if status in {404, 410}:
        return "hub.no-file" if "x-repo-commit" in refused.headers else "hub.not-a-hub"
    return "hub.refused"


def _hidden(asked: Asked) -> str:
    """Choose the words for a repository that is not shown: not there, or not for this asker."""
    if asked.source:
        return "hub.no-repo-for-token"
    return "hub.no-token" if asked.seen else "hub.no-repo-or-private"


_OF_CODES: dict[str, Callable[[Asked], str]] = {
    "RepoNotFound": _hidden,
    "GatedRepo": lambda asked: "hub.gated" if asked.source else "hub.no-token",
    "RevisionNotFound": lambda _: "hub.no-revision",
    "EntryNotFound": lambda _: "hub.no-file",
    "DisabledRepo": lambda _: "hub.disabled",
}


def _rate_limited(refused: Refused, asked: Asked, now: datetime) -> HubFault:
    """Say how long the hub wants to be left alone, and how much it allows, where it tells."""
    limits = parse_ratelimit_headers(refused.headers)
    wait = _retry_after(refused.headers, now)
    if wait is None and limits is not None and limits.remaining == 0:
        wait = min(float(limits.reset_in_seconds), _LONGEST_WAIT)
    quota = ""
    if limits is not None and limits.limit and limits.window_seconds:
        quota = f" (it allows {limits.limit} in {format_duration(limits.window_seconds)})"
    after = "it may be asked again in some minutes"
    if wait is not None:
        after = f"it may be asked again in {format_duration(math.ceil(wait))}"
    words = asked.words() | {"quota": quota, "wait": after}
    return fault("hub.rate-limited", detail=refused.words, retry_after=wait, status=429, **words)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Give Retry-After in seconds, an hour at most, by either of its two forms."""
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", told, re.ASCII):
        return min(float(told), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _typed(text: str, most: int) -> str:
    """Give part of a name as it may be shown: somebody may have pasted a token into it."""
    return clean_line(mask_text(text), most)


def _line(text: str) -> str:
    return mask_text(clean_line(text, 300))
