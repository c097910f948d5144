"""Reading what a client asks: Go's idea of numbers and truth, filters, times."""

import json
from collections.abc import Mapping
from datetime import datetime

from console.simulator.refusal import Refusal

_FALSE = {"", "0", "no", "false", "none"}

Filters = dict[str, list[str]]


def truth(query: Mapping[str, str], name: str) -> bool:
    """Read a flag: anything but nothing, 0, no, false and none is true."""
    return query.get(name, "").strip().lower() not in _FALSE


def number(query: Mapping[str, str], name: str) -> int | None:
    """Read a whole number; None where it is not asked for.

    Raises:
        Refusal: it is no number; in the words of Go's strconv.
    """
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise Refusal("bad-number", function="Atoi", value=text) from error


def timestamp(query: Mapping[str, str], name: str) -> float | None:
    """Read a time in seconds since 1970, with or without a fraction, or RFC 3339.

    Raises:
        Refusal: it is neither.
    """
    text = query.get(name, "")
    if text in {"", "0"}:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise Refusal("bad-number", function="ParseInt", value=text) from error


def filters(query: Mapping[str, str], allowed: frozenset[str]) -> Filters:
    """Read the filters in either of their forms: lists, or the maps of old clients.

    Raises:
        Refusal: they are no JSON object, or name a filter that there is not.
    """
    text = query.get("filters", "")
    if not text:
        return {}
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Refusal("bad-json", character=text[0]) from error
    if not isinstance(data, dict):
        raise Refusal("bad-json", character=text[0])
    found = {str(name): [str(value) for value in values] for name, values in data.items()}
    for name in found:
        if name not in allowed:
            raise Refusal("bad-filter", name=name)
    return found


def label_matches(labels: Mapping[str, str], wanted: list[str]) -> bool:
    """Tell whether labels have every `name` or `name=value` that is wanted."""
    for want in wanted:
        name, equals, value = want.partition("=")
        if name not in labels or (equals and labels[name] != value):
            return False
    return True
