"""Ways out of a verdict that is not resident: each tried on the actual state, none assumed.

In the order in which an operator would choose among those that lead equally far: what stops
nothing first, then what stops the least, then another card, another model, a smaller picture. To
run offloaded as it is stands last.
"""

import shlex
from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec

from actions.fit.answer import answer, rank
from actions.fit.asleep import holds_model
from actions.fit.case import Ask, Case
from actions.fit.holders import card_of, holders_on
from actions.fit.model import Fit, Task, WayOut
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from console.gpu.snapshot import Gpu
from console.models.catalog import Variant
from console.units import format_age, format_bytes
from console.unknown import known

MOST = 6
_TOGETHER = 3
_NO_WAYS_OUT_OF = frozenset({"no-card", "card-lost"})


def with_ways_out(case: Case, ask: Ask, fit: Fit) -> Fit:
    """Give a fit with its ways out; one that is resident, or not known, has none."""
    if not isinstance(fit.verdict, str) or fit.verdict == "resident":
        return fit
    found = list(_ways(case, ask, fit))
    found.sort(key=lambda way: rank(way.verdict))
    as_it_is = [_offload(case, ask, fit)] if fit.verdict == "offload" else []
    return msgspec.structs.replace(fit, ways_out=tuple(found[: MOST - len(as_it_is)] + as_it_is))


def _ways(case: Case, ask: Ask, fit: Fit) -> Iterator[WayOut]:
    if fit.code not in {"capability", *_NO_WAYS_OUT_OF} and not ask.empty:
        yield from _free(case, ask, fit)
        yield from _stop(case, ask, fit)
    yield from _cards(case, ask, fit)
    if fit.code in _NO_WAYS_OUT_OF:
        return
    yield from _variants(case, ask, fit, on_disk=True)
    if fit.code != "capability":
        yield from _smaller(case, ask, fit)
    yield from _variants(case, ask, fit, on_disk=False)


def _try(case: Case, ask: Ask, fit: Fit, **changes: object) -> Fit | None:
    """Ask again with something changed; None where that does not lead to a better verdict."""
    then = answer(case, msgspec.structs.replace(ask, **changes))
    better = isinstance(then.verdict, str) and rank(then.verdict) < rank(fit.verdict)
    return then if better else None


def _others(case: Case, ask: Ask) -> list[ServiceStatus]:
    """Give the other services that run on the card, idle ones first, then those that hold least."""
    uuid = ask.gpu_uuid if isinstance(ask.gpu_uuid, str) else ""
    there = {one.name for one in holders_on(case, ask, uuid) if one.up and one.there is not False}
    gone = ask.stopped | ask.freed | {ask.service}
    found = [one for one in case.snapshot.services if one.name in there - gone]
    return sorted(found, key=lambda one: (_busy(one), _uses(one), one.name))


def _busy(status: ServiceStatus) -> bool:
    running = status.reading is not None and status.reading.busy
    return running or status.state == "busy" or status.activity == "busy"


def _has_waiting(status: ServiceStatus) -> bool:
    """Tell whether jobs wait in its queue: it is about to work, and is not told to unload."""
    waiting = status.reading.queue_pending if status.reading is not None else 0
    return isinstance(waiting, int) and waiting > 0


def _uses(status: ServiceStatus) -> int:
    used = status.vram_used_bytes
    return used if isinstance(used, int) else 0


def _free(case: Case, ask: Ask, fit: Fit) -> Iterator[WayOut]:
    """Unload idle services' models: the fewest that lead anywhere."""
    idle = [
        one
        for one in _others(case, ask)
        if not _busy(one)
        and one.service.kind in {"forge", "comfyui"}
        and one.state in {"ready", "misplaced"}
        and holds_model(one)
        and not _has_waiting(one)
    ]
    for several, then in _fewest(case, ask, fit, idle, "freed"):
        names = " and ".join(one.name for one in several)
        model = "model" if len(several) == 1 else "models"
        it, them = ("it", "it") if len(several) == 1 else ("they", "them")
        yield WayOut(
            kind="free",
            title=f"unload the {model} of {names} ({_idle(case, several)}), which keeps {them} up",
            verdict=_word(then),
            command=_command("free", several),
            target=several[0].name,
            gains_bytes=_gain(fit, then),
            detail=f"as long as {it} stay{'s' if len(several) == 1 else ''} idle",
        )


