"""Where in a line a search has matched, found in bounded time."""

import re
from functools import lru_cache
from typing import Any

import msgspec

_MOST = 50
_SECONDS = 0.02


class Highlight(msgspec.Struct, frozen=True, kw_only=True):
    """What is set apart in lines: a text, or an expression."""

    pattern: str
    regex: bool
    case: bool


def matches(text: str, highlight: Highlight) -> list[tuple[int, int]]:
    """Give the first matches in a text, as places; none where an expression takes too long."""
    compiled = _compiled(highlight)
    if compiled is None:
        return []
    found: list[tuple[int, int]] = []
    try:
        for match in _found(compiled, text, highlight.regex):
            if match.end() > match.start():
                found.append(match.span())
            if len(found) >= _MOST:
                break
    except TimeoutError:
        return []
    return found


def _found(compiled: Any, text: str, limited: bool) -> Any:
    return compiled.finditer(text, timeout=_SECONDS) if limited else compiled.finditer(text)


@lru_cache(maxsize=16)
def _compiled(highlight: Highlight) -> Any:
    """Compile; expressions with the library whose searches can be given a time limit."""
    if not highlight.regex:
        return re.compile(re.escape(highlight.pattern), 0 if highlight.case else re.IGNORECASE)
    import regex

    try:
        return regex.compile(highlight.pattern, 0 if highlight.case else regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError):
        return None
