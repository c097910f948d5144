"""The words of checks, the limits and the equivalent commands of plans for services."""

import shlex
from functools import cache
from typing import Any

import msgspec

from actions.containers.words import worded
from actions.plan import Check
from actions.services.snapshot import Service
from console.mask import mask_text
from console.packaged import read_table


@cache
def table() -> dict[str, Any]:
    """Give the packaged table, read at first need."""
    return read_table("service_plans.toml")


def limit(group: str, name: str) -> float:
    """Give a limit of the packaged table, in the unit that its name says (else seconds)."""
    return float(table()[group][name])


def check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    """Give a check in its packaged words.

    Args:
        check_id: its id in the table; also the code of a refusal.
        verdict: `pass`, `warn` or `refuse`.
        values: what its words name.

    Raises:
        KeyError: the id or a value is missing: a fault of the program, not of data.
    """
    return worded(table()["checks"][check_id], check_id, verdict, values)


def under_code(made: Check, code: str) -> Check:
    """Give a check under another id, such as the code of the error that it tells of."""
    return msgspec.structs.replace(made, id=code)


def command(name: str, service: Service) -> str:
    """Give what a person would type for a step; secrets that an URL carries are masked.

    Without an URL it is what a service without an API gets: a look at what runs.
    """
    words = table()["commands"][name]
    kind = service.kind if service.url else "other"
    text = words if isinstance(words, str) else words[kind]
    return str(text).format(url=shlex.quote(mask_text(service.url.rstrip("/"))))
