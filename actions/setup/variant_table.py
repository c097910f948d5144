"""The variants of one card side by side: quality, speed, size, licence and how they fit."""

import re
from collections.abc import Iterator

from actions.fit.matrix import is_tight
from actions.fit.model import Fit
from actions.models.catalogue import short_id
from actions.models.model import Choice
from actions.setup.ground import Ground
from actions.setup.report import Option, Table
from console.gpu.snapshot import Gpu
from console.models.catalog import Variant
from console.units import format_bytes, format_duration
from console.unknown import Unknown

_HEAD = ("  variant", "quality", "speed", "size", "to fetch", "licence", "fit")
_MOST = 10
_MEMORY = re.compile(r" \d+ GB$")
_RUNS = frozenset({"resident", "offload"})


def able_choices(ground: Ground, card: Gpu, chosen: str) -> tuple[Choice, ...]:
    """Give what may be taken on a card: the chosen one, those recommended, the best of the rest.

    Only of families that the first edit's workflow runs with; the newest family first.
    """
    mine = [one for one in ground.choices if one.family in ground.families]
    runs = [one for one in mine if _verdict(ground, one) in _RUNS or one.variant == chosen]
    first = [one for one in runs if card.uuid in one.recommended or one.variant == chosen]
    plain = [one for one in runs if one not in first and not _fused(ground, one)]
    plain.sort(key=lambda one: (_offloads(ground, one), one.rank))
    quick = [one for one in runs if one not in first and _fused(ground, one)]
    quick.sort(
        key=lambda one: (_verdict(ground, one) != "resident", one.state != "ready", one.rank)
    )
    taken = [*first, *quick[:1], *plain][:_MOST]
    taken.sort(key=lambda one: (-ground.families.index(one.family), one.rank))
    return tuple(taken)


def variant_table(ground: Ground, several: tuple[Choice, ...], advised: str = "") -> Table:
    """Give variants as rows of quality, speed, size, licence and verdict; `★` marks one of them."""
    rows = []
    for one in several:
        name, *rest = _row(ground, one)
        rows.append((f"{'★' if one.variant == advised else ' '} {name}", *rest))
    return Table(head=_HEAD, rows=tuple(rows))


def variant_options(
    ground: Ground, several: tuple[Choice, ...], advised: str
) -> tuple[Option, ...]:
    """Give variants as what may be answered."""
    return tuple(
        Option(
            value=one.variant,
            title=one.title,
            detail=", ".join(_told(ground, one)),
            recommended=one.variant == advised,
        )
        for one in several
    )


def _told(ground: Ground, one: Choice) -> Iterator[str]:
    _, quality, speed, size, fetch, licence, verdict = _row(ground, one)
    yield verdict
    yield f"quality {quality}"
    yield speed
    yield size if fetch == "nothing" else f"{size}, {fetch} to fetch"
    yield licence


def _row(ground: Ground, one: Choice) -> tuple[str, ...]:
    variant = ground.session.catalog.variant(one.variant)
    fit = ground.card_fits.get(one.variant)
    whole = loaded_bytes(ground, one.variant) or one.size_bytes
    size = "not known" if whole is None else format_bytes(whole)
    fetch = "not known" if one.missing_bytes is None else format_bytes(one.missing_bytes)
    return (
        short_id(one.variant),
        _quality(ground, one),
        _speed(ground, variant, fit),
        size,
        "nothing" if one.missing_bytes == 0 else fetch,
        _licence(ground, variant),
        _verdict_words(fit),
    )


def loaded_bytes(ground: Ground, ident: str) -> int | None:
    """Give what a variant comes to where the catalogue has files that stand for larger ones."""
    variant = ground.session.catalog.variant(ident)
    files = ground.session.catalog.files_of(variant) if variant is not None else ()
    loaded = [one.loaded_bytes or one.size or 0 for one in files]
    return sum(loaded) if any(one.loaded_bytes for one in files) else None


def _quality(ground: Ground, one: Choice) -> str:
    """Give the rank within its family, of how many."""
    ranks = {each.quality for each in ground.choices if each.family == one.family and each.quality}
    return f"{one.quality} of {max(ranks)}" if one.quality else "not ranked"


def _speed(ground: Ground, variant: Variant | None, fit: Fit | None) -> str:
    """Say how fast it is: as measured, else what makes it slow or quick."""
    offloads = fit is not None and fit.verdict == "offload"
    if variant is not None and variant.fused_lora and not offloads:
        return "few steps: quick"
    for one in ground.session.catalog.measured:
        if variant is not None and one.variant == variant.id and one.offload == offloads:
            card = _MEMORY.sub("", one.card)
            return f"{format_duration(one.seconds)} on {card}"
    if offloads and fit is not None:
        return f"{format_bytes(fit.streams_bytes)} streamed"
    return "not measured"


def _licence(ground: Ground, variant: Variant | None) -> str:
    """Give every licence of its files, the model's own first."""
    files = ground.session.catalog.files_of(variant) if variant is not None else ()
    return ", ".join(dict.fromkeys(one.licence for one in files)) or "unknown"


def _verdict_words(fit: Fit | None) -> str:
    if fit is None or isinstance(fit.verdict, Unknown):
        return "not known"
    return "tight" if is_tight(fit) else fit.verdict


def _fused(ground: Ground, one: Choice) -> bool:
    variant = ground.session.catalog.variant(one.variant)
    return variant is not None and variant.fused_lora


def _offloads(ground: Ground, one: Choice) -> bool:
    return _verdict(ground, one) != "resident"


def _verdict(ground: Ground, one: Choice) -> str:
    fit = ground.card_fits.get(one.variant)
    return fit.verdict if fit is not None and isinstance(fit.verdict, str) else ""
