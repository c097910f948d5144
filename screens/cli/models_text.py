"""Where models fit, as text for people, 80 columns wide."""

import textwrap
from collections.abc import Mapping, Sequence

from actions.fit.matrix import best_resident, is_tight
from actions.fit.model import Fit, Term
from actions.models.catalogue import short_id
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from console.gpu.snapshot import Gpu
from console.models.catalog import Catalog
from console.units import format_bytes, format_gib
from console.unknown import NOT_KNOWN, known
from screens.cli.table import columns, cut

WIDTH = 80
_BESIDE = 2  # cards in one table
_REFUSED = {
    "ram": "refused RAM",
    "vram": "refused VRAM",
    "card-too-small": "too small",
    "capability": "wrong card",
    "no-card": "no card",
    "card-lost": "card lost",
}
_MARKS = {"present": "✓", "wrong-size": "!", "unreadable": "?", "missing": " "}
_MOST_NAMES = 4
_LEGEND = """\
★ best quality that stays resident. tight: not with another picture and a LoRA.
offload: streams weights from host RAM, slower. wrong card: another generation.
✓ on disk, ! cut short or another file, ? cannot be seen. Sizes in GiB.
`gpuconsole models fit VARIANT` shows the arithmetic and the ways out."""


def matrix_text(
    fits: Sequence[Fit],
    cards: Sequence[Gpu],
    catalog: Catalog,
    on_disk: Mapping[str, str],
    services: Sequence[ServiceStatus] = (),
    *,
    empty: bool,
) -> str:
    """Give variants by cards, a few cards a table; beside `services`, unless the host is empty."""
    if not fits:
        return _title(None, empty)
    best = best_resident(fits, catalog)
    by_place = {(fit.variant, fit.gpu_uuid): fit for fit in fits}
    variants = list(dict.fromkeys(fit.variant for fit in fits))
    lines = [_title(fits[0], empty), *_beside(cards, services, empty)]
    for start in range(0, len(cards), _BESIDE):
        several = cards[start : start + _BESIDE]
        lines.append("")
        lines += [_card_line(card, by_place, variants, empty) for card in several]
        lines.append("")
        rows = [["  variant", "needs", *(f"card {card.index}" for card in several)]]
        for variant in variants:
            row = [by_place[variant, card.uuid] for card in several]
            mark = _MARKS.get(on_disk.get(variant, ""), " ")
            needs = row[0].need_bytes
            rows.append(
                [
                    f"{mark} {cut(short_id(variant), 42)}",
                    format_gib(needs) if known(needs) else NOT_KNOWN,
                    *(_cell(fit, (variant, fit.gpu_uuid) in best) for fit in row),
                ]
            )
        lines += [cut(line, WIDTH) for line in columns(rows, frozenset({1}))]
    return "\n".join([*lines, "", _LEGEND])


def variant_text(
    fits: Sequence[Fit],
    cards: Sequence[Gpu],
    catalog: Catalog,
    services: Sequence[ServiceStatus] = (),
    *,
    empty: bool,
) -> str:
    """Give one variant's arithmetic on each card, line by line, and the ways out."""
    variant = catalog.variant(fits[0].variant) if fits else None
    lines = [_title(fits[0] if fits else None, empty), *_beside(cards, services, empty)]
    names = {card.uuid: card_words(card) for card in cards}
    for fit in fits:
        title = variant.title if variant else fit.variant
        verdict = fit.verdict if isinstance(fit.verdict, str) else "not known"
        lines += ["", f"{title} on {names.get(fit.gpu_uuid, fit.gpu_uuid)}: {verdict}"]
        lines += _wrapped(fit.reason, "  ")
        lines += _arithmetic(fit)
        for note in (fit.cost, *fit.notes):
            lines += _wrapped(note, "  · ") if note else []
        lines += _ways(fit)
    return "\n".join(lines)


def _title(fit: Fit | None, empty: bool) -> str:
    if fit is None:
        return "The catalogue has no variants"
    task = fit.task
    pictures = "1 reference picture" if task.images == 1 else f"{task.images} reference pictures"
    when = "on an empty host" if empty else "now"
    return f"Edits of {task.width}x{task.height} with {pictures}, {when}"


def _beside(cards: Sequence[Gpu], services: Sequence[ServiceStatus], empty: bool) -> list[str]:
    """Say beside what it would run: `now` is not an empty card, and who asks should know why."""
    if empty:
        return []
    places = []
    for card in cards:
        names = [one.name for one in services if one.up and one.gpu_uuid == card.uuid]
        more = len(names) - _MOST_NAMES
        if names:
            who = ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
            places.append(f"{who} (card {card.index})")
    if not places:
        return []
    text = f"One more beside what runs: {'; '.join(places)}. --empty: as if none of it ran."
    return _wrapped(text, "")


def _card_line(
    card: Gpu, fits: Mapping[tuple[str, str], Fit], variants: Sequence[str], empty: bool
) -> str:
    available = fits[variants[0], card.uuid].available_bytes
    whole = card.memory_total_bytes
    words = [card_words(card)]
    if known(whole):
        words.append(format_bytes(whole))
    if card.lost is not None:
        words.append("does not answer")
    elif known(available):
        words.append(f"{format_bytes(available)} available {'when empty' if empty else 'now'}")
    else:
        words.append("what is available is not known")
    return cut(", ".join(words), WIDTH)


def _cell(fit: Fit, is_best: bool) -> str:
    if not isinstance(fit.verdict, str):
        return "unknown"
    if fit.verdict == "refused":
        return _REFUSED.get(fit.code, "refused")
    if fit.verdict == "resident":
        word = "tight" if is_tight(fit) else "resident"
        return f"{word} ★" if is_best else word
    return fit.verdict


def _arithmetic(fit: Fit) -> list[str]:
    rows: list[list[str]] = []
    rows += _lines(fit.terms, "it needs", fit.need_bytes if known(fit.need_bytes) else None)
    available = fit.available_bytes if known(fit.available_bytes) else None
    rows += _lines(fit.room, "available", available)
    if fit.ram_terms:
        need = fit.ram_need_bytes if known(fit.ram_need_bytes) else None
        rows += _lines(fit.ram_terms, "host RAM to offload", need)
        has = fit.ram_available_bytes
        rows.append(["  host RAM", format_bytes(has) if known(has) else NOT_KNOWN, ""])
    return [cut(f"  {line}", WIDTH) for line in columns(rows, frozenset({1}))]


def _lines(terms: Sequence[Term], whole: str, size: int | None) -> list[list[str]]:
    if not terms:
        return []
    return [
        *([f"  {term.title}", format_bytes(term.bytes), term.source] for term in terms),
        [f"= {whole}", NOT_KNOWN if size is None else format_bytes(size), ""],
    ]


def _ways(fit: Fit) -> list[str]:
    if not fit.ways_out:
        nothing = "  Ways out: none that one step leads to"
        return [nothing] if fit.verdict == "refused" else []
    lines = ["  Ways out"]
    for number, way in enumerate(fit.ways_out, 1):
        detail = f" ({way.detail})" if way.detail else ""
        lines += _wrapped(f"{way.title}{detail}: {way.verdict}", f"   {number}  ")
        if way.command:
            lines += _wrapped(way.command, "      ")
    return lines


def _wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_on_hyphens=False,
        break_long_words=False,
    )
