"""Where the hub's token is, by the rules of the hub's own tools; it is read when it is needed.

The token itself is only ever in the hands of who sends it, in no snapshot, no plan and no log.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from console.hub.faults import fault
from console.paths import expand, find_home

_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_PLAIN = re.compile(r"[!-~]{1,2000}")
_TRUE = frozenset({"1", "on", "yes", "true"})
_LONGEST_FILE = 16 << 10


def switched_on(environ: Mapping[str, str], *names: str) -> bool:
    """Tell whether one of these variables is set to what the hub's tools take for true."""
    return any(environ.get(name, "").strip().lower() in _TRUE for name in names)


def token_source(environ: Mapping[str, str]) -> str:
    """Give where the token is from: a variable's name, a file's path, or empty where there is none.

    A token is not sent at all where HF_HUB_DISABLE_IMPLICIT_TOKEN is set.
    """
    return _found(environ)[1]


def read_token(environ: Mapping[str, str]) -> str:
    """Give the token; empty where there is none.

    Raises:
        HubFault: `hub.token-unusable`: there is something that cannot be sent as a token.
    """
    token, source = _found(environ)
    if token and _PLAIN.fullmatch(token) is None:
        raise fault("hub.token-unusable", source=source)
    return token


def token_path(environ: Mapping[str, str]) -> Path | None:
    """Give the file in which a login is kept; None without a home directory."""
    named = environ.get("HF_TOKEN_PATH", "")
    if named:
        return _expanded(named, environ)
    home = environ.get("HF_HOME", "")
    if home:
        return _expanded(home, environ) / "token"
    cache = environ.get("XDG_CACHE_HOME", "")
    if cache:
        return _expanded(cache, environ) / "huggingface" / "token"
    user = find_home(environ)
    return None if user is None else user / ".cache" / "huggingface" / "token"


def _found(environ: Mapping[str, str]) -> tuple[str, str]:
    """Give the token and where it is from, both empty where there is none."""
    if switched_on(environ, "HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        return "", ""
    for name in _VARIABLES:
        token = environ.get(name, "").strip()
        if token:
            return token, name
    path = token_path(environ)
    if path is None:
        return "", ""
    try:
        with path.open("rb") as file:
            token = file.read(_LONGEST_FILE).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        # Nobody is logged in, or not for this user to read: the hub is asked without a token.
        return "", ""
    return (token, str(path)) if token else ("", "")


def _expanded(text: str, environ: Mapping[str, str]) -> Path:
    """Give a path from a variable, with `~` and `$NAME` replaced as the hub's tools do."""
    replaced = re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda m: environ.get(m[1] or m[2], m[0]), text)
    return Path(os.path.normpath(expand(replaced, environ)))
