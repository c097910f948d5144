"""The pre-check drawn: a bar of the card, the verdict in words, its arithmetic, the ways out."""

from collections.abc import Sequence

from actions.fit.model import Fit, Term, WayOut
from console.gpu.snapshot import Gpu
from console.units import format_bytes, format_gib
from console.unknown import Unknown, known
from screens.tui.bars import TRACK
from screens.tui.holders import Holder
from screens.tui.paint import BLANK, UNKNOWN, Line, Span, clickable, cut, left, right, take, wrap
from screens.tui.panels.cards import card_name
from screens.tui.words import whole_gib

LABEL = 11
USED, PROMISED, THIS, RESERVE, OVER = "█", "▄", "▓", "▒", "▲"
GROWTH = "growth"
"""Name of the terms that say what others on the card will still take."""
VERDICT_ROLES = {"resident": "ok", "offload": "warning", "refused": "error"}
VERDICT_WORDS = {"resident": "FITS", "offload": "OFFLOADS", "refused": "REFUSED"}
MOST_WAYS = 9
NOTHING = 64 * 1024**2
LEAST_BAR, MOST_BAR = 12, 44


def verdict_role(verdict: object) -> str:
    """Give the colour of a verdict; its word stands beside it."""
    return VERDICT_ROLES.get(verdict, "dim") if isinstance(verdict, str) else "dim"


def precheck_lines(
    fit: Fit, gpu: Gpu | None, held: Sequence[Holder], width: int, details: bool = False
) -> list[Line]:
    """Draw a pre-check in lines of at most `width`.

    Args:
        fit: what was computed.
        gpu: the card, for its size and name; None where it is not to be seen.
        held: who holds the card now.
        width: columns.
        details: every term of the arithmetic too.
    """
    lines = [_card_line(fit, gpu)]
    lines += bar_lines(fit, gpu, held, width)
    lines += labelled("Pre-check", _verdict_lines(fit, width - LABEL))
    lines += [
        (Span(" " * LABEL), Span(text, "dim"))
        for note in fit.notes
        for text in wrap(note, width - LABEL)
    ]
    if details:
        lines += term_lines(fit, width)
    return lines


def labelled(label: str, lines: Sequence[Line]) -> list[Line]:
    """Put a label before the first of some lines, and room before the others."""
    return [
        (Span(left("" if place else label, LABEL), "dim"), *line)
        for place, line in enumerate(lines)
    ]


def _card_line(fit: Fit, gpu: Gpu | None) -> Line:
    parts: list[Span] = []
    if gpu is not None:
        parts.append(Span(f"GPU {gpu.index}  {card_name(gpu)}", "strong"))
        parts.append(Span(f"  {whole_gib(gpu.memory_total_bytes)}", "dim"))
    else:
        parts.append(Span(fit.gpu_name or fit.gpu_uuid or f"card {UNKNOWN}", "strong"))
    if fit.variant:
        parts.append(Span(f"  {fit.variant}", "dim"))
    return tuple(parts)


def bar_lines(fit: Fit, gpu: Gpu | None, held: Sequence[Holder], width: int) -> list[Line]:
    """Draw what is used now, what this takes with its reserve, and by how much it is too much."""
    need, available = fit.need_bytes, fit.available_bytes
    if isinstance(need, Unknown) or isinstance(available, Unknown):
        return []
    total = _total(gpu, available)
    used = max(0, total - available)
    scale = max(total, used + need, 1)
    room = max(LEAST_BAR, min(MOST_BAR, width - LABEL - 7 - 28))
    cells = [_cells(size, scale, room) for size in (used, used + _expected(fit, need), used + need)]
    edge = _cells(total, scale, room)
    words = width - LABEL - room - 7

    def row(label: str, bar: Sequence[Span], size: int, text: str) -> Line:
        figure = Span(right(format_gib(size), 6), "strong")
        return (Span(left(label, LABEL), "dim"), *bar, figure, Span(f" {cut(text, words)}", "dim"))

    before, until, end = cells
    kept = min(before, _cells(promised(fit), scale, room))
    if need > 0:
        # However little it is, it is seen.
        before = min(before, room - 1)
        end = max(end, min(room, before + 1))
        until = max(until, before + 1 if end > before else before)
    until = min(until, end)
    shown = max(edge, end)
    rows = [
        row(
            "now used",
            (Span(USED * (before - kept), "bar"), Span(PROMISED * kept, "bar"),
             Span(TRACK * max(0, edge - before), "track"), Span(" " * (room - max(edge, before)))),
            used,
            used_words(fit, held) if used > NOTHING else "nothing else",
        ),
        row(
            "this",
            (
                Span(TRACK * before, "track"),
                Span(THIS * (until - before), "accent"),
                Span(RESERVE * (end - until), "history"),
                Span(TRACK * max(0, edge - end), "track"),
                Span(" " * (room - shown)),
            ),
            need,
            need_words(fit),
        ),
    ]  # fmt: skip
    over = need - available
    if over > 0:
        marks = max(1, end - edge)
        rows.append(
            row(
                "over by",
                (Span(" " * (end - marks)), Span(OVER * marks, "error"), Span(" " * (room - end))),
                over,
                "too much for the card",
            )
        )
    return rows


def _cells(size: int, scale: int, room: int) -> int:
    return max(0, min(room, round(size / scale * room)))


