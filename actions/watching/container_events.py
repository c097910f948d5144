"""The engine's container events as happenings: what counts, in which words, how serious."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec

from actions.thresholds import thresholds
from console.engine.exit_codes import meaning
from console.engine.snapshot import EngineEvent
from console.packaged import read_table
from console.store.rows import Happening

# A signal or an order to stop that came so long before an end explains it.
_ASKED_WITHIN = timedelta(minutes=15)


class _Words(msgspec.Struct, frozen=True):
    """What of `assets/watching.toml` is about container events."""

    events: dict[str, str]
    quiet: frozenset[str]
    severities: dict[str, str]


@cache
def _words() -> _Words:
    return msgspec.convert(read_table("watching.toml")["containers"], _Words)


def container_happenings(
    events: Sequence[EngineEvent], new: int | None = None
) -> tuple[Happening, ...]:
    """Give what the newest events tell, the oldest first.

    Args:
        events: the newest first, as the engine's snapshot has them.
        new: how many of them are to be told; the others explain them. None is all.
    """
    count = len(events) if new is None else new
    asked: dict[str, EngineEvent] = {}
    oom: set[str] = set()
    told: list[Happening] = []
    for place, event in reversed(list(enumerate(events))):
        ident = event.container_id
        if event.action in {"kill", "stop"}:
            asked[ident] = event
        elif event.action == "oom":
            oom.add(ident)
        if place < count:
            before = asked.get(ident)
            wanted = before is not None and event.at - before.at <= _ASKED_WITHIN
            told += _told(event, asked=wanted, oom=ident in oom)
        if event.action == "start":
            asked.pop(ident, None)
            oom.discard(ident)
    return tuple(told)


def _told(event: EngineEvent, *, asked: bool, oom: bool) -> Iterator[Happening]:
    words = _words()
    if event.action in words.quiet or event.action.startswith("exec_"):
        return
    severity = words.severities.get(event.action, "info")
    text = words.events.get(event.action, event.action)
    facts: dict[str, Any] = {}
    if event.action == "die":
        severity = _severity_of_end(event.exit_code, asked=asked, oom=oom)
        facts = {"exit_code": event.exit_code, "asked": asked, "out_of_memory": oom}
        text = _end(event.exit_code, asked=asked, oom=oom)
    yield Happening(
        at=event.at,
        kind="container",
        subject=event.container_name,
        subject_id=event.container_id,
        key=f"container {event.container_id} {event.action} {event.exit_code or ''}".rstrip(),
        body={"verb": event.action, "outcome": severity, "text": text, "facts": facts},
    )


def _end(code: int | None, *, asked: bool, oom: bool) -> str:
    said = meaning(code, oom, asked)
    text = "ended" if code is None else f"ended, exit {code}"
    text += f": {said}" if said else ""
    return f"{text} (it was asked to)" if asked and "asked" not in text else text


def _severity_of_end(code: int | None, *, asked: bool, oom: bool) -> str:
    if oom:
        return "error"
    if code in {0, None} or (asked and code in thresholds().container.stop_exit_codes):
        return "info"
    return "error"
