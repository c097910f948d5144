"""The hub's own library, made quiet: one session for all requests, and the token stays at home.

Importing this module imports `huggingface_hub` and the HTTP libraries (a quarter of a second), so
it is imported where the first request is made.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from urllib.parse import urlsplit

import httpx2
import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.utils import _http

# Imported for what it does: httpx2's and httpcore2's logs would hold whole addresses.
from console.web import transport as _quiet  # noqa: F401

_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_home: ContextVar[tuple[str, str, int] | None] = ContextVar("_home", default=None)
_lock = threading.Lock()
_prepared = False


def prepare() -> None:
    """Make the library's session ours, once in a process.

    It heeds the environment's proxies and certificates as ever, but goes to loopback directly, and
    sends a token to no origin but the one that `at_home` names. Nothing is logged, and the hub is
    not asked about anything that nobody asked for (the library's telemetry is off).
    """
    global _prepared  # noqa: PLW0603 -- the library's session is one for the whole process, too
    with _lock:
        if _prepared:
            return
        logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL + 1)
        constants.HF_HUB_DISABLE_TELEMETRY = True
        huggingface_hub.set_client_factory(_client)
        _prepared = True


def session() -> httpx2.Client:
    """Give the library's session, which any thread may use."""
    prepare()
    return huggingface_hub.get_session()


def origin_of(url: str) -> tuple[str, str, int]:
    """Give scheme, host and port of an address.

    Raises:
        ValueError: its port is no number.
    """
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme.lower(), 0)
    return parts.scheme.lower(), (parts.hostname or "").lower(), port


@contextlib.contextmanager
def at_home(endpoint: str) -> Iterator[None]:
    """Let requests of this thread carry a token to this origin, and to no other."""
    mark = _home.set(origin_of(endpoint))
    try:
        yield
    finally:
        _home.reset(mark)


def _client() -> httpx2.Client:
    return httpx2.Client(
        event_hooks={"request": [_http.hf_request_event_hook, _keep_token_home]},
        follow_redirects=False,
        timeout=None,
        mounts=dict.fromkeys(_LOOPBACK),
    )


def _keep_token_home(request: httpx2.Request) -> None:
    """Take the token out of a request to anybody but the configured hub."""
    if "authorization" in request.headers and origin_of(str(request.url)) != _home.get():
        del request.headers["authorization"]
