"""What a step of setup has to compare, as plain text: layouts on the cards, and tables."""

from collections.abc import Iterator, Sequence

from actions.fit.layout import CardSum, LayoutFit
from actions.fit.model import Fit
from actions.setup.report import Table
from console.units import format_gib
from console.unknown import Unknown
from screens.cli.table import columns, cut, text_width
from screens.cli.wrapping import folded

_BAR = 40
_FILLS = "█▓▒"
_FREE = "·"


def layout_lines(layouts: Sequence[LayoutFit], width: int) -> list[str]:
    """Draw layouts: each card as a bar that its services share, in the order of the layout."""
    lines = []
    for fit in layouts:
        verdict = "not known" if isinstance(fit.verdict, Unknown) else fit.verdict
        lines += folded(f"{fit.layout}: {verdict}: {fit.reason}", width, "  ")
        for card in fit.cards:
            lines += _card(card, fit.fits, width)
    return lines


def _card(card: CardSum, fits: Sequence[Fit], width: int) -> Iterator[str]:
    need, have = card.need_bytes, card.available_bytes
    if isinstance(need, Unknown) or isinstance(have, Unknown) or not have:
        several = " + ".join(card.services)
        need_words = "need together" if len(card.services) > 1 else "needs"
        text = f"  {card.gpu_name}: how much {several} {need_words} is not known"
        yield from folded(text, width, "    ")
        return
    scale = max(need, have)
    shares = [(one, _use(one, card, fits)) for one in card.services]
    bar = "".join(
        _FILLS[number % len(_FILLS)] * max(1, int(_BAR * use / scale))
        for number, (_, use) in enumerate(shares)
    )[:_BAR]
    yield f"  {cut(card.gpu_name, width - 4)}"
    over = " too much" if need > have else ""
    yield f"  [{bar.ljust(_BAR, _FREE)}] {format_gib(need)} of {format_gib(have)} GiB{over}"
    for number, (name, use) in enumerate(shares):
        yield f"    {_FILLS[number % len(_FILLS)]} {cut(name, width - 20)} {format_gib(use)} GiB"


def _use(name: str, card: CardSum, fits: Sequence[Fit]) -> int:
    for one in fits:
        if one.service == name and one.gpu_uuid == card.gpu_uuid:
            use = one.expected_use_bytes
            return use if isinstance(use, int) else 0
    return 0


def table_lines(table: Table, width: int) -> list[str]:
    """Set things side by side; where that is too wide, each has its first cell on its own line."""
    rows = [table.head, *table.rows]
    plain = columns(rows)
    if all(text_width(line) <= width for line in plain):
        return plain
    beneath = columns([row[1:] for row in rows])
    if any(text_width(line) > width - 4 for line in beneath):
        return _told(table, width)
    lines = []
    for row, rest in zip(rows, beneath, strict=True):
        lines += [cut(row[0], width), f"    {rest}"]
    return lines


def _told(table: Table, width: int) -> list[str]:
    """Tell each row in words: too wide for columns."""
    lines = []
    for row in table.rows:
        lines.append(cut(row[0], width))
        cells = [f"{name} {cell}" for name, cell in zip(table.head, row, strict=False) if cell]
        lines += folded("    " + ", ".join(cells[1:]), width, "    ")
    return lines
