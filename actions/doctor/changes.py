"""What changed around the moment when something began to be wrong, from every memory there is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from actions.doctor.traces import compose_files, traces
from actions.runbook.finding import Finding
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.packaged import read_table
from console.store.rows import Happening, TimelineRow
from console.store.timeline import TimelineRecords
from console.text import clean_line
from console.unknown import Unknown

_ROWS = 2_000
_ALL_ROWS = 100_000
_SAME = timedelta(seconds=2)
_LOOKS_APART = timedelta(minutes=5)
"""Whoever writes the timeline looks at models so seldom."""


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


class _About(msgspec.Struct, frozen=True):
    """Names and container ids of what a finding is about; none for the whole host."""

    names: frozenset[str]
    ids: frozenset[str]
    files: frozenset[str]


@cache
def limits() -> Limits:
    """Read the limits once."""
    return msgspec.convert(read_table("changes.toml"), Limits)


def onset_of(finding: Finding) -> datetime | None:
    """Give when a finding began: as it was found, else its first evidence that bears a time.

    A time without a zone tells no moment: a log may be written in any.
    """
    if finding.since is not None:
        return finding.since.astimezone(UTC)
    written = [finding.first_at, *(one.at for one in finding.evidence)]
    moments = [moment for text in written if (moment := moment_of(text)) is not None]
    return min(moments, default=None)


def what_changed(session: Session, finding: Finding, snapshot: HostSnapshot) -> Changes:
    """Gather what happened around the beginning of a finding; changes nothing, never waits long.

    Operators' plans and whatever else the timeline has; what the engine remembers of containers;
    and what files, containers and the host tell themselves, whoever watched.

    Args:
        session: whose timeline it is.
        finding: what is wrong.
        snapshot: the host as it is now, with the engine's newest events.
    """
    bounds = limits()
    now = session.clock.now().astimezone(UTC)
    onset = onset_of(finding)
    if onset is None:
        since, until = now - timedelta(seconds=bounds.unknown_seconds), now
    else:
        since = onset - timedelta(seconds=bounds.before_seconds)
        until = max(onset, min(onset + timedelta(seconds=bounds.after_seconds), now))
    earliest = since - timedelta(seconds=bounds.long_before_seconds)
    about = _about(finding, snapshot)
    found = [_of_row(row, about) for row in _rows(session, earliest, until)]
    found += [
        _of_happening(one, about)
        for one in _unwritten(session, snapshot, about, found)
        if earliest <= one.at <= until
    ]
    found = [one for one in found if one.kind not in bounds.quiet]
    within = [one for one in found if (one.until or one.at) >= since]
    before = _long_before(found, since) if not _any_cause(within, onset) else []
    entries, left_out = _bounded(_folded(within))
    return Changes(
        onset=onset,
        since=since,
        until=until,
        entries=tuple(sorted([*entries, *before], key=_when, reverse=True)),
        left_out=left_out,
        problem=session.store.problem,
    )


def moment_of(text: str) -> datetime | None:
    """Give the moment that a log's time means; None where it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _when(one: Change) -> datetime:
    return one.until or one.at


def _about(finding: Finding, snapshot: HostSnapshot) -> _About:
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
    return _About(frozenset(names - {""}), frozenset(ids - {""}), frozenset(files))


def _services_of(snapshot: HostSnapshot, container_id: str) -> Iterator[str]:
    return (one.name for one in snapshot.services if one.container_id == container_id)


def _is_near(
    about: _About, kind: str, subject: str, subject_id: str, body: Mapping[str, Any]
) -> bool:
    everywhere = limits().everywhere
    if about.names & everywhere or kind in everywhere or subject in everywhere:
        return True
    if subject in about.names or (subject_id and subject_id in about.ids):
        return True
    facts = body.get("facts")
    path = facts.get("path") if isinstance(facts, dict) else None
    return kind == "config" and (path in about.files or subject == "config.toml")


def _rows(session: Session, since: datetime, until: datetime) -> Iterator[TimelineRow]:
    records = TimelineRecords(session.store)
    rows = records.newest(_ROWS, since)
    if len(rows) == _ROWS and rows[-1].at > since:
        # The beginning lies so far back that much has happened since.
        rows = records.newest(_ALL_ROWS, since)
    for row in rows:
        if row.at <= until:
            yield row


def _of_row(row: TimelineRow, about: _About) -> Change:
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


def _of_happening(one: Happening, about: _About) -> Change:
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


def _unwritten(
    session: Session, snapshot: HostSnapshot, about: _About, known: Sequence[Change]
) -> Iterator[Happening]:
    """Give what the engine remembers and what things tell themselves, unless it is written."""
    # Imported here: only who asks what changed pays for it.
    from actions.watching.container_events import container_happenings

    written: dict[tuple[str, str, str], list[Change]] = {}
    for one in known:
        written.setdefault(_what(one.kind, one.subject, one.verb), []).append(one)
    for source in (
        container_happenings(snapshot.engine.events),
        traces(session, snapshot, about.ids),
    ):
        new = [one for one in source if not _is_written(one, written)]
        yield from new
        for happening in new:
            change = _of_happening(happening, about)
            written.setdefault(_what(change.kind, change.subject, change.verb), []).append(change)


def _is_written(one: Happening, written: Mapping[tuple[str, str, str], Sequence[Change]]) -> bool:
    verb = str(one.body.get("verb") or "")
    known = written.get(_what(one.kind, clean_line(one.subject, 120), verb), ())
    return any(_is_same(each, one) for each in known)


def _what(kind: str, subject: str, verb: str) -> tuple[str, str, str]:
    """Give what must agree for two to be the same; models are told of in groups."""
    return ("models", "", "") if kind == "models" else (kind, subject, verb)


def _is_same(one: Change, happening: Happening) -> bool:
    apart = _SAME if one.kind != "models" else _LOOKS_APART
    return one.at - apart <= happening.at <= _when(one) + apart


def _any_cause(found: Iterable[Change], onset: datetime | None) -> bool:
    return any(one.near and one.changes and (onset is None or one.at <= onset) for one in found)


def _long_before(found: Iterable[Change], since: datetime) -> list[Change]:
    """Give the last changes before the time that is looked at."""
    older = [one for one in found if one.near and one.changes and _when(one) < since]
    newest = sorted(older, key=_when, reverse=True)[: limits().long_before_most]
    return [msgspec.structs.replace(one, long_before=True) for one in newest]


def _folded(found: Iterable[Change]) -> list[Change]:
    """Give what happened again and again, such as the ends of a crash loop, once."""
    kept: dict[tuple[str, str, str], Change] = {}
    for one in sorted(found, key=lambda each: each.at):
        key = (one.kind, one.subject, one.text)
        before = kept.get(key)
        if before is None or one.kind != "container":
            kept[key if before is None else (*key[:2], f"{one.text}{len(kept)}")] = one
            continue
        kept[key] = msgspec.structs.replace(
            before, until=max(_when(before), _when(one)), count=before.count + one.count
        )
    return list(kept.values())


def _bounded(found: Sequence[Change]) -> tuple[list[Change], int]:
    """Give as many as are to be shown: what is near and newest before the rest."""
    order = sorted(found, key=lambda one: (one.near, one.changes, _when(one)), reverse=True)
    most = limits().most
    return order[:most], max(0, len(order) - most)
