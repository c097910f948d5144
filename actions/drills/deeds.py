"""What an operator did since a moment: plans, docker's own commands, files that were written."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

import msgspec

from actions.session import Session
from actions.timeline import TimelineEntry, read_timeline
from console.engine.snapshot import EngineEvent
from console.errors import ConsoleError
from console.text import clean_line

CONSOLE, DOCKER, FILES = "gpuconsole", "docker", "files"

_MOST = 500
_LOOKS_BACK = timedelta(hours=6)
_SLACK = timedelta(seconds=2)
_TOGETHER = timedelta(seconds=12)
_FILE_KINDS = ("config", "models")
_STAYS = {
    "create": "created", "destroy": "removed", "pause": "paused", "unpause": "let go on",
    "rename": "renamed", "update": "given other limits", "restart": "restarted",
    "stop": "stopped", "kill": "killed", "start": "started",
}  # fmt: skip
# A restart is told by the engine as all of these; a stop and a removal begin with a signal.
_PART_OF = {
    "restart": {"kill", "stop", "start"},
    "stop": {"kill"},
    "destroy": {"kill", "stop"},
}


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an operator did.

    Attributes:
        at: when.
        seconds: since the clock was started.
        by: `gpuconsole`, `docker` (anything else that spoke to the engine) or `files`.
        what: a verb, such as `restart`, or what was done in words.
        outcome: of a plan, as on the timeline; else empty.
        text: more, such as a plan's result in words.
        command: what would do the same on the command line; may be empty.
    """

    at: datetime
    seconds: float
    by: str
    what: str
    target: str
    outcome: str = ""
    text: str = ""
    command: str = ""


def read_deeds(session: Session, since: datetime) -> tuple[Deed, ...]:
    """Give what was done since a moment, the oldest first; never raises.

    What only looked at something left no trace, and is not told. Where the engine cannot be asked,
    only what its timeline and the journal know is.

    Args:
        session: whose journal and engine are asked.
        since: when the clock was started.
    """
    entries = read_timeline(session, _MOST, since, plans=_MOST)
    plans = [one for one in entries if one.plan_id is not None and one.at >= since - _SLACK]
    spans = [(one.at - _SLACK, _end(one) + _SLACK, one) for one in plans]
    files = [
        one
        for one in entries
        if one.kind in _FILE_KINDS
        and one.at >= since
        and one.verb not in {"remade", "changed"}
        and not any(begin <= one.at <= end for begin, end, _ in spans)
    ]
    events = _events(session, since - _LOOKS_BACK)
    names = {one.container_name for one in events}
    by_hand = [
        one
        for one in _by_hand(events)
        if one.at >= since
        and not any(
            begin <= one.at <= end and _is_of(plan, one, names) for begin, end, plan in spans
        )
    ]
    found = chain(
        (_of_entry(one, since, CONSOLE) for one in plans),
        (_of_entry(one, since, FILES) for one in files),
        _of_events(by_hand, since),
    )
    return tuple(sorted(found, key=lambda one: one.at))


def _end(plan: TimelineEntry) -> datetime:
    return plan.at + timedelta(seconds=plan.duration_seconds or 0.0)


def _is_of(plan: TimelineEntry, event: EngineEvent, names: set[str]) -> bool:
    """Tell whether an event within a plan's time is the plan's doing."""
    return not plan.endless and (plan.target == event.container_name or plan.target not in names)


def _of_entry(one: TimelineEntry, since: datetime, by: str) -> Deed:
    return Deed(
        at=one.at,
        seconds=_after(since, one.at),
        by=by,
        what=one.verb,
        target=one.target,
        outcome=one.outcome if by == CONSOLE else "",
        text=one.text,
        command=one.command,
    )


def _events(session: Session, since: datetime) -> tuple[EngineEvent, ...]:
    """Give what the engine remembers, the oldest first; nothing where it cannot be asked."""
    from console.engine.client import EngineClient
    from console.engine.parse import event

    try:
        with EngineClient(session.endpoint) as client:
            now = session.clock.now().timestamp()
            with client.events(since.timestamp(), now) as stream:
                told = [event(one) for one in stream.events()]
    except ConsoleError:
        return ()
    return tuple(one for _, one in sorted(filter(None, told), key=lambda pair: pair[0]))


def _by_hand(events: Iterable[EngineEvent]) -> Iterator[EngineEvent]:
    """Leave out what happened by itself: ends, health checks, starts by a restart policy."""
    ended_alone: set[str] = set()
    asked: set[str] = set()
    for one in events:
        ident = one.container_id
        if one.action in {"kill", "stop"}:
            asked.add(ident)
        elif one.action == "die" and ident not in asked:
            ended_alone.add(ident)
        elif one.action == "start":
            alone = ident in ended_alone
            ended_alone.discard(ident)
            asked.discard(ident)
            if alone:
                continue
        if one.action in _STAYS:
            yield one


def _of_events(events: Iterable[EngineEvent], since: datetime) -> Iterator[Deed]:
    """Give what was done to each container as one deed where it was done in one go."""
    groups: dict[str, list[list[EngineEvent]]] = {}
    for one in events:
        several = groups.setdefault(one.container_name, [])
        if not several or one.at - several[-1][-1].at > _TOGETHER:
            several.append([])
        several[-1].append(one)
    for name, several in groups.items():
        for group in several:
            actions = dict.fromkeys(one.action for one in group)
            parts: set[str] = set().union(*(_PART_OF.get(one, set()) for one in actions))
            said = [_STAYS[one] for one in actions if one not in parts]
            yield Deed(
                at=group[0].at,
                seconds=_after(since, group[0].at),
                by=DOCKER,
                what=", ".join(said),
                target=clean_line(name, 100),
            )


def _after(since: datetime, at: datetime) -> float:
    return round(max((at - since).total_seconds(), 0.0), 1)
