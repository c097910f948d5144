"""Which variant is advised for each card, and which can never run there, with the reasons."""

from collections.abc import Mapping, Sequence

from actions.fit.matrix import best_resident, is_tight
from actions.fit.model import Fit
from actions.services.placement import card_words
from actions.snapshot import HostSnapshot
from console.models.catalog import Catalog, Variant
from console.units import format_bytes

_NEVER = ("capability", "card-too-small", "vram", "ram")
"""Codes of a refusal that stands even where nothing else runs."""


def recommended(
    catalog: Catalog,
    fits: Sequence[Fit],
    alone: Sequence[Fit],
    snapshot: HostSnapshot,
    missing: Mapping[str, int | None],
) -> dict[str, dict[str, str]]:
    """Give by variant, and then by the UUID of a card, why it is the one for it.

    One of each family and card: the best quality that stays resident now; where none does, the
    best that would if nothing else ran there; where there is none either, the best that runs
    offloaded.

    Args:
        catalog: the catalogue.
        fits: every variant on every card, now.
        alone: the same as if no service ran.
        snapshot: the host.
        missing: bytes that are to be fetched, by variant; None where that is not known.
    """
    names = {card.uuid: card_words(card) for card in snapshot.gpu.gpus}
    later = {(fit.variant, fit.gpu_uuid): fit for fit in alone}
    best = {_place(catalog, *one): one[0] for one in best_resident(alone, catalog)}
    found: dict[str, dict[str, str]] = {}
    taken = set[tuple[str, str]]()

    def advise(fit: Fit, text: str) -> None:
        place = _place(catalog, fit.variant, fit.gpu_uuid)
        if place not in taken:
            taken.add(place)
            text = f"{text}{_to_fetch(missing.get(fit.variant))}"
            found.setdefault(fit.variant, {})[fit.gpu_uuid] = text

    resident_now = best_resident(fits, catalog)
    for fit in fits:
        if (fit.variant, fit.gpu_uuid) in resident_now:
            place = _place(catalog, fit.variant, fit.gpu_uuid)
            text = _resident_words(fit, names, catalog, best.get(place, ""))
            advise(fit, text + _beside_it(catalog, fit, fits, missing))
    for fit in fits:
        place = _place(catalog, fit.variant, fit.gpu_uuid)
        if best.get(place) == fit.variant:
            then = later[fit.variant, fit.gpu_uuid]
            text = _once_free_words(fit, then, names)
            advise(fit, text + _beside_it(catalog, then, alone, missing))
    for fit in sorted(fits, key=lambda one: _quality(catalog, one)):
        if fit.verdict == "offload":
            advise(fit, _offload_words(fit, names))
    return found


def impossible(catalog: Catalog, alone: Sequence[Fit]) -> dict[str, dict[str, str]]:
    """Give by variant, and then by the UUID of a card, why it can never run there."""
    found: dict[str, dict[str, str]] = {}
    for fit in alone:
        variant = catalog.variant(fit.variant)
        if variant is not None and fit.verdict == "refused" and fit.code in _NEVER:
            found.setdefault(fit.variant, {})[fit.gpu_uuid] = _never_words(variant, fit)
    return found


def _never_words(variant: Variant, fit: Fit) -> str:
    if fit.code == "capability" and variant.cards:
        return f"needs {variant.cards}: {fit.reason.removeprefix('needs ')}"
    return fit.reason


def _place(catalog: Catalog, variant: str, uuid: str) -> tuple[str, str]:
    known = catalog.variant(variant)
    return ("" if known is None else known.family, uuid)


def _quality(catalog: Catalog, fit: Fit) -> int:
    known = catalog.variant(fit.variant)
    return 0 if known is None else known.quality


def _beside_it(
    catalog: Catalog, advised: Fit, fits: Sequence[Fit], missing: Mapping[str, int | None]
) -> str:
    """Name the better one that is too tight, and the best of those that need no fetching."""
    place = _place(catalog, advised.variant, advised.gpu_uuid)
    resident = sorted(
        (
            fit
            for fit in fits
            if fit.verdict == "resident" and _place(catalog, fit.variant, fit.gpu_uuid) == place
        ),
        key=lambda fit: _quality(catalog, fit),
    )
    text = ""
    rank = _quality(catalog, advised)
    tight = [fit for fit in resident if is_tight(fit) and _quality(catalog, fit) < rank]
    if tight:
        text += f"; {_title(catalog, tight[-1])} would be tight"
    here = [fit for fit in resident if missing.get(fit.variant) == 0]
    if missing.get(advised.variant) != 0 and here:
        tightly = ", tightly" if is_tight(here[0]) else ""
        text += f"; {_title(catalog, here[0])} is on disk and would stay resident too{tightly}"
    return text


def _title(catalog: Catalog, fit: Fit) -> str:
    known = catalog.variant(fit.variant)
    return fit.variant if known is None else known.title


def _resident_words(fit: Fit, names: Mapping[str, str], catalog: Catalog, when_empty: str) -> str:
    tight = ", tightly" if is_tight(fit) else ""
    card = names.get(fit.gpu_uuid, fit.gpu_uuid)
    text = f"best quality that stays resident on {card}{tight}: {_room_words(fit)}"
    other = catalog.variant(when_empty)
    if other is not None and other.id != fit.variant:
        text += f"; with nothing else on it {other.title} would stay resident"
    return text


def _once_free_words(fit: Fit, then: Fit, names: Mapping[str, str]) -> str:
    card = names.get(fit.gpu_uuid, fit.gpu_uuid)
    now = fit.verdict if isinstance(fit.verdict, str) else "not known"
    return (
        f"best quality that stays resident on {card} with nothing else on it: {_room_words(then)}; "
        f"now, beside what runs: {now}"
    )


def _offload_words(fit: Fit, names: Mapping[str, str]) -> str:
    card = names.get(fit.gpu_uuid, fit.gpu_uuid)
    streams = format_bytes(fit.streams_bytes)
    return f"none stays resident on {card}; this is the best that runs, {streams} from host RAM"


def _room_words(fit: Fit) -> str:
    need, available = fit.need_bytes, fit.available_bytes
    if not (isinstance(need, int) and isinstance(available, int)):
        return fit.reason
    return f"{format_bytes(need)} of {format_bytes(available)}"


def _to_fetch(missing: int | None) -> str:
    if missing is None:
        return ""
    if missing == 0:
        return "; all of it is on disk"
    return f"; {missing / 1e9:.1f} GB to fetch"
