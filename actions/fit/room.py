"""What a card has: now, on an empty host, after what-ifs; each figure a line with its source."""

from collections.abc import Sequence

import msgspec

from actions.fit.arithmetic import PROCESS_RAM, SYSTEM_RAM, Ram, Room
from actions.fit.case import Ask, Case
from actions.fit.holders import Holder, holders_on
from actions.fit.model import Term
from console.gpu.snapshot import Gpu
from console.unknown import Unknown, known

NO_CARDS = Unknown("gpu.not-read", "the driver tells no cards")


class _Sum:
    """What is available, as lines that add up, with how much more it may be."""

    def __init__(self, used: int) -> None:
        self.used = used
        self.terms: list[Term] = []
        self.notes: list[str] = []
        self.maybe = 0
        self.doubts: list[str] = []

    def add(self, name: str, title: str, size: int, source: str) -> None:
        """Add a line; one of nothing is left out."""
        if size:
            self.terms.append(Term(name=name, title=title, bytes=size, source=source))

    def back(self, title: str, size: int) -> None:
        """Add what comes back; no more than the driver says is in use."""
        size = min(size, self.used)
        self.used -= size
        self.add("back", title, size, "computed")

    def doubt(self, size: int, why: str) -> None:
        """Note that there may be more than the lines say."""
        if size > 0:
            self.maybe += size
            self.doubts.append(why)

    def available(self) -> tuple[int, int]:
        """Add up, and give the most it may be; what is promised twice over is a line of its own."""
        whole = sum(term.bytes for term in self.terms)
        if whole < 0:
            self.add("overcommitted", "promised beyond what there is", -whole, "computed")
        return max(0, whole), max(0, whole + self.maybe)


def room_on(case: Case, ask: Ask) -> Room:
    """Give what the asked card has for the asked service."""
    cards = case.snapshot.gpu.gpus
    if isinstance(ask.gpu_uuid, Unknown):
        return _nowhere(case, ask.gpu_uuid)
    gpu = next((one for one in cards if one.uuid == ask.gpu_uuid), None)
    if gpu is None:
        why = Unknown("gpu.not-here", f"no card here is {ask.gpu_uuid}") if cards else NO_CARDS
        return _nowhere(case, why, ask.gpu_uuid)
    room = Room(
        gpu_uuid=gpu.uuid,
        gpu_name=gpu.name if known(gpu.name) else "",
        available=0,
        card_bytes=gpu.memory_total_bytes,
        capability=gpu.compute_capability,
    )
    if gpu.lost is not None:
        return _changed(
            room,
            available=gpu.lost,
            blocked=Unknown("gpu.lost", f"the card does not answer: {gpu.lost.title}"),
            blocked_code="card-lost",
        )
    holders = holders_on(case, ask, gpu.uuid)
    figures = _empty(gpu, holders) if ask.empty else _now(gpu)
    if isinstance(figures, Unknown):
        return _changed(room, available=figures)
    if case.snapshot.gpus_stale:
        figures.notes.append("the card's figures are old: the driver is late")
    _count(figures, ask, holders, frozenset() if ask.empty else case.put_to_sleep)
    available, at_best = figures.available()
    return _changed(
        room,
        available=available,
        at_best=at_best,
        doubt=Unknown("vram.doubtful", "; ".join(figures.doubts)) if figures.doubts else None,
        terms=tuple(figures.terms),
        notes=tuple(figures.notes),
    )


def ram_for(case: Case, ask: Ask) -> Ram:
    """Give the host RAM for streaming: what is free now, or all of it on an empty host."""
    host = case.snapshot.host
    if isinstance(host, Unknown):
        return Ram(available=host, process=PROCESS_RAM, total=host, what="free")
    whole = host.memory_total_bytes
    if ask.empty:
        return Ram(available=whole, process=SYSTEM_RAM, total=whole, what="in all")
    free = host.memory_available_bytes
    if known(free):
        free += sum(
            status.reading.ram_own_bytes
            for status in case.snapshot.services
            if (status.name == ask.service or status.name in ask.stopped)
            and status.up
            and status.reading is not None
            and isinstance(status.reading.ram_own_bytes, int)
        )
        if isinstance(whole, int):
            free = min(free, whole)
    return Ram(available=free, process=PROCESS_RAM, total=whole, what="free")


