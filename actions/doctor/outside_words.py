"""Findings of the way in from outside: their words are data."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from actions.runbook.finding import Evidence, Finding
from console.packaged import read_table


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


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = read_table("doctor_outside.toml")["findings"]
    return found
