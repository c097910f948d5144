"""How bad a line is, as it says itself: the formats are data, in assets/log_levels.toml."""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec

from actions.logs.line import LEVELS
from console.packaged import read_table

_LONGEST_JUDGED = 400
_INFO, _WARNING, _ERROR = (LEVELS.index(level) for level in ("info", "warning", "error"))


class _Format(NamedTuple):
    """A way to write lines: tried where one of `contains` (if any) is in the line."""

    contains: tuple[str, ...]
    found: "Callable[[str], re.Match[str] | None]"
    level: int | None


class _Formats(NamedTuple):
    """All formats, in order; the levels of words in small letters; the keys of JSON lines."""

    formats: tuple[_Format, ...]
    words: dict[str, int]
    keys: tuple[str, ...]


@cache
def _known() -> _Formats:
    table = read_table("log_levels.toml")
    words = {
        word: number
        for number, level in enumerate(LEVELS)
        for word in table["words"].get(level, ())
    }
    names = sorted((word for word in words if len(word) > 1), key=len, reverse=True)
    upper = "|".join(name.upper() for name in names)
    any_case = f"{upper}|{'|'.join(names)}|{'|'.join(name.capitalize() for name in names)}"
    formats = []
    for entry in table["format"]:
        pattern = re.compile(entry["pattern"].replace("@UPPER@", upper).replace("@ANY@", any_case))
        formats.append(
            _Format(
                tuple(entry.get("contains", ())),
                pattern.search if entry.get("anywhere") else pattern.match,
                LEVELS.index(entry["level"]) if "level" in entry else None,
            )
        )
    return _Formats(tuple(formats), words, tuple(table["json_keys"]))


@lru_cache(maxsize=8192)
def level_of(text: str) -> int:
    """Give the place in LEVELS of what a cleaned line says of itself; 0 where it says nothing."""
    if text.startswith("{"):
        told = _of_json(text)
        if told:
            return told
    judged = text[:_LONGEST_JUDGED]
    for contains, found, level in _known().formats:
        if contains:
            for part in contains:
                if part in judged:
                    break
            else:
                continue
        match = found(judged)
        if match is not None:
            return _of_match(match) if level is None else level
    return 0


def _of_match(match: "re.Match[str]") -> int:
    groups = match.groupdict()
    if groups.get("status"):
        return _of_status(int(groups["status"]))
    word = groups.get("level") or groups.get("bracketed") or ""
    return _known().words.get(word.lower(), 0)


def _of_status(status: int) -> int:
    """Judge an HTTP status: what the server could not do, what it refused, the rest."""
    if status >= 500:
        return _ERROR
    return _WARNING if status >= 400 else _INFO


def _of_json(text: str) -> int:
    """Read the level of a line of JSON: a word, or a number as pino and bunyan write it."""
    try:
        told: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return 0
    if not isinstance(told, dict):
        return 0
    for key in _known().keys:
        value = told.get(key)
        if isinstance(value, str):
            return _known().words.get(value.strip().lower(), 0)
        if isinstance(value, int) and not isinstance(value, bool):
            return min(max(value // 10 - 1, 1), len(LEVELS) - 1)
    status = told.get("status")
    return _of_status(status) if isinstance(status, int) and 100 <= status < 600 else 0
