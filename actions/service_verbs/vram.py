"""Seeing that the VRAM of a service that was stopped is really back, and who holds it if not."""

import msgspec

from actions.service_verbs.doing import Doing, Seen
from actions.service_verbs.words import limit
from actions.trouble import StepError
from console.gpu.snapshot import Gpu
from console.units import MIB, format_bytes
from console.unknown import Unknown

# What cards held before the stops of this process, by plan and service: a later step compares.
_BEFORE: dict[tuple[str, str], "Before"] = {}


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was held before a service was stopped or freed; bytes, None where nobody tells.

    Attributes:
        card: in use on its card, by the driver.
        held: by the service: its own figure, or the driver's for its processes.
        listed: the driver listed a process of its container, so its going will be seen too.
        others: what the other services on that card said they hold.
    """

    card: int | None
    held: int | None
    listed: bool = False
    others: dict[str, int] = {}


class Steady:
    """Tells when a figure has come to rest; a little up and down is what others do meanwhile."""

    def __init__(self) -> None:
        self._value: int | None = None
        self._since = 0.0

    def seen(self, value: int | None, at: float) -> float:
        """Take a figure and give for how many seconds it has been about the same."""
        if self._value is None or value is None or abs(value - self._value) > _jitter():
            self._value, self._since = value, at
        return at - self._since


def _jitter() -> int:
    return limit_bytes("nothing_mib")


def note_before(doing: Doing) -> Before:
    """Read what is held now, for whoever sees later how much came back."""
    uuid = doing.options.get("gpu")
    seen = doing.look()
    gpu = seen.gpu(uuid)
    held = seen.status.vram_used_bytes if seen.status else None
    before = Before(
        card=_used(gpu),
        held=held if isinstance(held, int) else doing.options.get("held"),
        listed=_ours(doing, gpu),
        others=_others(doing, seen),
    )
    _BEFORE[doing.plan.id, doing.name] = before
    return before


def wait_vram(doing: Doing) -> str:
    """Wait until what a stopped service held of its card is free again.

    Where the driver lists processes (native Linux) none of the service's may be left; elsewhere as
    much must be free again as the service said it held, or, where it did not say, the figure must
    have come to rest.

    Raises:
        StepError: it did not come back within the limit (`vram.not-back`); the hint says who holds
            it. The service is stopped.
        CancelledStepError: somebody asked to cancel.
    """
    uuid = str(doing.options["gpu"])
    key = (doing.plan.id, doing.name)
    before = _BEFORE.pop(key, None) or Before(card=None, held=doing.options.get("held"))
    steady = Steady()
    while True:
        snapshot = doing.cards()
        gpu = next((one for one in snapshot.gpus if one.uuid == uuid), None)
        at_rest = steady.seen(_used(gpu), doing.elapsed) >= limit("vram", "steady")
        if _is_back(doing, before, gpu, at_rest):
            return _result(doing, before, gpu)
        if doing.over(limit("vram", "limit")):
            return _not_back(doing, before, gpu)
        doing.tell(f"so far {_came_back(before, gpu)}")
        doing.pause(
            limit("vram", "look_every"),
            f"{doing.name} is stopped; whether its VRAM is back was not waited for",
        )


def _is_back(doing: Doing, before: Before, gpu: Gpu | None, at_rest: bool) -> bool:
    used = _used(gpu)
    if used is None:
        return False
    if before.listed:
        return not _ours(doing, gpu)
    if before.card is None or before.held is None:
        return at_rest
    return before.card - used >= before.held * limit("vram", "share_percent") / 100


def _ours(doing: Doing, gpu: Gpu | None) -> bool:
    """Tell whether the driver lists a process of the service's container on the card."""
    if gpu is None or isinstance(gpu.processes, Unknown):
        return False
    return any(one.container_id == doing.options["container"] for one in gpu.processes)