def _total(gpu: Gpu | None, available: int) -> int:
    if gpu is not None and known(gpu.memory_total_bytes):
        return max(gpu.memory_total_bytes, available)
    return available


def _expected(fit: Fit, need: int) -> int:
    expected = fit.expected_use_bytes
    return need if isinstance(expected, Unknown) else min(expected, need)


def promised(fit: Fit) -> int:
    """Give the bytes that services on the card do not hold yet, but will take when they work."""
    return -sum(term.bytes for term in fit.room if term.name == GROWTH and term.bytes < 0)


def used_words(fit: Fit, held: Sequence[Holder]) -> str:
    """Say who takes what is not free for this, such as `myia 5.6*, other 0.4~`.

    What is only promised goes first: nobody sees it on the card.
    """
    names = [
        f"{term.title} {format_gib(-term.bytes)}"
        for term in fit.room
        if term.name == GROWTH and term.bytes < -NOTHING
    ]
    names += [
        f"{holder.name} "
        + (format_gib(holder.used_bytes) if holder.used_bytes is not None else UNKNOWN)
        + holder.mark
        for holder in held
        if holder.name != fit.service
    ]
    return ", ".join(names) or "nobody"


def need_words(fit: Fit) -> str:
    """Say what the need is made of, the largest first, such as `weights 19.0, reserve 0.7`."""
    terms = sorted((term for term in fit.terms if term.bytes > 0), key=lambda term: -term.bytes)
    return ", ".join(f"{term.name} {format_gib(term.bytes)}" for term in terms)


def _verdict_lines(fit: Fit, width: int) -> list[Line]:
    role = verdict_role(fit.verdict)
    if isinstance(fit.verdict, Unknown):
        unknown: Unknown = fit.verdict
        text = f"{UNKNOWN} not known: {fit.reason or unknown.title}"
        lines: list[Line] = [(Span(part, "warning"),) for part in wrap(text, width)]
        return lines + [(Span(part),) for part in wrap(unknown.hint, width) if part]
    text = f"{VERDICT_WORDS.get(fit.verdict, fit.verdict)}: {fit.reason}".rstrip(": ")
    lines = [(Span(part, role),) for part in wrap(text, width)]
    if fit.cost:
        lines += [(Span(part),) for part in wrap(fit.cost, width)]
    return lines


def term_lines(fit: Fit, width: int) -> list[Line]:
    """Give the whole arithmetic: each term with its bytes and where the figure is from."""
    lines = _terms("needs", fit.terms, fit.need_bytes, width)
    lines += _terms("available", fit.room, fit.available_bytes, width)
    if fit.ram_terms:
        lines += _terms("host RAM", fit.ram_terms, fit.ram_need_bytes, width)
    return lines


def _terms(label: str, terms: Sequence[Term], total: int | Unknown, width: int) -> list[Line]:
    name_width = max(10, width - LABEL - 12 - 12)
    rows: list[Line] = [
        (
            Span(right(format_bytes(term.bytes), 11)),
            Span(f"  {left(term.title, name_width)}"),
            Span(f" {term.source}", "dim"),
        )
        for term in terms
    ]
    size = UNKNOWN if isinstance(total, Unknown) else format_bytes(total)
    rows.append((Span(right(size, 11), "strong"), Span(f"  {label} in all", "strong")))
    return labelled(label, rows)


def ways_out(fits: Sequence[Fit]) -> tuple[WayOut, ...]:
    """Give the ways out of some pre-checks, each once, as many as there are digits."""
    found: list[WayOut] = []
    for fit in fits:
        found += [way for way in fit.ways_out if way not in found]
    return tuple(found[:MOST_WAYS])


def way_lines(ways: Sequence[WayOut], width: int) -> list[Line]:
    """List ways out with the digits that choose them and what each would lead to."""
    lines: list[Line] = []
    for number, way in enumerate(ways, 1):
        leads = "" if way.kind == "offload" else f"→ {way.verdict}"
        room = width - LABEL - 3 - len(leads) - 1
        title = f"{way.title} ({way.detail})" if way.detail else way.title
        parts = wrap(title, max(12, room))
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            line: Line = (
                Span(f"{number}  " if not place else "   ", "key"),
                Span(left(part, max(12, room))),
                Span(f" {leads}" if last else "", verdict_role(way.verdict)),
            )
            lines.append(clickable(line, f"way {number}"))
    return labelled("Ways out", lines)


def diff_lines(diff: str, width: int) -> list[Line]:
    """Show a unified diff; the signs at the start of its lines say what the colours say."""
    lines: list[Line] = []
    for text in diff.splitlines():
        role = "dim"
        if text.startswith("+") and not text.startswith("+++"):
            role = "ok"
        elif text.startswith("-") and not text.startswith("---"):
            role = "error"
        elif not text.startswith(("@@", "+++", "---")):
            role = "text"
        lines += [(Span(part, role),) for part in _chopped(text, width)]
    return [BLANK, *lines] if lines else []


def _chopped(text: str, width: int) -> list[str]:
    """Break a line where it ends, blanks kept: what is shown is what would be in the file."""
    parts: list[str] = []
    while text:
        part = take(text, width) or text[0]
        parts.append(part)
        text = text[len(part) :]
    return parts or [""]
