"""Short ways to make results and findings: every check says what it found in the same form."""

from collections.abc import Sequence
from typing import Protocol

from actions.doctor.check import Result
from actions.runbook.book import packaged_entries
from actions.runbook.diagnose import titled
from actions.runbook.finding import Evidence, Finding
from actions.snapshot import Alert
from console.mask import mask_text
from console.text import clean_line

_QUOTED = 300


class About(Protocol):
    """What a result is of: a check, or a probe that a plan has run."""

    @property
    def id(self) -> str:
        """Give its id."""
        ...

    @property
    def group(self) -> str:
        """Give its group."""
        ...


def result(check: About, title: str, findings: Sequence[Finding] = (), detail: str = "") -> Result:
    """Give a check's result; its state follows from its findings."""
    current = [one.severity for one in findings if one.current]
    state = "fail" if "error" in current else "warn" if "warning" in current else "pass"
    return Result(
        id=check.id,
        group=check.group,
        state=state,
        title=title,
        detail=detail,
        findings=tuple(findings),
    )


def said(source: str, text: str, at: str = "") -> Evidence:
    """Give a line of evidence that is from no log."""
    line = mask_text(clean_line(text, _QUOTED))
    return Evidence(source=source, at=at, number=0, text=line)


def from_runbook(
    ident: str, subject: str, evidence: Sequence[Evidence] = (), **captured: str
) -> Finding:
    """Give the finding of a runbook's entry that was seen otherwise than in a log.

    Raises:
        KeyError: the packaged runbook has no such entry; a fault of the program.
    """
    entry = {one.id: one for one in packaged_entries()}[ident]
    return Finding(
        id=ident,
        severity=entry.severity,
        subject=subject,
        title=titled(entry.title, captured),
        cause=entry.cause,
        fix=entry.fix,
        next=entry.next,
        links=entry.links,
        evidence=tuple(evidence),
        plan=entry.plan,
    )


def from_alert(alert: Alert) -> Finding:
    """Give what the console's alerts say already as a finding."""
    at = alert.since.isoformat(timespec="seconds") if alert.since is not None else ""
    return Finding(
        id=alert.id,
        severity=alert.severity,
        subject=alert.subject.rstrip(":"),
        title=f"{alert.subject} {alert.title}",
        fix=(alert.hint,) if alert.hint else (),
        evidence=(said("console", alert.title, at),),
        count=alert.count,
        since=alert.since,
    )
