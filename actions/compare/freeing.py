"""Having a service unload its model, so that the next edit runs cold."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from actions.compare.words import table, trouble
from actions.session import Session
from console.errors import ConsoleError
from console.services.door import Door, open_door
from console.services.reading import Reading, Target
from console.units import MIB, format_bytes, format_duration
from console.unknown import known


class Free(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited; seconds, see the packaged table."""

    limit: float
    steady: float
    look_every: float
    nothing_mib: int
    back_limit: float


class Waiting(NamedTuple):
    """Who waits.

    Attributes:
        tell: says in words how it goes.
        rest: waits that many seconds; raises where somebody wishes to end.
    """

    tell: Callable[[str], None]
    rest: Callable[[float], None]


def unload(session: Session, target: Target, waiting: Waiting) -> str:
    """Have a service unload its model, and wait until it has.

    Orders are carried out between two edits, so an edit that is sent at once could come before: the
    wait is part of it.

    Returns:
        Why it is not sure that the model is gone; empty where it is.

    Raises:
        ConsoleError: the service does not answer, and did not come back; or whatever `rest` raises.
    """
    rules = msgspec.convert(table()["free"], Free)
    await_ready(session, target, waiting)
    with open_door(target, session.environ, session.clock) as door:
        before = _held(door.look())
        door.free()
        waiting.tell(f"{target.name} was told to unload its model")
        return _see(session, door, rules, before, waiting)


def await_ready(session: Session, target: Target, waiting: Waiting) -> None:
    """Wait for a service that is away: it may have crashed at the edit before.

    Raises:
        ConsoleError: it did not come back (`compare.service-away`); or whatever `rest` raises.
    """
    rules = msgspec.convert(table()["free"], Free)
    until = session.clock.monotonic() + rules.back_limit
    while True:
        with open_door(target, session.environ, session.clock) as door:
            reading = door.look()
        if reading.answer == "ready":
            return
        if session.clock.monotonic() >= until:
            raise _away(target, rules, reading)
        waiting.tell(f"waits for {target.name}: {reading.detail or reading.answer}")
        waiting.rest(rules.look_every * 4)


def _see(session: Session, door: Door, rules: Free, before: int | None, waiting: Waiting) -> str:
    """Wait until the service's own figure says that nothing is loaded, or comes to rest."""
    nothing = rules.nothing_mib * MIB
    begun = rested = session.clock.monotonic()
    last: int | None = before
    while True:
        held, now = _held(door.look()), session.clock.monotonic()
        if held is not None and held <= nothing:
            return ""
        if held != last:
            last, rested = held, now
        came = before is not None and held is not None and before - held > nothing
        if now - rested >= rules.steady and (came or held is None or before is None):
            return "" if came else "the service does not tell what it holds"
        if now - begun >= rules.limit:
            return f"the service still held {format_bytes(held or 0)}"
        waiting.rest(rules.look_every)


def _held(reading: Reading) -> int | None:
    return reading.vram_own_bytes if known(reading.vram_own_bytes) else None


def _away(target: Target, rules: Free, reading: Reading) -> ConsoleError:
    problem = reading.problem
    told = trouble(
        "compare.service-away",
        problem.title if problem is not None else reading.detail,
        service=target.name,
        waited=format_duration(rules.back_limit),
    )
    return ConsoleError(told.code, told.title, told.hint, told.detail)
