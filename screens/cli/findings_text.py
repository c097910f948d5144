"""Findings in words, for a terminal or a pipe."""

from collections.abc import Iterator

from actions.runbook.finding import Evidence, Finding
from actions.runbook.listing import detail_of, title_of
from actions.runbook.log_check import LogCheck
from screens.cli.choices_text import wrapped

_MARKS = {"error": "✖", "warning": "▲", "info": "·"}


def diagnosis_text(found: LogCheck) -> str:
    """Give what a log shows: root causes first, what follows from them, what is history."""
    diagnosis = found.diagnosis
    lines = [f"{found.name}: {detail_of(found)}"]
    if not diagnosis.known:
        lines += ["", f"{'▲' if diagnosis.telling else '✔'} {title_of(found)}"]
    lines += [f"  {_quoted(one)}" for one in diagnosis.telling]
    for one in diagnosis.findings:
        lines += finding_lines(one)
    return "\n".join(lines)


def finding_lines(one: Finding) -> list[str]:
    """Give a finding in lines: a root cause at length, a consequence in one line beneath it."""
    return list(_consequence(one)) if one.consequence_of else ["", *_finding(one)]


def _finding(one: Finding) -> Iterator[str]:
    when = "" if one.current else "before the last start: "
    yield from wrapped(f"{when}{one.title}", f"{_MARKS[one.severity]} ")
    yield f"  {one.severity} {one.id}, {one.subject}{_times(one)}"
    for quoted in one.evidence:
        yield f"  | {_quoted(quoted)}" if quoted.number else f"  | {quoted.source}: {quoted.text}"
    if one.cause:
        yield from wrapped(one.cause, "  Cause  ")
    for name, steps in (("Fix", one.fix), ("Then", one.next)):
        for number, step in enumerate(steps, 1):
            yield from wrapped(step, f"  {name if number == 1 else '':<5}  {number}  ")
    if one.mend is not None:
        yield f"  Plan   {one.mend.title}: {one.mend.command}"
    for link in one.links:
        yield f"  See    {link}"


def _consequence(one: Finding) -> Iterator[str]:
    yield f"  ↳ {one.title} ({one.id}){_times(one)}"


def _times(one: Finding) -> str:
    if one.count == 1:
        return f", at {one.last_at}" if one.last_at else ""
    since = f", since {one.first_at}" if one.first_at else ""
    return f", ×{one.count}{since}"  # noqa: RUF001 -- as the design writes it


def _quoted(one: Evidence) -> str:
    return f"{one.number}: {one.text}"
