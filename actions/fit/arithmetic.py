"""The arithmetic of the pre-check: terms of a need, and what follows from need and room.

Pure functions over bytes. The formula follows how ComfyUI itself decides (its model_management:
weights beside what inference needs, and a reserve) and agrees with measured peaks within 5 %.
"""

import math

import msgspec

from actions.fit.demand import Demand
from actions.fit.model import Fit, Task, Term
from console.models.catalog import parse_capability
from console.units import MIB, format_bytes
from console.unknown import Unknown, known

CONTEXT = 450 * MIB
"""What CUDA takes for a process; 300 to 600 MiB are seen."""

ACTIVATIONS_AT_LEAST = int(0.8 * 1024) * MIB
"""ComfyUI's minimum for inference."""

_PER_LATENT_PIXEL = 0.036 * MIB  # bf16 x 0.01 MiB x QwenImage's memory_usage_factor of 1.8
_PICTURE = 128 * 128  # latent pixels of a reference picture: the Plus node makes each 1 megapixel
STREAM_BUFFER = 300 * MIB
"""What ComfyUI keeps on the card to stream weights through."""

PROCESS_RAM = 3_000_000_000
"""Host RAM of ComfyUI's process beside models."""

SYSTEM_RAM = 6_000_000_000
"""The same with the operating system, against all of the host's RAM."""

