"""Findings of the way in from outside: their words are data."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from actions.doctor.telling import from_runbook, said
from actions.runbook.finding import Evidence, Finding
from console.packaged import read_table
from console.units import format_bytes


def outside_finding(
    ident: str,
    subject: str,
    evidence: Sequence[Evidence] = (),
    severity: str = "",
    **values: object,
) -> Finding:
    """Give a finding of `assets/doctor_outside.toml`; `severity` replaces its usual one.

    Raises:
        KeyError: there is no such finding, or a value is missing; a fault of the program.
    """
    words = _table()[ident]
    known = {"service": subject, **values}
    return Finding(
        id=ident,
        severity=severity or words["severity"],
        subject=subject,
        title=words["title"].format(**known),
        cause=words["cause"].format(**known),
        fix=tuple(one.format(**known) for one in words["fix"]),
        evidence=tuple(evidence),
    )


def too_large(
    service: str, path: str, size: int, status: int, title: str, severity: str
) -> Finding:
    """Give the finding of a body of `size` bytes that was refused for its size."""
    evidence = (said("outside", f"POST {path} with {format_bytes(size)}: {status}"),)
    entry = from_runbook("http.iis-404.13", service, evidence)
    fix = (*entry.fix, "nginx: client_max_body_size 100m; caddy: request_body max_size")
    return msgspec.structs.replace(entry, title=title, severity=severity, fix=fix)


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = read_table("doctor_outside.toml")["findings"]
    return found
