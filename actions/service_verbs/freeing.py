"""Getting VRAM back from an idle service without stopping it."""

from actions.service_verbs.doing import Doing
from actions.service_verbs.jobs import busy, work_of
from actions.service_verbs.vram import Before, Steady, card_name, limit_bytes, note_before
from actions.service_verbs.words import limit
from actions.trouble import StepError
from console.units import format_bytes


def free(doing: Doing) -> str:
    """Tell the service to unload its models and see how much comes back.

    Raises:
        StepError: it has begun with a job meanwhile (`free.busy`), or kept what it held
            (`vram.not-freed`).
        ServiceFault: the service did not take the order.
        CancelledStepError: somebody asked to cancel while it was waited for.
    """
    status = doing.look().status
    if status is None or not status.up:
        raise StepError("free.not-running", f"{doing.name} does not run any more")
    if busy(status):
        raise StepError(
            "free.busy",
            f"{doing.name} has begun with {work_of(status)}: its model is in use",
            "Nothing was freed; ask again when it is idle",
        )
    before = note_before(doing)
    with doing.door(status) as door:
        door.free()
    doing.tell(f"told {doing.name} to unload its models")
    return _see(doing, before)


def _see(doing: Doing, before: Before) -> str:
    """Wait until its figure has come to rest and say how much came back.

    Its own figure goes first: others on the card may take and give meanwhile.
    """
    steady = Steady()
    most_own: int | None = None
    most_card: int | None = None
    while True:
        seen = doing.look()
        held = seen.status.vram_used_bytes if seen.status else None
        own = held if isinstance(held, int) else None
        gpu = seen.gpu(doing.options.get("gpu"))
        used = gpu.memory_used_bytes if gpu and isinstance(gpu.memory_used_bytes, int) else None
        most_own = _most(most_own, before.held, own)
        most_card = _most(most_card, before.card, used)
        rest = steady.seen(used if own is None else own, doing.elapsed)
        told = _told(most_own, most_card, card_name(gpu) if gpu else "its card")
        came = (most_card if most_own is None else most_own) or 0
        if came > limit_bytes("nothing_mib") and rest >= limit("vram", "steady"):
            return f"{doing.name} runs on; {told}"
        if doing.over(limit("vram", "free_limit")):
            return _at_the_limit(
                doing, came, told, known=most_own is not None or most_card is not None
            )
        doing.tell(told)
        doing.pause(
            limit("vram", "look_every"),
            f"{doing.name} was told to unload its models; how much came back was not waited for",
        )


def _at_the_limit(doing: Doing, came: int, told: str, *, known: bool) -> str:
    """Say what came of it; that nothing came back is a failure, that nobody tells is not."""
    if came > limit_bytes("nothing_mib") or not known:
        return f"{doing.name} runs on; {told}"
    raise StepError(
        "vram.not-freed",
        f"{doing.name} was told to unload its models and kept what it held: {told}",
        f"It runs on. gpuconsole restart {doing.name} frees it for certain",
    )


def _most(most: int | None, before: int | None, now: int | None) -> int | None:
    """Give the most that came back so far: a job that begins takes some of it again."""
    back = _back(before, now)
    return most if back is None else max(most or 0, back)


def _back(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else max(0, before - now)


def _told(own: int | None, card: int | None, where: str) -> str:
    parts = []
    if own is not None:
        parts.append(f"{format_bytes(own)} by its own figure")
    if card is not None:
        parts.append(f"{format_bytes(card)} on {where} by the driver")
    if not parts:
        return "how much VRAM came back nobody tells"
    return f"VRAM that came back: {', '.join(parts)}"
