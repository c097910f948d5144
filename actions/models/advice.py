"""Which variant is advised for each card, and which can never run there, with the reasons."""

from collections.abc import Mapping, Sequence

import msgspec

from actions.fit.matrix import is_tight
from actions.fit.model import Fit
from actions.services.placement import card_words
from actions.snapshot import HostSnapshot
from console.models.catalog import Catalog, Variant
from console.units import format_bytes

_NEVER = ("capability", "card-too-small", "vram", "ram")
"""Codes of a refusal that stands even where nothing else runs."""
_ABOUT_THE_SAME = 0.93
"""A diffusion model with this share of another's bytes is about as good: FP8 beside Q8_0 is."""
_WORTH_IT = 0.5
"""One with less than this share is no stand-in: two bits for eight."""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """That a variant is the one for a card, and why.

    Attributes:
        basis: `now` (beside what runs), `when-free` (with nothing else on the card), `offload`
            (none stays resident, this one streams weights).
        why: for people.
    """

    variant: str
    gpu_uuid: str
    basis: str
    why: str


def recommended(
    catalog: Catalog,
    fits: Sequence[Fit],
    alone: Sequence[Fit],
    snapshot: HostSnapshot,
    missing: Mapping[str, int | None],
) -> tuple[Advice, ...]:
    """Give the variant that is the one for each card, one of each family.

    The best quality that stays resident now; where none does (or only tightly, or one with less
    than half of the bits), the best that would if nothing else ran there; where there is none
    either, the best that runs offloaded. What is on disk goes
    before a better one of about the same bits, which is named: few would fetch 20 GB for that.

    Args:
        catalog: the catalogue.
        fits: every variant on every card, now.
        alone: the same as if no service ran.
        snapshot: the host.
        missing: bytes that are to be fetched, by variant; None where that is not known.
    """
    names = {card.uuid: card_words(card) for card in snapshot.gpu.gpus}
    now_by, alone_by = _by_place(catalog, fits), _by_place(catalog, alone)
    found = []
    for place, now in now_by.items():
        card = names.get(place[1], place[1])
        ranked = _Ranked(catalog, now, missing)
        free = _Ranked(catalog, alone_by.get(place, ()), missing)
        resident, then = ranked.best_resident(), free.best_resident()
        if resident is not None and ranked.is_worth_it(resident, then):
            advised, basis = resident, "now"
            text, beside = _resident_words(resident, free, card), ranked.beside(resident)
        elif then is not None:
            advised, basis = then, "when-free"
            text, beside = _once_free_words(then, now, card), free.beside(then)
            if resident is not None:
                beside += f"; {ranked.title(resident)} stays resident beside it{_tightly(resident)}"
        elif offload := ranked.best_offload():
            advised, basis = offload, "offload"
            text, beside = _offload_words(offload, card), ""
        else:
            continue
        why = f"{text}{_to_fetch(missing.get(advised.variant))}{beside}"
        found.append(Advice(variant=advised.variant, gpu_uuid=place[1], basis=basis, why=why))
    return tuple(found)


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


def _by_place(catalog: Catalog, fits: Sequence[Fit]) -> dict[tuple[str, str], list[Fit]]:
    """Put together what competes: variants of one family on one card."""
    places: dict[tuple[str, str], list[Fit]] = {}
    for fit in fits:
        variant = catalog.variant(fit.variant)
        if variant is not None:
            places.setdefault((variant.family, fit.gpu_uuid), []).append(fit)
    return places


