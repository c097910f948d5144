"""Which variant the others are held against, and which one to use on this card. Pure."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from actions.compare.model import Advice, Candidate, Row
from actions.compare.words import table
from console.units import format_bytes, format_duration
from console.unknown import known


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When figures count as alike; see the packaged table.

    Attributes:
        alike_db: from this PSNR on, people see no difference.
        much_faster: so many times as fast is worth a word.
    """

    alike_db: float
    much_faster: float


@cache
def rules() -> Rules:
    """Give the packaged rules."""
    return msgspec.convert(table()["rules"], Rules)


def best_first(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Give variants by their bits, most first; of as many, in the catalogue's order.

    Within one family the catalogue ranks them, by bits and by how they are spent. Across families,
    or where one is not ranked, the bytes of the weights count. A fused Lightning LoRA comes last of
    all: it is another way to sample, not less of the same.
    """
    ranked = len({one.family for one in candidates}) == 1 and all(one.quality for one in candidates)

    def order(one: Candidate) -> tuple[bool, int]:
        return one.fused, one.quality if ranked else -one.weight_bytes

    return tuple(sorted(candidates, key=order))


def reference_of(candidates: Sequence[Candidate], rows: Sequence[Row]) -> str | None:
    """Give the variant with the most bits that made a picture; None where none did."""
    ran = {row.variant for row in rows if row.path}
    return next((one.id for one in best_first(candidates) if one.id in ran), None)


def advise(candidates: Sequence[Candidate], rows: Sequence[Row], card: str) -> Advice:
    """Say which variant to use on a card, from what was measured.

    The one with the most bits, unless a faster one's pictures are alike, or it streams its weights
    from host RAM while others stay in VRAM. The fastest is named where it is much faster.

    Args:
        candidates: every variant that was asked for.
        rows: what came of it; PSNR is in them.
        card: its name; empty where it is not known.
    """
    ran = [row for row in rows if row.path]
    order = [one for one in best_first(candidates) if any(row.variant == one.id for row in ran)]
    card = card or "this card"
    if not order:
        return Advice(best=None, why="none", sentence=_nothing(rows, card))
    seconds = typical_seconds(ran)
    top = order[0]
    chosen, why = _choose(order, ran, seconds, len(candidates))
    fastest = min(seconds, key=lambda ident: seconds[ident], default=chosen.id)
    ahead = _times(seconds, chosen.id, fastest)
    if ahead is None or ahead < rules().much_faster:
        fastest = ""
    words = _words(chosen, why, top, ran, seconds, card)
    if fastest:
        words += f"; {fastest or 'as it is'} is {ahead:.1f} times as fast"
        db = _psnr(ran, fastest)
        words += f", at {db:.1f} dB" if db is not None and math.isfinite(db) else ""
    return Advice(best=chosen.id, why=why, fastest=fastest, sentence=f"{words}.")


def typical_seconds(rows: Sequence[Row]) -> dict[str, float]:
    """Give the mean warm seconds of each variant, over the cases that all of them have.

    Where no case is common to all, each one's own count; those without a figure are left out.
    """
    own: dict[str, dict[tuple[object, int], float]] = {}
    for row in rows:
        if known(row.warm_seconds):
            steps = row.steps if len({one.steps for one in rows if known(one.steps)}) > 1 else None
            own.setdefault(row.variant, {})[(steps, row.seed)] = row.warm_seconds
    common = set.intersection(*(set(one) for one in own.values())) if own else set()
    return {
        ident: math.fsum(one[case] for case in common or one) / len(common or one)
        for ident, one in own.items()
    }


def _choose(
    order: Sequence[Candidate], rows: Sequence[Row], seconds: Mapping[str, float], asked: int
) -> tuple[Candidate, str]:
    """Give the variant to use and why; `order` has those that ran, best first, of `asked`."""
    top = order[0]
    if asked == 1:
        return top, "alone"
    if len(order) == 1:
        return top, "only"
    alike = [
        one
        for one in order[1:]
        if (_psnr(rows, one.id) or 0.0) >= rules().alike_db
        and (_times(seconds, top.id, one.id) or 0.0) >= rules().much_faster
    ]
    if alike:
        return min(alike, key=lambda one: seconds[one.id]), "alike"
    if top.fit == "offload":
        resident = [one for one in order if one.fit == "resident" and not one.fused]
        quicker = [one for one in resident if (_times(seconds, top.id, one.id) or 0.0) > 1.0]
        if quicker:
            return quicker[0], "resident"
    return top, "quality"


def _psnr(rows: Sequence[Row], variant: str) -> float | None:
    """Give the least PSNR of a variant; infinite where all its pictures are the reference's."""
    found = [
        math.inf if row.identical else row.psnr_db
        for row in rows
        if row.variant == variant and (row.identical or known(row.psnr_db))
    ]
    return min((one for one in found if isinstance(one, float)), default=None)


def _times(seconds: Mapping[str, float], slow: str, fast: str) -> float | None:
    if slow not in seconds or seconds.get(fast, 0.0) <= 0:
        return None
    return seconds[slow] / seconds[fast]


def _words(
    chosen: Candidate,
    why: str,
    top: Candidate,
    rows: Sequence[Row],
    seconds: Mapping[str, float],
    card: str,
) -> str:
    figures = _figures(chosen.id, rows, seconds)
    db = _psnr(rows, chosen.id)
    texts = table()["advice"]
    return str(texts[why]).format(
        card=card,
        variant=chosen.name,
        top=top.name,
        figures=figures,
        times=f"{_times(seconds, top.id, chosen.id) or 1:.1f}",
        db="the same, pixel by pixel" if db == math.inf else f"{db or 0:.1f} dB",
    )


def _figures(variant: str, rows: Sequence[Row], seconds: Mapping[str, float]) -> str:
    """Say in a few words what a variant takes, such as `44s warm, 81s at first, peak 21.3 GiB`."""
    own = [row for row in rows if row.variant == variant]
    first = [row.first_seconds for row in own if known(row.first_seconds)]
    peak = [row.vram_peak_bytes for row in own if known(row.vram_peak_bytes)]
    words = []
    if variant in seconds:
        words.append(f"{format_duration(seconds[variant])} warm")
    if first:
        words.append(f"{format_duration(first[0])} to the first picture")
    if peak:
        words.append(f"VRAM peak {format_bytes(max(peak))}")
    return ", ".join(words) or "nothing of it could be measured"


def _nothing(rows: Sequence[Row], card: str) -> str:
    """Say that none ran, with the reason most rows have."""
    titles = [row.error.title for row in rows if row.error is not None]
    count = len({row.variant for row in rows})
    what = f"None of {count} variants" if count != 1 else "The variant did not run"
    begun = f"{what} ran on {card}" if count != 1 else f"{what} on {card}"
    if not titles:
        return f"{begun}."
    return f"{begun}: {max(titles, key=titles.count)}."
