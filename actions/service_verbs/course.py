"""The order in which services stop, change cards and start on the way to another arrangement.

Plain arithmetic over names and cards: a switch, its way back after a failure, going on with it
after a killed runner and taking it back are all the way from one arrangement to another.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from console.units import format_bytes


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is arranged.

    Attributes:
        running: whether its container runs.
        gpu_uuid: the card that its settings lead to; None where it needs none or nobody can say.
    """

    running: bool
    gpu_uuid: str | None = None


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the way.

    Attributes:
        kind: `stop`, `free` (it unloads its model), `place` (its settings name another card) or
            `start`.
        gpu_uuid: the card it leaves, gets or starts on.
        anew: the container has to be made again, because its settings have changed.
    """

    kind: str
    service: str
    gpu_uuid: str | None = None
    anew: bool = False


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a service takes of its card, in bytes; None is not known.

    Attributes:
        holds: now, while it runs.
        takes: when it works.
        rests: while it runs without a model.
    """

    holds: int | None = None
    takes: int | None = None
    rests: int = 0


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """What one card holds on the way, in bytes.

    Attributes:
        now_bytes: before anything.
        peak_bytes: the most on the way: what goes on holds what it holds, what was started works.
        after_bytes: in the end, when everything on it works.
        at_leg: number of the leg after which the peak is reached, from 1; 0 is before anything.
        at_least: something on it takes an amount that nobody knows, counted as nothing.
    """

    gpu_uuid: str
    now_bytes: int
    peak_bytes: int
    after_bytes: int
    at_leg: int
    at_least: bool = False


Arrangement = Mapping[str, Place]


def course(now: Arrangement, goal: Arrangement, free: Collection[str] = ()) -> tuple[Leg, ...]:
    """Give the legs that lead from one arrangement to another.

    What is alike in both stays untouched. What leaves stops first, and what has to unload its model
    does so. What changes cards follows, one
    service at a time where its new card is free of others that still have to leave it, so that each
    is away no longer than it must; where they wait for each other, all of them stop first. Then
    starts what did not run, in the order of `goal`. So no card ever holds more than the more of
    what it held before and what it holds in the end.

    Args:
        now: how each service is; one that is not in it does not run.
        goal: how each service shall be; those not named in it are left alone.
        free: services that go on as they are, but have to unload their model.
    """
    before = {name: now.get(name, Place(running=False)) for name in goal}
    legs: list[Leg] = []
    for name, place in goal.items():
        if before[name].running and not place.running:
            legs.append(_leg("stop", name, before[name]))
            if _moves(before[name], place):
                legs.append(_placing(name, place))
    legs += [_leg("free", name, before[name]) for name in goal if name in free]
    legs += _moving(before, goal)
    for name, place in goal.items():
        if before[name].running:
            continue
        anew = _moves(before[name], place)
        if anew:
            legs.append(_placing(name, place))
        if place.running:
            legs.append(_leg("start", name, _settled(before[name], place), anew=anew))
    return tuple(legs)


def after(now: Arrangement, legs: Sequence[Leg]) -> dict[str, Place]:
    """Give how services are once some legs are done."""
    world = dict(now)
    for leg in legs:
        place = world.get(leg.service, Place(running=False))
        if leg.kind == "place":
            world[leg.service] = msgspec.structs.replace(place, gpu_uuid=leg.gpu_uuid)
        elif leg.kind != "free":
            world[leg.service] = msgspec.structs.replace(place, running=leg.kind == "start")
    return world


def peaks(
    now: Arrangement, legs: Sequence[Leg], loads: Mapping[str, Load], others: Mapping[str, int]
) -> tuple[Peak, ...]:
    """Give what each card holds on the way.

    Args:
        now: how every service on these cards is, those that are left alone too.
        legs: the way.
        loads: by service.
        others: by card: bytes that no service holds; names the cards that are wanted.
    """
    return tuple(_peak(uuid, base, now, legs, loads) for uuid, base in others.items())


