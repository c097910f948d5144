"""Targets and doors for these tests."""

from console.clock import Clock, SystemClock
from console.services.door import Door, open_door
from console.services.reading import Reading, Target

STARTED = "2026-11-27T02:00:00.123456789Z"


def target(kind: str, url: str, **fields: object) -> Target:
    return Target(name=f"a-{kind}", kind=kind, url=url, **fields)  # type: ignore[arg-type]


def door(
    kind: str, url: str, clock: Clock | None = None, patience: float = 2.0, **fields: object
) -> Door:
    environ = {"FORGE_TOKEN": "tok-91-secret"}
    return open_door(target(kind, url, **fields), environ, clock or SystemClock(), patience)


def look(kind: str, url: str, patience: float = 2.0, **fields: object) -> Reading:
    with door(kind, url, None, patience, **fields) as opened:
        return opened.look()