def _result(doing: Doing, before: Before, gpu: Gpu | None) -> str:
    return f"{doing.name} is stopped; {_came_back(before, gpu)}"


def _came_back(before: Before, gpu: Gpu | None) -> str:
    used = _used(gpu)
    if gpu is None or used is None:
        return f"how much VRAM came back is not known: {_why_unread(gpu)}"
    now = f"{format_bytes(used)} in use on {card_name(gpu)}"
    if before.card is None:
        return f"{now}; how much came back is not known: nobody read it before"
    back = before.card - used
    return f"{format_bytes(back)} of VRAM came back, {now}" if back > 0 else f"no VRAM back, {now}"


def _not_back(doing: Doing, before: Before, gpu: Gpu | None) -> str:
    """Say what is known at the limit; what did not come back is a failure that names a holder."""
    used = _used(gpu)
    if gpu is None or used is None or before.card is None or before.held is None:
        return _result(doing, before, gpu)
    seen = doing.look()
    grown = _grown(before, _others(doing, seen))
    share = limit("vram", "share_percent") / 100
    if grown and before.card - used + sum(grown.values()) >= before.held * share:
        return f"{_result(doing, before, gpu)}; meanwhile {_listed(grown)} more went to others"
    back = max(0, before.card - used)
    raise StepError(
        "vram.not-back",
        f"{doing.name} is stopped, but only {format_bytes(back)} of the "
        f"{format_bytes(before.held)} it held came back on {card_name(gpu)}",
        holders(doing, seen, gpu),
    )


def holders(doing: Doing, seen: Seen, gpu: Gpu) -> str:
    """Say who holds a card's VRAM now: services by their own figures, processes by the driver."""
    told = []
    if not isinstance(gpu.processes, Unknown):
        for one in gpu.processes:
            if isinstance(one.used_bytes, int):
                name = one.name if isinstance(one.name, str) else "a process"
                told.append(f"{name} (pid {one.pid}) {format_bytes(one.used_bytes)}")
    if told:
        return f"The driver says who holds it: {', '.join(told)}"
    services = _others(doing, seen)
    if not services:
        return "No service says that it holds it; nvidia-smi on Windows may name a process"
    rest = (_used(gpu) or 0) - sum(services.values())
    unclaimed = f"; {format_bytes(rest)} nobody claims" if rest > limit_bytes("nothing_mib") else ""
    return f"By their own figures {_listed(services)}{unclaimed}"


def limit_bytes(name: str) -> int:
    """Give a limit of the table's VRAM group that is in MiB as bytes."""
    return int(limit("vram", name) * MIB)


def card_name(gpu: Gpu) -> str:
    """Give a card's name for people."""
    return gpu.uuid if isinstance(gpu.name, Unknown) else gpu.name


def _used(gpu: Gpu | None) -> int | None:
    if gpu is None or gpu.lost is not None or isinstance(gpu.memory_used_bytes, Unknown):
        return None
    return gpu.memory_used_bytes


def _why_unread(gpu: Gpu | None) -> str:
    if gpu is not None and isinstance(gpu.memory_used_bytes, Unknown):
        return gpu.memory_used_bytes.title
    return "its card cannot be read"


def _others(doing: Doing, seen: Seen) -> dict[str, int]:
    """Give what the other services on the card say they hold."""
    uuid = doing.options.get("gpu")
    return {
        one.name: one.vram_used_bytes
        for one in seen.snapshot.services
        if one.name != doing.name
        and one.gpu_uuid == uuid
        and isinstance(one.vram_used_bytes, int)
        and one.vram_used_bytes
    }


def _grown(before: Before, now: dict[str, int]) -> dict[str, int]:
    changed = {name: held - before.others.get(name, 0) for name, held in now.items()}
    return {name: more for name, more in changed.items() if more > 0}


def _listed(amounts: dict[str, int]) -> str:
    return ", ".join(f"{name} {format_bytes(held)}" for name, held in amounts.items())
