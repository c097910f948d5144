"""A finding: one diagnosis with its evidence, and what came of reading a log."""

from datetime import datetime
from typing import Any

import msgspec


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A line that shows a finding.

    Attributes:
        source: the container or file it is from.
        at: its time as it was written; empty where it had none.
        number: its place in its log, from 1.
        text: cleaned, secrets masked.
    """

    source: str
    at: str
    number: int
    text: str


class Mend(msgspec.Struct, frozen=True, kw_only=True):
    """The plan that would mend something: what `Operations.plan` is given.

    Attributes:
        title: what it does, in one line.
        command: the equivalent command line.
    """

    verb: str
    target: str
    options: dict[str, Any] = {}
    title: str = ""
    command: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One diagnosis.

    Attributes:
        id: of the runbook's entry.
        severity: `error`, `warning` or `info`.
        subject: what it is about: a service, a container, a file.
        title: what is wrong, in one sentence.
        fix, next: what to do, and what to look at then, step by step.
        evidence: the newest lines that show it.
        count: how often it was said.
        first_at, last_at: when, as it was written; may be empty.
        current: it was said after the last start; else it is history.
        consequence_of: id of the finding that explains it; empty for a root cause.
        since: when it began, where that is known.
        plan: the kind of plan that would mend it; may be empty.
        mend: that plan, where one can be made here; None else.
    """

    id: str
    severity: str
    subject: str
    title: str
    cause: str = ""
    fix: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    count: int = 1
    first_at: str = ""
    last_at: str = ""
    current: bool = True
    consequence_of: str = ""
    plan: str = ""
    mend: Mend | None = None
    since: datetime | None = None


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What a log shows.

    Attributes:
        findings: root causes first, each followed by its consequences; what is history last.
        telling: where no entry explains what is wrong: the lines that say most, newest last.
        lines: how many were read.
        starts: how often a program in it began anew.
        up: the last start came up, as far as the log tells.
    """

    findings: tuple[Finding, ...] = ()
    telling: tuple[Evidence, ...] = ()
    lines: int = 0
    starts: int = 0
    up: bool = False

    @property
    def known(self) -> bool:
        """Whether anything of it is explained that still holds."""
        return any(one.current for one in self.findings)