def _stop(case: Case, ask: Ask, fit: Fit) -> Iterator[WayOut]:
    # What runs without a container of this host, nobody here can stop.
    ours = [one for one in _others(case, ask) if one.container_id]
    for several, then in _fewest(case, ask, fit, ours, "stopped"):
        names = " and ".join(one.name for one in several)
        yield WayOut(
            kind="stop",
            title=f"stop {names} first ({_idle(case, several)})",
            verdict=_word(then),
            command=_command("stop", several),
            target=several[0].name,
            gains_bytes=_gain(fit, then),
        )


def _fewest(
    case: Case, ask: Ask, fit: Fit, candidates: Sequence[ServiceStatus], what: str
) -> Iterator[tuple[tuple[ServiceStatus, ...], Fit]]:
    """Give at most two of the smallest sets that lead to resident, or one that leads to offload."""
    before: frozenset[str] = getattr(ask, what)
    halfway: tuple[tuple[ServiceStatus, ...], Fit] | None = None
    for count in range(1, min(_TOGETHER, len(candidates)) + 1):
        found = []
        for several in combinations(candidates[:8], count):
            names = frozenset(one.name for one in several)
            then = _try(case, ask, fit, **{what: before | names})
            if then is not None and then.verdict == "resident":
                found.append((several, then))
            elif then is not None and halfway is None:
                halfway = (several, then)
        if found:
            yield from found[:2]
            break
    if halfway is not None:
        yield halfway


def _cards(case: Case, ask: Ask, fit: Fit) -> Iterator[WayOut]:
    for gpu in case.snapshot.gpu.gpus:
        if gpu.uuid == ask.gpu_uuid or gpu.lost is not None:
            continue
        then = _try(case, ask, fit, gpu_uuid=gpu.uuid)
        if then is None:
            continue
        command = _run_on(case, ask, gpu.uuid)
        yield WayOut(
            kind="gpu",
            title=f"use {card_words(gpu)}",
            verdict=_word(then),
            command=command,
            target=gpu.uuid,
            gains_bytes=_gain(fit, then),
            detail="" if command else "by hand: it has no compose file to change",
        )


def _run_on(case: Case, ask: Ask, uuid: str) -> str:
    """Give the command that runs the service, or asks for the variant, on a card.

    Empty where there is none: a service is moved by its compose file.
    """
    gpus = case.snapshot.gpu.gpus
    gpu = next((one for one in gpus if one.uuid == uuid), None)
    card = shlex.quote(_card_argument(gpu, gpus) if gpu is not None else uuid)
    if ask.status is None:
        return f"gpuconsole models fit {shlex.quote(ask.variant)} --gpu {card}"
    if card_of(case, ask.status) == uuid:
        return f"gpuconsole start {shlex.quote(ask.service)}"
    if ask.status.service.compose_file is None or not ask.status.service.compose_service:
        return ""
    return f"gpuconsole move {shlex.quote(ask.service)} --gpu {card}"


def _variants(case: Case, ask: Ask, fit: Fit, *, on_disk: bool) -> Iterator[WayOut]:
    """Give the best variant of the family that leads anywhere: on disk, or still to be fetched."""
    own = case.catalog.variant(fit.variant)
    if own is None:
        return
    best: tuple[Variant, Fit] | None = None
    nearest = fit.code == "capability"
    for variant in others_like(case, own, on_disk=on_disk, nearest=nearest):
        then = _try(case, ask, fit, variant=variant.id)
        if then is not None and (best is None or rank(then.verdict) < rank(best[1].verdict)):
            best = (variant, then)
        if best is not None and best[1].verdict == "resident":
            break
    if best is not None:
        yield variant_way(case, *best, ask.service, on_disk=on_disk, before=fit)


def others_like(case: Case, own: Variant, *, on_disk: bool, nearest: bool = False) -> list[Variant]:
    """Give the other variants of a family, the best first, whose files are there, or are not.

    With `nearest` those of about the same quality come first: what a card of another generation
    wants is its own kind of the same file.
    """
    found = [
        one
        for one in case.catalog.variants
        if one.family == own.family
        and one.fused_lora == own.fused_lora
        and one.id != own.id
        and _there(case, one) == on_disk
    ]
    if nearest:
        return sorted(
            found, key=lambda one: (one.loader != own.loader, abs(one.quality - own.quality))
        )
    return sorted(found, key=lambda one: one.quality)


