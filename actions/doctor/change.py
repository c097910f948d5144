"""One thing that changed: what it was, what it is about, whether it may have led somewhere."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from actions.doctor.traces import compose_files
from actions.runbook.finding import Finding
from actions.snapshot import HostSnapshot
from console.packaged import read_table
from console.store.rows import Happening, TimelineRow
from console.text import clean_line
from console.unknown import Unknown


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    Attributes:
        at: when; `until` when for the last time, where it happened `count` times.
        kind: of the timeline: `plan`, `container`, `config`, `image`, `driver`, `host`, `models`.
        verb: in short, such as `restart`, `die` or `edited`.
        text: what happened, of a plan with its subject's name, else without; cleaned.
        severity: `error`, `warning`, `info` or `ok`.
        who: of a plan: who asked for it, and through what; else empty.
        near: it is about the finding's subject, or about what everything stands on.
        changes: it changed how things are, not only what runs.
        long_before: it lies outside the time that was looked at, as the last change before.
    """

    at: datetime
    kind: str
    subject: str
    verb: str
    text: str
    severity: str = "info"
    who: str = ""
    near: bool = False
    changes: bool = False
    long_before: bool = False
    until: datetime | None = None
    count: int = 1


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What changed around a moment, the newest first.

    Attributes:
        onset: when the finding began; None where nobody tells.
        since, until: what was looked at.
        left_out: how many more there were, about other things.
        problem: why the timeline could not be read whole; None where it could.
    """

    onset: datetime | None
    since: datetime
    until: datetime
    entries: tuple[Change, ...] = ()
    left_out: int = 0
    problem: Unknown | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`assets/changes.toml`."""

    before_seconds: float
    after_seconds: float
    unknown_seconds: float
    long_before_seconds: float
    long_before_most: int
    most: int
    quiet: frozenset[str]
    causes: frozenset[str]
    cause_events: frozenset[str]
    everywhere: frozenset[str]


class About(msgspec.Struct, frozen=True):
    """Names and container ids of what a finding is about; none for the whole host."""

    names: frozenset[str]
    ids: frozenset[str]
    files: frozenset[str]


@cache
def limits() -> Limits:
    """Read the limits once."""
    return msgspec.convert(read_table("changes.toml"), Limits)


def last_of(one: Change) -> datetime:
    """Give when it happened for the last time."""
    return one.until or one.at


def about_of(finding: Finding, snapshot: HostSnapshot) -> About:
    """Give what a finding's subject is called, as a service and as a container."""
    subject = finding.subject
    names, ids, files = {subject}, set[str](), set[str]()
    for one in snapshot.services:
        if subject == one.name:
            ids.add(one.container_id)
    for container in snapshot.engine.containers:
        if container.id in ids or container.name == subject:
            names |= {container.name, *_services_of(snapshot, container.id)}
            ids.add(container.id)
            if container.compose is not None:
                files |= set(compose_files(container))
    return About(frozenset(names - {""}), frozenset(ids - {""}), frozenset(files))


def _services_of(snapshot: HostSnapshot, container_id: str) -> Iterator[str]:
    return (one.name for one in snapshot.services if one.container_id == container_id)


def _is_near(
    about: About, kind: str, subject: str, subject_id: str, body: Mapping[str, Any]
) -> bool:
    everywhere = limits().everywhere
    if about.names & everywhere or kind in everywhere or subject in everywhere:
        return True
    if subject in about.names or (subject_id and subject_id in about.ids):
        return True
    facts = body.get("facts")
    path = facts.get("path") if isinstance(facts, dict) else None
    return kind == "config" and (path in about.files or subject == "config.toml")


def of_row(row: TimelineRow, about: About) -> Change:
    """Give what a row of the timeline tells, of whatever kind; what it has not stays empty."""
    body = row.body
    texts = {
        name: clean_line(str(body.get(name) or ""), 400)
        for name in ("verb", "text", "outcome", "user", "ssh_origin", "via")
    }
    verb, outcome, text = texts["verb"], texts["outcome"], texts["text"]
    if row.kind == "plan":
        said = text.removeprefix(f"{row.subject}: ")
        text = f"{verb} {clean_line(row.subject, 120)} {outcome}" + (f": {said}" if said else "")
    near = _is_near(about, row.kind, row.subject, row.subject_id, body)
    return Change(
        at=row.at,
        kind=row.kind,
        subject=clean_line(row.subject, 120),
        verb=verb,
        text=text,
        severity=_severity(row.kind, outcome),
        who=_who(texts) if row.kind == "plan" else "",
        near=near or (row.kind == "plan" and verb == "switch"),
        changes=_is_cause(row.kind, verb),
        until=row.until,
        count=row.count,
    )


def of_happening(one: Happening, about: About) -> Change:
    """Give what is in no timeline yet."""
    verb = str(one.body.get("verb") or "")
    return Change(
        at=one.at,
        kind=one.kind,
        subject=clean_line(one.subject, 120),
        verb=verb,
        text=clean_line(str(one.body.get("text") or verb), 400),
        severity=_severity(one.kind, str(one.body.get("outcome") or "info")),
        near=_is_near(about, one.kind, one.subject, one.subject_id, one.body),
        changes=_is_cause(one.kind, verb),
    )


def _who(texts: dict[str, str]) -> str:
    origin = f" from {texts['ssh_origin']}" if texts["ssh_origin"] else ""
    via = f", {texts['via']}" if texts["via"] else ""
    return f"{texts['user']}{origin}{via}"


def _severity(kind: str, outcome: str) -> str:
    if kind != "plan":
        return outcome if outcome in {"error", "warning", "ok"} else "info"
    if outcome in {"failed", "interrupted"}:
        return "error" if outcome == "failed" else "warning"
    return "info"


def _is_cause(kind: str, verb: str) -> bool:
    return kind in limits().causes or verb in limits().cause_events