class _Ranked:
    """The variants of one family on one card, best quality first."""

    def __init__(
        self, catalog: Catalog, fits: Sequence[Fit], missing: Mapping[str, int | None]
    ) -> None:
        self._variants = {one.id: one for one in catalog.variants}
        self._catalog = catalog
        self._missing = missing
        self._fits = sorted(fits, key=lambda fit: self._variants[fit.variant].rank)

    def best_resident(self) -> Fit | None:
        """Give the one to take of those that stay resident; a tight one where no other does."""
        resident = self._resident()
        return self._nearest_here([fit for fit in resident if not is_tight(fit)] or resident)

    def best_offload(self) -> Fit | None:
        """Give the one to take of those that run offloaded."""
        return self._nearest_here([fit for fit in self._fits if fit.verdict == "offload"])

    def is_worth_it(self, now: Fit, then: Fit | None) -> bool:
        """Tell whether what stays resident now will do until the card is free for a better one.

        It will not where it fits tightly only, or has less than half of that one's bytes.
        """
        if then is None or then.variant == now.variant:
            return True
        size, most = self._size(now), self._size(then)
        if size is None or most is None:
            return True
        return size >= most * _WORTH_IT and (is_tight(then) or not is_tight(now))

    def title(self, fit: Fit) -> str:
        """Give the name of a variant for people."""
        return self._variants[fit.variant].title

    def beside(self, advised: Fit) -> str:
        """Name what is better but tight or to be fetched, and what would need no fetching."""
        resident = self._resident()
        better = resident[: resident.index(advised)]
        tight = [fit for fit in better if is_tight(fit)]
        roomy = [fit for fit in better if not is_tight(fit)]
        text = ""
        if tight:
            here = self._first_here(tight)
            text += (
                f"; {self.title(here or tight[-1])}{', on disk,' if here else ''} would be tight"
            )
        if roomy:
            to_fetch = _to_fetch(self._missing.get(roomy[0].variant))
            text += f"; {self.title(roomy[0])} is a little better{to_fetch.replace(';', ',')}"
        here = self._first_here([fit for fit in resident if not is_tight(fit)])
        if here is not None and self._missing.get(advised.variant) != 0:
            text += f"; {self.title(here)} is on disk and would stay resident too"
        return text

    def _size(self, fit: Fit) -> int | None:
        return self._catalog.files_of(self._variants[fit.variant])[0].size

    def _first_here(self, fits: Sequence[Fit]) -> Fit | None:
        return next((fit for fit in fits if self._missing.get(fit.variant) == 0), None)

    def _resident(self) -> list[Fit]:
        return [fit for fit in self._fits if fit.verdict == "resident"]

    def _nearest_here(self, fits: Sequence[Fit]) -> Fit | None:
        """Give the first, or the first on disk of about the same bits."""
        if not fits:
            return None
        return next((fit for fit in fits if self._spares_a_download(fit, fits[0])), fits[0])

    def _spares_a_download(self, fit: Fit, best: Fit) -> bool:
        """Tell whether a variant is about as good as the best, and its model is here already."""
        one, other = self._variants[fit.variant], self._variants[best.variant]
        size, most = self._size(fit), self._size(best)
        to_fetch, for_best = (self._missing.get(each.id) for each in (one, other))
        if size is None or most is None or to_fetch is None or one.fused_lora != other.fused_lora:
            return False
        spared = (for_best if for_best is not None else to_fetch + most) - to_fetch
        return size >= most * _ABOUT_THE_SAME and spared > size / 2


def _resident_words(fit: Fit, free: _Ranked, card: str) -> str:
    text = f"best choice that stays resident on {card}{_tightly(fit)}: {_room_words(fit)}"
    other = free.best_resident()
    if other is not None and other.variant != fit.variant:
        text += f"; with nothing else on it {free.title(other)} would stay resident"
    return text


def _once_free_words(then: Fit, now: Sequence[Fit], card: str) -> str:
    verdict = next((fit.verdict for fit in now if fit.variant == then.variant), None)
    return (
        f"best choice that stays resident on {card} with nothing else on it: {_room_words(then)}; "
        f"now, beside what runs: {verdict if isinstance(verdict, str) else 'not known'}"
    )


def _offload_words(fit: Fit, card: str) -> str:
    streams = format_bytes(fit.streams_bytes)
    return f"none stays resident on {card}; this is the best that runs, {streams} from host RAM"


def _tightly(fit: Fit) -> str:
    return ", tightly" if is_tight(fit) else ""


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
    return f"; {format_bytes(missing)} to fetch"
