"""What changed around the moment when something began to be wrong, from every memory there is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from actions.doctor.change import (
    About,
    Change,
    Changes,
    about_of,
    last_of,
    limits,
    of_happening,
    of_row,
)
from actions.doctor.onset import moment_of, onset_of
from actions.doctor.traces import traces
from actions.runbook.finding import Finding
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.store.rows import Happening, TimelineRow
from console.store.timeline import TimelineRecords
from console.text import clean_line

_ROWS = 2_000
_ALL_ROWS = 100_000
_SAME = timedelta(seconds=2)
_ALERTS = 500
_ALERT_SUBJECTS = {"driver": "cards", "engine": "engine"}
"""What an alert calls the subjects that stand for themselves, whatever ails them."""
_LOOKS_APART = timedelta(minutes=5)
"""Whoever writes the timeline looks at models so seldom."""


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
    about = about_of(finding, snapshot)
    onset = onset_of(finding) or _raised(session, finding, about)
    if onset is None:
        since, until = now - timedelta(seconds=bounds.unknown_seconds), now
    else:
        since = onset - timedelta(seconds=bounds.before_seconds)
        until = max(onset, min(onset + timedelta(seconds=bounds.after_seconds), now))
    remembered = _remembered(session, snapshot, about)
    within = _told(_rows(session, since, until), remembered, about, since, until)
    before: list[Change] = []
    if not _any_cause(within, onset):
        earliest = since - timedelta(seconds=bounds.long_before_seconds)
        rows = TimelineRecords(session.store).newest(_ROWS, earliest, kinds=bounds.causes)
        before = _long_before(_told(rows, remembered, about, earliest, since), since)
    entries, left_out = _bounded(_folded(within))
    return Changes(
        onset=onset,
        since=since,
        until=until,
        entries=tuple(sorted([*entries, *before], key=last_of, reverse=True)),
        left_out=left_out,
        problem=session.store.problem,
    )


def _raised(session: Session, finding: Finding, about: About) -> datetime | None:
    """Give when the alert of a finding began that still stands; None where nobody saw it."""
    subject = _ALERT_SUBJECTS.get(finding.subject)
    for row in TimelineRecords(session.store).newest(_ALERTS, kinds=("alert",)):
        same = row.body.get("verb") == finding.id and row.subject in about.names
        if not finding.current or not (same or row.subject == subject):
            continue
        facts = row.body.get("facts")
        told = facts if isinstance(facts, dict) else {}
        if told.get("event") == "raised":
            return min(moment_of(str(told.get("since"))) or row.at, row.at)
        if told.get("event") == "cleared":
            return None
    return None


def _rows(session: Session, since: datetime, until: datetime) -> Sequence[TimelineRow]:
    records = TimelineRecords(session.store)
    rows = records.newest(_ROWS, since)
    if len(rows) == _ROWS and rows[-1].at > since and until < session.clock.now():
        # The beginning lies so far back that much has happened since.
        rows = records.newest(_ALL_ROWS, since)
    return rows


def _remembered(
    session: Session, snapshot: HostSnapshot, about: About
) -> tuple[Sequence[Happening], ...]:
    """Give what the engine remembers, and what things tell of themselves."""
    # Imported here: only who asks what changed pays for it.
    from actions.watching.container_events import container_happenings

    events = container_happenings(snapshot.engine.events)
    return events, tuple(traces(session, snapshot, about.ids))


def _told(
    rows: Iterable[TimelineRow],
    remembered: Iterable[Sequence[Happening]],
    about: About,
    since: datetime,
    until: datetime,
) -> list[Change]:
    """Give what is written of a time, and what else is remembered of it, each thing once."""
    written: dict[tuple[str, str, str], list[Change]] = {}
    found = [of_row(row, about) for row in rows if row.at <= until]
    for one in found:
        written.setdefault(_what(one.kind, one.subject, one.verb), []).append(one)
    for source in remembered:
        new = [one for one in source if since <= one.at <= until and not _is_written(one, written)]
        for happening in new:
            one = of_happening(happening, about)
            written.setdefault(_what(one.kind, one.subject, one.verb), []).append(one)
            found.append(one)
    return [one for one in found if one.kind not in limits().quiet and last_of(one) >= since]


def _is_written(one: Happening, written: Mapping[tuple[str, str, str], Sequence[Change]]) -> bool:
    verb = str(one.body.get("verb") or "")
    known = written.get(_what(one.kind, clean_line(one.subject, 120), verb), ())
    return any(_is_same(each, one) for each in known)


def _what(kind: str, subject: str, verb: str) -> tuple[str, str, str]:
    """Give what must agree for two to be the same; models are told of in groups."""
    return ("models", "", "") if kind == "models" else (kind, subject, verb)


def _is_same(one: Change, happening: Happening) -> bool:
    apart = _SAME if one.kind != "models" else _LOOKS_APART
    return one.at - apart <= happening.at <= last_of(one) + apart


def _any_cause(found: Iterable[Change], onset: datetime | None) -> bool:
    return any(one.near and one.changes and (onset is None or one.at <= onset) for one in found)


def _long_before(found: Iterable[Change], since: datetime) -> list[Change]:
    """Give the last changes before the time that is looked at."""
    older = [one for one in found if one.near and one.changes and last_of(one) < since]
    newest = sorted(older, key=last_of, reverse=True)[: limits().long_before_most]
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
            before, until=max(last_of(before), last_of(one)), count=before.count + one.count
        )
    return list(kept.values())


def _bounded(found: Sequence[Change]) -> tuple[list[Change], int]:
    """Give as many as are to be shown: what is near and newest before the rest."""
    order = sorted(found, key=lambda one: (one.near, one.changes, last_of(one)), reverse=True)
    most = limits().most
    return order[:most], max(0, len(order) - most)