ENCODER_WORK = 600 * MIB
VAE_PER_MEGAPIXEL = 4_400 * MIB


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What a card has for one demand; sizes in bytes.

    Attributes:
        available: at least that much; Unknown where the driver does not tell.
        at_best: more than `available` where something is in doubt, else the same.
        doubt: what is in doubt; None where nothing is.
        terms: of `available`; they add up to it.
        notes: what was not counted, and why.
        card_bytes: the whole card.
        capability: its compute capability.
        blocked: why nothing can run there: no such card, a lost one; None otherwise.
        blocked_code: `no-card` or `card-lost`.
    """

    gpu_uuid: str
    gpu_name: str = ""
    available: int | Unknown
    at_best: int | Unknown = 0
    doubt: Unknown | None = None
    terms: tuple[Term, ...] = ()
    notes: tuple[str, ...] = ()
    card_bytes: int | Unknown = 0
    capability: str | Unknown = ""
    blocked: Unknown | None = None
    blocked_code: str = ""


class Ram(msgspec.Struct, frozen=True, kw_only=True):
    """Host RAM for weights that stream.

    Attributes:
        available: bytes; Unknown where the host does not tell.
        process: bytes that are needed beside models.
        total: of the host.
        what: `free` or `in all`.
    """

    available: int | Unknown
    process: int
    total: int | Unknown
    what: str


def activations(task: Task) -> int:
    """Give the bytes that sampling takes beside the weights."""
    latent = math.ceil(task.width / 8) * math.ceil(task.height / 8)
    return max(
        ACTIVATIONS_AT_LEAST,
        math.ceil(_PER_LATENT_PIXEL * (latent + task.images * _PICTURE)),
    )


def need_terms(demand: Demand, task: Task, reserve: Term) -> tuple[Term, ...] | Unknown:
    """Give every line of the need, the reserve last."""
    if isinstance(demand.base, Unknown):
        return demand.base
    if demand.plain:
        return (demand.base, reserve)
    pictures = "1 picture" if task.images == 1 else f"{task.images} pictures"
    return (
        demand.base,
        *demand.extras,
        Term(
            name="activations",
            title=f"activations ({task.width}x{task.height}, {pictures})",
            bytes=activations(task),
            source="computed",
        ),
        Term(name="context", title="CUDA context", bytes=CONTEXT, source="assumed"),
        reserve,
    )


def total(terms: tuple[Term, ...]) -> int:
    """Add terms up."""
    return sum(term.bytes for term in terms)


def judge(
    demand: Demand, room: Room, ram: Ram, task: Task, reserve: Term, service: str = ""
) -> Fit:
    """Give the verdict of a demand on a card, with its arithmetic; ways out are found elsewhere."""
    terms = need_terms(demand, task, reserve)
    need = terms if isinstance(terms, Unknown) else total(terms)
    fit = Fit(
        variant=demand.variant,
        service=service,
        gpu_uuid=room.gpu_uuid,
        gpu_name=room.gpu_name,
        task=task,
        verdict="refused",
        need_bytes=need,
        expected_use_bytes=need if isinstance(need, Unknown) else need - reserve.bytes,
        available_bytes=room.available,
        terms=() if isinstance(terms, Unknown) else terms,
        room=room.terms,
        notes=(*demand.notes, *room.notes),
    )
    return (
        _blocked(fit, room)
        or _incapable(fit, demand, room)
        or _undecided(fit, room)
        or _decided(fit, demand, room, ram)
    )


def _with(fit: Fit, **changes: object) -> Fit:
    return msgspec.structs.replace(fit, **changes)


def _blocked(fit: Fit, room: Room) -> Fit | None:
    if room.blocked is None:
        return None
    return _with(fit, code=room.blocked_code, reason=room.blocked.title)


def _incapable(fit: Fit, demand: Demand, room: Room) -> Fit | None:
    """Refuse a card whose generation cannot run the kernels; nothing can force that."""
    lowest, highest = (
        parse_capability(demand.min_capability),
        parse_capability(demand.max_capability),
    )
    if lowest is None and highest is None:
        return None
    has = parse_capability(room.capability) if known(room.capability) else None
    if has is None:
        why = Unknown(
            "gpu.capability-unknown",
            "the card's compute capability is not known, and this variant needs a certain one",
        )
        return _with(fit, verdict=why, reason=why.title)
    if (lowest is None or has >= lowest) and (highest is None or has <= highest):
        return None
    wanted = demand.min_capability
    if demand.max_capability != demand.min_capability:
        wanted = (
            f"{wanted} to {demand.max_capability}"
            if demand.max_capability
            else (f"{wanted} or newer")
        )
    reason = f"needs a card of compute capability {wanted}; this one has {room.capability}"
    return _with(fit, code="capability", reason=reason)


def _undecided(fit: Fit, room: Room) -> Fit | None:
    """Give the verdict Unknown where need or room is not known."""
    for value in (fit.need_bytes, room.available):
        if isinstance(value, Unknown):
            return _with(fit, verdict=value, reason=value.title)
    return None


def _decided(fit: Fit, demand: Demand, room: Room, ram: Ram) -> Fit:
    """Decide with the least that is available; where more might be, the verdict must not differ."""
    least = _verdict(fit, demand, room, ram, _bytes(room.available))
    if room.doubt is None:
        return _noted(least, demand, room, ram)
    best = _verdict(fit, demand, room, ram, _bytes(room.at_best))
    if best.verdict == least.verdict:
        return _noted(least, demand, room, ram)
    return _with(
        fit, verdict=room.doubt, reason=room.doubt.title, available_bytes=room.doubt, room=()
    )


def _bytes(value: int | Unknown) -> int:
    return value if isinstance(value, int) else 0


def _verdict(fit: Fit, demand: Demand, room: Room, ram: Ram, available: int) -> Fit:
    need = _bytes(fit.need_bytes)
    if need <= available:
        spare = format_bytes(available - need)
        reason = f"stays resident: {format_bytes(need)} of {format_bytes(available)}, {spare} spare"
        return _with(fit, verdict="resident", reason=reason)
    short = (
        f"{format_bytes(need - available)} short: needs {format_bytes(need)}, "
        f"{format_bytes(available)} available"
    )
    weights = demand.weights
    if demand.plain or isinstance(weights, Unknown):
        return _with(fit, code="vram", reason=short)
    if isinstance(room.card_bytes, Unknown):
        return _with(fit, verdict=room.card_bytes, reason=room.card_bytes.title)
    if room.card_bytes < demand.min_card_bytes:
        least = f"{demand.min_card_bytes / 1e9:.0f} GB"
        reason = f"{short}; it is not run on cards of less than {least}, offloaded neither"
        return _with(fit, code="card-too-small", reason=reason)
    floor = need - weights + STREAM_BUFFER
    if floor > available:
        reason = f"{short}; to run offloaded {format_bytes(floor)} must be available"
        return _with(fit, code="vram", reason=reason)
    return _offload(fit, demand, ram, min(weights, need - available + STREAM_BUFFER), short)


def _offload(fit: Fit, demand: Demand, ram: Ram, streams: int, short: str) -> Fit:
    terms = (
        Term(name="streams", title="weights that stream", bytes=streams, source="computed"),
        Term(
            name="encoder",
            title="text encoder",
            bytes=demand.encoder_bytes,
            source=demand.encoder_source,
        ),
        Term(name="vae", title="VAE", bytes=demand.vae_bytes, source=demand.vae_source),
        Term(
            name="process",
            title="process" if ram.process == PROCESS_RAM else "operating system and process",
            bytes=ram.process,
            source="assumed",
        ),
    )
    fit = _with(
        fit,
        streams_bytes=streams,
        ram_need_bytes=total(terms),
        ram_available_bytes=ram.available,
        ram_terms=terms,
    )
    if isinstance(ram.available, Unknown):
        reason = f"{short}; whether host RAM is enough to offload is not known"
        return _with(fit, verdict=ram.available, reason=reason)
    needs = f"{format_bytes(total(terms))} of host RAM"
    has = f"{format_bytes(ram.available)} {ram.what}"
    if total(terms) > ram.available:
        reason = f"{short}; to offload takes {needs}, {has}"
        return _with(fit, code="ram", reason=reason)
    if demand.min_ram_bytes and isinstance(ram.total, Unknown):
        reason = f"{short}; how much RAM the host has in all is not known"
        return _with(fit, verdict=ram.total, reason=reason)
    if isinstance(ram.total, int) and ram.total < demand.min_ram_bytes:
        least, whole = format_bytes(demand.min_ram_bytes), format_bytes(ram.total)
        reason = f"{short}; to offload it the host must have {least} of RAM in all, it has {whole}"
        return _with(fit, code="ram", reason=reason)
    reason = f"{short}; {format_bytes(streams)} of weights would stream from host RAM ({has})"
    return _with(fit, verdict="offload", code="vram", reason=reason)


def _noted(fit: Fit, demand: Demand, room: Room, ram: Ram) -> Fit:
    """Add what an operator should know of the phases before and after, and of loading."""
    if demand.plain or fit.verdict == "refused":
        return fit
    available = _bytes(room.available)
    reserve = fit.terms[-1].bytes
    notes = list(fit.notes)
    encoder = demand.encoder_bytes + ENCODER_WORK + CONTEXT + reserve
    if encoder > available:
        notes.append(
            f"the text encoder wants {format_bytes(encoder)} while it runs: part of it will stream"
        )
    megapixels = fit.task.width * fit.task.height / 1024**2
    vae = demand.vae_bytes + int(VAE_PER_MEGAPIXEL * megapixels) + CONTEXT
    if vae > available:
        notes.append(f"the VAE wants {format_bytes(vae)} at the end: it will work in tiles, slower")
    weights = demand.weights
    loading = _bytes(weights) + demand.encoder_bytes + demand.vae_bytes + SYSTEM_RAM
    if isinstance(ram.total, int) and loading > ram.total:
        notes.append(
            f"loading passes through host RAM: {format_bytes(loading)} would be safe, the host has "
            f"{format_bytes(ram.total)}"
        )
    has = parse_capability(room.capability) if known(room.capability) else None
    if demand.quant.startswith("fp8") and has is not None and has < (8, 9):
        notes.append("fp8 saves memory on this card, not time: it has no fp8 tensor cores")
    return _with(fit, notes=tuple(notes))
