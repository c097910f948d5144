"""The list of variants, and of files, as text for people, 80 columns wide."""

import textwrap
from collections.abc import Mapping, Sequence

from actions.fit.matrix import is_tight
from actions.fit.model import Fit
from actions.models.catalogue import short_id
from actions.models.model import Choice, Piece
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from console.gpu.snapshot import Gpu
from console.models.catalog import Catalog
from console.units import GIB
from console.unknown import NOT_KNOWN
from screens.cli.table import columns, cut
from screens.words import ADVISED

WIDTH = 80
_BESIDE = 2  # cards in one table
_REFUSED = {
    "ram": "no: RAM",
    "vram": "no: VRAM",
    "card-too-small": "too small",
    "capability": "never",
    "no-card": "no card",
    "card-lost": "card lost",
}
_MARKS = {"ready": "✓", "fetching": "⇩", "partly": "·", "damaged": "!", "unreadable": "?"}
_FILE_STATES = {"wrong-size": "cut short?", "unreadable": "not seen", "missing": ""}
_LEGEND = """\
✓ all on disk, ⇩ being fetched, · in part, ! damaged, ? cannot be seen.
q: rank by quality in the family. GiB: with encoder and VAE. get: GiB to fetch.
★ advised beside what runs now, ☆ with nothing else on the card.
tight: not with another picture and a LoRA. never: no kernels for it.
`gpuconsole models show VARIANT` says all about one; `models fit VARIANT` shows
the arithmetic; `models pull VARIANT` gets it."""


def choices_text(
    catalog: Catalog,
    choices: Sequence[Choice],
    cards: Sequence[Gpu],
    services: Sequence[ServiceStatus] = (),
    *,
    empty: bool,
) -> str:
    """Give variants by cards, a few cards a table, best quality first, then what is advised.

    Args:
        catalog: the catalogue.
        choices: of it.
        cards: that the verdicts are for.
        services: beside which it would run.
        empty: the verdicts are as if no service ran.
    """
    if not choices:
        return "The catalogue has no variants"
    families = list(dict.fromkeys(one.family for one in choices))
    ordered = sorted(choices, key=lambda one: (families.index(one.family), one.rank))
    alike = _alike(ordered, cards)
    first = [several[0] for several in alike]
    lines = _unseen(ordered)
    for start in range(0, max(1, len(first)), _BESIDE):
        for several in alike[start : start + _BESIDE]:
            lines += wrapped(_card_line(several, services, empty), "", "  ")
        lines += ["", *_table(ordered, first[start : start + _BESIDE]), ""]
    lines += _advice(ordered, first)
    lines += _never(catalog, ordered, first)
    return "\n".join([*lines, _LEGEND])


def files_text(catalog: Catalog, pieces: Mapping[str, Piece]) -> str:
    """Give every file of the catalogue by kind, with what is on disk."""
    lines: list[str] = []
    for kind in dict.fromkeys(file.kind for file in catalog.files):
        rows = [[kind.replace("_", " "), "GiB", "on disk"]]
        rows += [
            [f"  {cut(file.id, 56)}", gibibytes(file.size), file_state(pieces[file.id])]
            for file in catalog.files
            if file.kind == kind
        ]
        lines += [cut(line, WIDTH) for line in columns(rows, frozenset({1}))]
        lines.append("")
    return "\n".join([*lines, "`gpuconsole models show FILE_ID` says all about one."])


def file_state(piece: Piece) -> str:
    """Give in a word or two how a file is on this host."""
    if piece.state == "fetching":
        done = "" if piece.percent is None else f" {piece.percent:.0f} %"
        return f"fetching{done}"
    return _FILE_STATES.get(piece.state, piece.state)


def gibibytes(size: int | None) -> str:
    """Give a size in GiB without the unit, which is that of memory, disks and jobs too."""
    if size is None:
        return NOT_KNOWN
    return f"{size / GIB:.2f}" if size < GIB else f"{size / GIB:.1f}"