def peak_text(peak: Peak, name: str, total: int | None, legs: Sequence[Leg]) -> str:
    """Say a card's peak in one sentence."""
    most = f"{'at least' if peak.at_least else 'at most'} {format_bytes(peak.peak_bytes)}"
    if peak.at_leg:
        leg = legs[peak.at_leg - 1]
        most += f" on the way (after {leg.kind} {leg.service})"
    else:
        most += " on the way (as it is now)"
    of = "" if total is None else f" of {format_bytes(total)}"
    return (
        f"{name}: {format_bytes(peak.now_bytes)} held now, {most}, "
        f"{format_bytes(peak.after_bytes)}{of} when all of them work"
    )


def _moves(before: Place, place: Place) -> bool:
    return place.gpu_uuid is not None and place.gpu_uuid != before.gpu_uuid


def _settled(before: Place, place: Place) -> Place:
    """Give the card that a service is on in the end: the goal's, where that says one."""
    return place if place.gpu_uuid is not None else before


def _leg(kind: str, name: str, place: Place, *, anew: bool = False) -> Leg:
    return Leg(kind=kind, service=name, gpu_uuid=place.gpu_uuid, anew=anew)


def _placing(name: str, place: Place) -> Leg:
    return _leg("place", name, place, anew=True)


def _moving(before: Arrangement, goal: Arrangement) -> Iterator[Leg]:
    """Give the legs of those that run before and after, on another card."""
    waiting = [
        name
        for name, place in goal.items()
        if before[name].running and place.running and _moves(before[name], place)
    ]
    while waiting:
        free = next((one for one in waiting if not _blocked(one, waiting, before, goal)), None)
        going = waiting if free is None else [free]
        yield from (_leg("stop", name, before[name]) for name in going)
        for name in going:
            yield _placing(name, goal[name])
            yield _leg("start", name, goal[name], anew=True)
        waiting = [name for name in waiting if name not in going]


def _blocked(name: str, waiting: Sequence[str], before: Arrangement, goal: Arrangement) -> bool:
    """Tell whether another one that moves is still on the card that this one moves to."""
    return any(other != name and before[other].gpu_uuid == goal[name].gpu_uuid for other in waiting)


def _peak(
    uuid: str, base: int, now: Arrangement, legs: Sequence[Leg], loads: Mapping[str, Load]
) -> Peak:
    amounts = {name: loads.get(name, Load()).holds for name in now}
    held, unknown = _held(uuid, now, amounts)
    first = most = base + held
    at_leg = 0
    for number, leg in enumerate(legs, start=1):
        load = loads.get(leg.service, Load())
        if leg.kind == "free":
            amounts[leg.service] = load.rests
        elif leg.kind == "start":
            amounts[leg.service] = _working(load)
        held, more = _held(uuid, after(now, legs[:number]), amounts)
        unknown = unknown or more
        if base + held > most:
            most, at_leg = base + held, number
    world = after(now, legs)
    working = {name: _working(loads.get(name, Load())) for name in world}
    # One that goes on as it is keeps what it holds, even where it should need less.
    for name in world:
        if name in amounts and working[name] is not None:
            working[name] = max(working[name] or 0, amounts[name] or 0)
    held, more = _held(uuid, world, working)
    return Peak(
        gpu_uuid=uuid,
        now_bytes=first,
        peak_bytes=most,
        after_bytes=base + held,
        at_leg=at_leg,
        at_least=unknown or more,
    )


def _working(load: Load) -> int | None:
    """Give what a service takes when it works; what it holds now stands in where nobody knows."""
    return load.holds if load.takes is None else load.takes


def _held(uuid: str, world: Arrangement, amounts: Mapping[str, int | None]) -> tuple[int, bool]:
    """Give what services hold of a card, and whether one of them holds nobody knows how much."""
    here = [
        amounts.get(name)
        for name, place in world.items()
        if place.running and place.gpu_uuid == uuid
    ]
    return sum(amount or 0 for amount in here), None in here
