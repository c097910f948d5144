"""A pre-check as text: a bar of the card, the verdict, the arithmetic and the ways out."""

from collections.abc import Sequence

from actions.fit.model import Fit, Term
from console.units import format_bytes
from console.unknown import NOT_KNOWN, Unknown

_BAR = 30
_USED, _THIS, _RESERVE, _OVER, _FREE = "#", "=", "~", "!", "."


def fit_text(fit: Fit) -> list[str]:
    """Give the lines of a pre-check as they stand in a plan."""
    card = fit.gpu_name or fit.gpu_uuid or "no card"
    what = fit.variant or fit.service
    lines = [f"pre-check  {what} on {card}: {_verdict(fit)}"]
    drawn = _bar(fit)
    if drawn:
        lines.append(f"  {drawn}")
    lines += _sum("needs", fit.need_bytes, fit.terms)
    lines += _sum("there is", fit.available_bytes, fit.room)
    if fit.ram_terms:
        lines += _sum("memory of the host, needs", fit.ram_need_bytes, fit.ram_terms)
        lines.append(f"  memory of the host, there is {_size(fit.ram_available_bytes)}")
    if fit.streams_bytes:
        cost = fit.cost or "slower, by how much nobody has measured"
        lines.append(f"  streams {_size(fit.streams_bytes)} from host memory: {cost}")
    lines += [f"  note  {note}" for note in fit.notes]
    for number, way in enumerate(fit.ways_out, start=1):
        lead = "ways out" if number == 1 else "        "
        detail = f" ({way.detail})" if way.detail else ""
        lines.append(f"  {lead}  {number}  {way.title}{detail}: then {way.verdict}")
        if way.command:
            lines.append(f"               {way.command}")
    return lines


def _verdict(fit: Fit) -> str:
    if isinstance(fit.verdict, Unknown):
        return f"not known: {fit.reason or fit.verdict.title}"
    return f"{fit.verdict}: {fit.reason}" if fit.reason else fit.verdict


def _bar(fit: Fit) -> str:
    """Draw the card: used by others, by this service, the reserve, over or free."""
    need, room = fit.need_bytes, fit.available_bytes
    use = fit.expected_use_bytes
    if isinstance(need, Unknown) or isinstance(room, Unknown) or isinstance(use, Unknown):
        return ""
    # A term of the room that is positive is what the card has before others take theirs.
    whole = sum(term.bytes for term in fit.room if term.name == "total") or None
    total = whole or max(room, 1)
    taken = max(0, total - room)
    reserve = max(0, need - use)
    over = max(0, need - room)
    free = max(0, room - need)
    scale = _BAR / max(total + over, 1)
    this = max(0, use - over)
    parts = ((_USED, taken), (_THIS, this), (_RESERVE, reserve), (_OVER, over), (_FREE, free))
    bar = "".join(mark * _cells(size, scale) for mark, size in parts)
    words = [f"{_USED} in use {_size(taken)}"] if taken else []
    words += [f"{_THIS} this {_size(use)}", f"{_RESERVE} reserve {_size(reserve)}"]
    words.append(f"{_OVER} over by {_size(over)}" if over else f"{_FREE} free {_size(free)}")
    return f"[{bar}]  {'  '.join(words)}"


def _cells(size: int, scale: float) -> int:
    """Give the width of a part; what is there is seen."""
    return max(1, round(size * scale)) if size else 0


def _sum(title: str, total: int | Unknown, terms: Sequence[Term]) -> list[str]:
    """Give a sum and its terms, one a line, each with where it is from."""
    if not terms and isinstance(total, Unknown):
        return [f"  {title}  {NOT_KNOWN}  ({total.title})"]
    lines = [f"  {title}  {_size(total)}"]
    lines += [f"    {_size(term.bytes):>10}  {term.title}  [{term.source}]" for term in terms]
    return lines


def _size(size: int | Unknown) -> str:
    return NOT_KNOWN if isinstance(size, Unknown) else format_bytes(size)
