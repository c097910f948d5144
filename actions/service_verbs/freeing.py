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
    """Wait until its figures have come to rest and say how much came back."""
    own_rests, card_rests = Steady(), Steady()
    while True:
        seen = doing.look()
        status = seen.status
        held = status.vram_used_bytes if status else None
        own = held if isinstance(held, int) else None
        gpu = seen.gpu(doing.options.get("gpu"))
        used = gpu.memory_used_bytes if gpu and isinstance(gpu.memory_used_bytes, int) else None
        at = doing.elapsed
        rest = min(own_rests.seen(own, at), card_rests.seen(used, at))
        own_back = _back(before.held, own)
        card_back = _back(before.card, used)
        came = max(own_back or 0, card_back or 0) > limit_bytes("nothing_mib")
        where = card_name(gpu) if gpu else "its card"
        told = _told(own_back, card_back, where)
        if came and rest >= limit("vram", "steady"):
            return f"{doing.name} runs on; {told}"
        if doing.over(limit("vram", "free_limit")):
            if own_back is None and card_back is None:
                return f"{doing.name} runs on; {told}"
            raise StepError(
                "vram.not-freed",
                f"{doing.name} was told to unload its models and kept what it held: {told}",
                f"It runs on. gpuconsole restart {doing.name} frees it for certain",
            )
        doing.tell(told)
        doing.pause(
            limit("vram", "look_every"),
            f"{doing.name} was told to unload its models; how much came back was not waited for",
        )


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