def variant_way(
    case: Case,
    variant: Variant,
    then: Fit,
    service: str,
    *,
    on_disk: bool,
    before: Fit | None = None,
) -> WayOut:
    """Give the way out that is to use another variant, for a service where one is named."""
    missing = [
        file
        for file in case.catalog.files_of(variant)
        if (there := case.on_disk.get(file.id)) is None or there.state != "present"
    ]
    size = sum(file.size or 0 for file in missing)
    return WayOut(
        kind="variant",
        title=f"use {variant.title}" + (f" for {service}" if service else ""),
        verdict=_word(then),
        command="" if service else f"gpuconsole models fit {variant.id}",
        target=variant.id,
        gains_bytes=_less(before.need_bytes, then.need_bytes) if before is not None else None,
        detail="on disk" if on_disk else f"to be fetched: {size / 1e9:.1f} GB",
    )


def _there(case: Case, variant: Variant) -> bool:
    """Tell whether all files of a variant are on this host."""
    return all(
        (found := case.on_disk.get(ident)) is not None and found.state == "present"
        for ident in variant.files
    )


def _smaller(case: Case, ask: Ask, fit: Fit) -> Iterator[WayOut]:
    """Give the smallest sacrifice that helps: fewer pictures, else fewer pixels."""
    if not fit.variant:
        return
    task = ask.task
    fewer = [
        Task(width=task.width, height=task.height, images=n) for n in range(task.images - 1, 0, -1)
    ]
    for smaller in (*fewer, *_shrunk(task)):
        then = _try(case, ask, fit, task=smaller)
        if then is None:
            continue
        pictures = "1 picture" if smaller.images == 1 else f"{smaller.images} pictures"
        yield WayOut(
            kind="resolution",
            title=f"edit {smaller.width}x{smaller.height} with {pictures}",
            verdict=_word(then),
            gains_bytes=_less(fit.need_bytes, then.need_bytes),
            detail=f"instead of {task.width}x{task.height} with {task.images}",
            width=smaller.width,
            height=smaller.height,
        )
        return


def _shrunk(task: Task) -> Iterator[Task]:
    """Give smaller sizes of about the same shape, in sixteens, down to a quarter of a side."""
    images = min(task.images, 1)
    for part in (0.875, 0.75, 0.625, 0.5, 0.375, 0.25):
        width, height = (
            max(256, round(side * part / 16) * 16) for side in (task.width, task.height)
        )
        if width < task.width or height < task.height:
            yield Task(width=min(width, task.width), height=min(height, task.height), images=images)


def _offload(case: Case, ask: Ask, fit: Fit) -> WayOut:
    streams = f"{format_bytes(fit.streams_bytes)} from host RAM"
    command = _run_on(case, ask, fit.gpu_uuid) if fit.service else ""
    return WayOut(
        kind="offload",
        title=f"run it offloaded, slower: {streams}",
        verdict="offload",
        command=f"{command} --yes" if command else "",
        target=fit.service or fit.variant,
    )


def _idle(case: Case, several: Sequence[ServiceStatus]) -> str:
    """Say how long services have been idle, or that they work, in a few words."""
    return ", ".join(dict.fromkeys(_one_idle(case, one) for one in several))


def _one_idle(case: Case, one: ServiceStatus) -> str:
    if _busy(one):
        return "busy"
    if "ready" not in {one.state, one.activity}:
        return one.state
    if not known(one.since):
        return "idle"
    return f"idle {format_age((case.snapshot.taken_at - one.since).total_seconds())}"


def _command(verb: str, several: Sequence[ServiceStatus]) -> str:
    return f"gpuconsole {verb} {shlex.join(one.name for one in several)}"


def _word(fit: Fit) -> str:
    return fit.verdict if isinstance(fit.verdict, str) else ""


def _gain(before: Fit, after: Fit) -> int | None:
    return _less(after.available_bytes, before.available_bytes)


def _less(more: object, less: object) -> int | None:
    return more - less if isinstance(more, int) and isinstance(less, int) else None


def _card_argument(gpu: Gpu, cards: Sequence[Gpu]) -> str:
    """Give the shortest word that names only this card: a part of its name, else its UUID."""
    if known(gpu.name):
        for part in (*gpu.name.split(), gpu.name):
            digits = any(letter.isdigit() for letter in part)
            same = [one for one in cards if known(one.name) and part.lower() in one.name.lower()]
            if digits and len(part) > 2 and same == [gpu]:
                return part
    return gpu.uuid