def wrapped(text: str, start: str = "", then: str | None = None) -> list[str]:
    """Give a text in lines of 80 columns; `then` begins those after the first."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start) if then is None else then,
        break_on_hyphens=False,
        break_long_words=False,
    )


def verdict_word(fit: Fit, star: str = "") -> str:
    """Give a verdict in at most 9 cells, with the mark of what is advised."""
    if not isinstance(fit.verdict, str):
        return "unknown"
    if fit.verdict == "refused":
        return _REFUSED.get(fit.code, "no") + star
    return ("tight" if is_tight(fit) else fit.verdict) + star


def _alike(choices: Sequence[Choice], cards: Sequence[Gpu]) -> list[list[Gpu]]:
    """Put cards of one model together that every variant fits alike: sixteen need no 16 columns."""
    groups: dict[tuple[str, ...], list[Gpu]] = {}
    for card in cards:
        cells = [str(card.name)]
        for one in choices:
            cells += [verdict_word(fit) for fit in one.fits if fit.gpu_uuid == card.uuid]
            cells.append(_star(one, card))
        groups.setdefault(tuple(cells), []).append(card)
    return list(groups.values())


def _unseen(choices: Sequence[Choice]) -> list[str]:
    """Say why what is on disk cannot be seen, where that is so."""
    problems = [one.problem for each in choices for one in each.pieces if one.problem is not None]
    if not problems:
        return []
    text = "; ".join(filter(None, (problems[0].title, problems[0].hint)))
    return [*wrapped(f"What is on disk cannot be seen: {text}"), ""]


def _star(choice: Choice, card: Gpu) -> str:
    return ADVISED.get(choice.basis.get(card.uuid, ""), "")


def _card_line(cards: Sequence[Gpu], services: Sequence[ServiceStatus], empty: bool) -> str:
    names = [one.name for one in services if one.up and one.gpu_uuid == cards[0].uuid]
    if empty:
        when = "with nothing else on it"
    elif names and len(cards) == 1:
        when = f"beside {', '.join(names)}"
    else:
        when = "beside what runs there now"
    text = f"card {cards[0].index}: {card_words(cards[0])}, {when}"
    others = ", ".join(str(card.index) for card in cards[1:])
    return f"{text}; the same for {others}" if others else text


def _table(choices: Sequence[Choice], cards: Sequence[Gpu]) -> list[str]:
    rows = [["  variant", "q", "GiB", "get", *(f"card {card.index}" for card in cards)]]
    for one in choices:
        fits = {fit.gpu_uuid: fit for fit in one.fits}
        rows.append(
            [
                f"{_MARKS.get(one.state, ' ')} {cut(short_id(one.variant), 38)}",
                str(one.quality or NOT_KNOWN),
                gibibytes(one.size_bytes),
                "" if one.missing_bytes == 0 else gibibytes(one.missing_bytes),
                *(
                    verdict_word(fits[card.uuid], _star(one, card))
                    if card.uuid in fits
                    else NOT_KNOWN
                    for card in cards
                ),
            ]
        )
    return [cut(line, WIDTH) for line in columns(rows, frozenset({1, 2, 3}))]


def _advice(choices: Sequence[Choice], cards: Sequence[Gpu]) -> list[str]:
    lines = []
    for card in cards:
        for one in choices:
            if card.uuid in one.recommended:
                text = f"{short_id(one.variant)}: {one.recommended[card.uuid]}"
                lines += wrapped(text, f"{_star(one, card)} ")
    return [*lines, ""] if lines else []


def _never(catalog: Catalog, choices: Sequence[Choice], cards: Sequence[Gpu]) -> list[str]:
    """Say once for each reason which variants a card's generation cannot run."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in choices:
        for card in cards:
            fit = next((fit for fit in one.fits if fit.gpu_uuid == card.uuid), None)
            if fit is not None and fit.code == "capability" and card.uuid in one.impossible:
                place = (_quant(catalog, one.variant), one.impossible[card.uuid])
                names = groups.setdefault(place, [])
                if card_words(card) not in names:
                    names.append(card_words(card))
    by_reason: dict[tuple[str, str], list[str]] = {}
    for (quant, reason), names in groups.items():
        by_reason.setdefault((" and ".join(names), reason), []).append(quant)
    lines = []
    for (names_of_cards, reason), quants in by_reason.items():
        lines += wrapped(f"{', '.join(sorted(quants))} never on {names_of_cards}: {reason}")
    return [*lines, ""] if lines else []


def _quant(catalog: Catalog, ident: str) -> str:
    variant = catalog.variant(ident)
    return variant.quant if variant is not None else ident
