"""Which version of the engine's API to speak: the newest that both sides know."""

import msgspec

from console.engine.faults import EngineRefusedError, EngineUnreachableError, fault
from console.text import clean_line

# 1.40 is Docker 19.03 and the least that Docker 29 accepts; 1.56 is what this program was built
# against. An engine newer than that still speaks 1.56, and is asked to.
OLDEST_API = (1, 40)
NEWEST_API = (1, 56)


class EngineVersion(msgspec.Struct, frozen=True):
    """Which engine answered; `api` is the version of the API that is spoken with it."""

    version: str
    api: str


def agree(answer: object, address: str) -> EngineVersion:
    """Choose the API version from the engine's answer to `GET /version`.

    Raises:
        EngineUnreachableError: `engine.too-old` or `docker.api.too-old`, no common version.
        EngineRefusedError: `engine.odd-answer`, this is no Docker Engine.
    """
    told = answer if isinstance(answer, dict) else {}
    newest = _parsed(told.get("ApiVersion"))
    if newest is None:
        raise fault(EngineRefusedError, "engine.odd-answer", address=address, what="version")
    if newest < OLDEST_API:
        raise fault(EngineUnreachableError, "engine.too-old", theirs=_text(newest))
    oldest = _parsed(told.get("MinAPIVersion")) or OLDEST_API
    if oldest > NEWEST_API:
        values = {"theirs": _text(oldest), "ours": _text(NEWEST_API)}
        raise fault(EngineUnreachableError, "docker.api.too-old", **values)
    version = told.get("Version")
    return EngineVersion(
        clean_line(version, 100) if isinstance(version, str) else "",
        _text(min(newest, NEWEST_API)),
    )


def speaks(api: str, needed: tuple[int, int]) -> bool:
    """Tell whether the API version agreed on is at least `needed`."""
    return (_parsed(api) or OLDEST_API) >= needed


def _parsed(text: object) -> tuple[int, int] | None:
    if not isinstance(text, str):
        return None
    major, _, minor = text.partition(".")
    if not (major.isdecimal() and minor.isdecimal() and len(text) < 12):
        return None
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