def _nowhere(case: Case, why: Unknown, uuid: str = "") -> Room:
    """Give the room on a card that is not there, or cannot be told."""
    problem = case.snapshot.gpu.problem
    missing = why.code == "gpu.not-here" and bool(case.snapshot.gpu.gpus)
    return Room(
        gpu_uuid=uuid,
        available=problem if why is NO_CARDS and problem is not None else why,
        blocked=why if missing else None,
        blocked_code="no-card" if missing else "",
    )


def _now(gpu: Gpu) -> _Sum | Unknown:
    free = gpu.memory_free_bytes
    if isinstance(free, Unknown):
        return free
    used = gpu.memory_used_bytes
    figures = _Sum(max(0, used) if known(used) else 0)
    figures.add("free", "free now", max(0, free), "driver")
    return figures


def _empty(gpu: Gpu, holders: Sequence[Holder]) -> _Sum | Unknown:
    """Give the whole card less what the driver keeps and what no service holds."""
    whole, used, free = gpu.memory_total_bytes, gpu.memory_used_bytes, gpu.memory_free_bytes
    for value in (whole, used, free):
        if isinstance(value, Unknown):
            return value
    if not (known(whole) and known(used) and known(free)):
        return NO_CARDS
    figures = _Sum(0)
    figures.add("total", "the whole card", whole, "driver")
    figures.add("driver", "kept by the driver", -max(0, whole - used - free), "driver")
    return _less_foreign(figures, used, holders)


def _less_foreign(figures: _Sum, used: int, holders: Sequence[Holder]) -> _Sum:
    running = [one for one in holders if one.sits]
    rest = used - sum(one.held for one in running if isinstance(one.held, int))
    unclear = [one for one in running if isinstance(one.held, Unknown)]
    for one in unclear:
        rest -= one.budget if isinstance(one.budget, int) else rest
    if unclear:
        names = ", ".join(one.name for one in unclear)
        figures.notes.append(f"how much {names} holds is not known: taken to be its budget")
    title = "held by no service (desktop, other programs)"
    figures.add("other", title, -max(0, rest), "assumed" if unclear else "computed")
    return figures


def _count(
    figures: _Sum, ask: Ask, holders: Sequence[Holder], put_to_sleep: frozenset[str]
) -> None:
    """Count what services hold, give back and will take."""
    for one in holders:
        if one.name == ask.service or one.name in ask.stopped:
            if not ask.empty and one.up:
                _give_back(figures, one, stays=False)
        elif one.name in ask.freed:
            if not ask.empty and one.up:
                _give_back(figures, one, stays=True)
        elif one.name in put_to_sleep and one.up:
            figures.notes.append(
                f"{one.name} gave its VRAM back when told to, and is not counted: when it works "
                "again, the two may not fit together"
            )
        elif ask.empty:
            if one.name in ask.started:
                _will_take(figures, one, 0)
        else:
            _will_take(figures, one, one.held if one.up else 0)


def _give_back(figures: _Sum, one: Holder, stays: bool) -> None:
    """Count what comes back when a service stops, or (where it stays) unloads its model."""
    size = one.used if stays else one.held
    if isinstance(size, Unknown):
        figures.notes.append(
            f"how much {one.name} holds is not known: what comes back is not counted"
        )
    elif one.sits:
        verb = "unloads" if stays else "stops"
        figures.back(f"back when {one.name} {verb}", size)


def _will_take(figures: _Sum, one: Holder, held: int | Unknown) -> None:
    """Count what another service will still take when it works."""
    if one.there is False:
        return
    if isinstance(one.budget, Unknown):
        figures.notes.append(f"how much {one.name} may still take is not known: not counted")
        return
    growth = max(0, one.budget - held) if isinstance(held, int) else one.budget
    title = f"{one.name} will still take" if one.up else f"{one.name} will take"
    figures.add("growth", title, -growth, "computed")
    if one.there is None:
        figures.doubt(growth, f"whether {one.name} sits on this card cannot be told")
    elif isinstance(held, Unknown):
        figures.doubt(growth, f"how much of its budget {one.name} holds already is not known")


def _changed(room: Room, **changes: object) -> Room:
    return msgspec.structs.replace(room, **changes)
