"""The fit matrix: every variant on every card, and the arithmetic of the one under the cursor."""

from collections.abc import Sequence
from typing import NamedTuple

from actions.fit.model import Fit
from console.errors import ConsoleError
from console.gpu.snapshot import Gpu
from console.unknown import Unknown
from screens.tui.holders import holders
from screens.tui.paint import (
    BLANK,
    UNKNOWN,
    Line,
    Span,
    fit,
    left,
    on,
    right,
    text_width,
    wrap,
)
from screens.tui.panels.cards import card_name
from screens.tui.panels.precheck import precheck_lines, verdict_role, way_lines, ways_out
from screens.tui.services.asking import MatrixFits
from screens.tui.services.state import State
from screens.tui.view import Scene
from screens.tui.words import gib

CODES = {"ram": "RAM", "card-too-small": "card"}
OTHER_WORDS = {"capability": "wrong card", "no-card": "no card", "card-lost": "card lost"}
CELL_LEAST = 12
MORE_CARDS = 7
"""Columns of `←0 14→`, which says how many cards are out of sight."""
SYMBOLS = {"resident": "●", "offload": "◐", "refused": "✖"}


class Matrix(NamedTuple):
    """Pre-checks by variant and card, in the order in which they came."""

    variants: tuple[str, ...]
    cards: tuple[str, ...]
    cells: dict[tuple[str, str], Fit]
    best: frozenset[tuple[str, str]] = frozenset()
    tight: frozenset[tuple[str, str]] = frozenset()


def arranged(found: MatrixFits, gpus: Sequence[Gpu]) -> Matrix:
    """Arrange pre-checks by variant and by the cards' order."""
    variants = tuple(dict.fromkeys(one.variant for one in found.fits))
    told = dict.fromkeys(one.gpu_uuid for one in found.fits)
    cards = tuple(gpu.uuid for gpu in gpus if gpu.uuid in told)
    cards += tuple(uuid for uuid in told if uuid not in cards)
    cells = {(one.variant, one.gpu_uuid): one for one in found.fits}
    return Matrix(variants, cards, cells, found.best, found.tight)


def selected(matrix: Matrix, state: State) -> tuple[int, int]:
    """Give the row and the column under the cursor; the first where what was selected is gone."""
    row = matrix.variants.index(state.row) if state.row in matrix.variants else 0
    column = matrix.cards.index(state.card) if state.card in matrix.cards else 0
    return row, column


def title_line(state: State, fresh: bool) -> Line:
    """Say what the matrix is computed for, and whether it is of this moment."""
    task = state.task
    host = "on an empty host" if state.empty else "as the host is now"
    pictures = f"{task.images} picture{'' if task.images == 1 else 's'}"
    return (
        Span(f"  {task.width}x{task.height}, {pictures}, {host}", "strong"),
        Span("" if fresh else "  working it out …", "dim"),
    )


def table(
    scene: Scene, matrix: Matrix, state: State, top: int, width: int, height: int
) -> list[Line]:
    """Give the head and the variants from `top` on; columns around the cursor where many."""
    row, column = selected(matrix, state)
    name_width = max(14, min(30, max((text_width(one) for one in matrix.variants), default=14)))
    room = max(CELL_LEAST, width - name_width - 11)
    if len(matrix.cards) * (CELL_LEAST + 2) > room:
        room = max(CELL_LEAST, room - MORE_CARDS)
    shown = max(1, min(len(matrix.cards), room // (CELL_LEAST + 2)))
    cell = min(26, room // shown - 2)
    first = max(0, min(column - shown // 2, len(matrix.cards) - shown))
    cards = matrix.cards[first : first + shown]
    lines = [_head(scene, cards, name_width, cell, first, len(matrix.cards) - first - shown)]
    for place, variant in enumerate(matrix.variants[top : top + height - 1], top):
        spans = _row(
            matrix, variant, cards, column - first if place == row else -1, name_width, cell
        )
        line = fit(spans, width)
        lines.append(on(line, "selected") if place == row else line)
    return [fit(line, width) for line in lines]


def _head(
    scene: Scene, cards: Sequence[str], name_width: int, cell: int, before: int, after: int
) -> Line:
    gpus = {gpu.uuid: gpu for gpu in scene.snapshot.gpu.gpus}
    spans = [Span("   " + left("variant", name_width) + "   need ", "dim")]
    for uuid in cards:
        gpu = gpus.get(uuid)
        words = f"{gpu.index} {card_name(gpu)}" if gpu is not None else uuid
        spans.append(Span(" " + left(words, cell) + " ", "dim"))
    if before or after:
        spans.append(Span(f"←{before} {after}→", "dim"))
    return tuple(spans)


def _row(
    matrix: Matrix, variant: str, cards: Sequence[str], column: int, name_width: int, cell: int
) -> Line:
    fits = [matrix.cells.get((variant, uuid)) for uuid in cards]
    needs = [one.need_bytes for one in fits if one is not None]
    spans = [
        Span(" ▸ " if column >= 0 else "   ", "title"),
        Span(left(variant, name_width), "strong"),
        Span(right(gib(needs[0]) if needs else UNKNOWN, 7) + " ", "dim"),
    ]
    for place, (uuid, one) in enumerate(zip(cards, fits, strict=True)):
        text = left(cell_text(matrix, one), cell)
        shown = f"[{text}]" if place == column else f" {text} "
        role = verdict_role(one.verdict) if one is not None else "dim"
        spans.append(Span(shown, role, f"cell {variant} {uuid}"))
    return tuple(spans)


def cell_text(matrix: Matrix, one: Fit | None) -> str:
    """Give a verdict with its symbol and, where it is not plain, why; a star for the best."""
    if one is None:
        return UNKNOWN
    if isinstance(one.verdict, Unknown):
        return f"{UNKNOWN} not known"
    place = (one.variant, one.gpu_uuid)
    more = ""
    if one.code in OTHER_WORDS:
        return f"{SYMBOLS['refused']} {OTHER_WORDS[one.code]}"
    if one.verdict == "refused" and one.code in CODES:
        more = f" ({CODES[one.code]})"
    elif place in matrix.tight:
        more = ", tight"
    star = " ★" if place in matrix.best else ""
    return f"{SYMBOLS.get(one.verdict, '·')} {one.verdict}{more}{star}"


def chosen(matrix: Matrix, state: State) -> Fit | None:
    """Give the pre-check under the cursor."""
    row, column = selected(matrix, state)
    return matrix.cells.get((matrix.variants[row], matrix.cards[column]))


def explained(scene: Scene, one: Fit, state: State, width: int) -> list[Line]:
    """Give a pre-check of the matrix, drawn and with its arithmetic."""
    gpu = next((item for item in scene.snapshot.gpu.gpus if item.uuid == one.gpu_uuid), None)
    held = holders(scene.snapshot, gpu) if gpu is not None and not state.empty else []
    lines = precheck_lines(one, gpu, held, width - 3, state.details)
    lines += way_lines(ways_out((one,)), width - 3)
    if not state.details:
        lines.append((Span("d shows the whole arithmetic", "dim"),))
    return [BLANK, *((Span("  "), *line) for line in lines)]


def waiting(trouble: ConsoleError | None, width: int) -> list[Line]:
    """Say why there is no matrix yet."""
    if trouble is None:
        return [BLANK, (Span("  Working out what fits where …", "dim"),)]
    text = f"{trouble.title}; {trouble.hint}" if trouble.hint else trouble.title
    return [BLANK, *((Span("  "), Span(part, "warning")) for part in wrap(text, width - 4))]
