"""The catalogue: every variant with its size, what is on disk, and the verdict for each card."""

from collections.abc import Sequence

from actions.fit.model import Fit
from actions.models.model import Choice, Piece
from console.gpu.snapshot import Gpu
from console.text import clean_line
from console.unknown import Unknown
from screens.tui.details import head, pair
from screens.tui.holders import holders
from screens.tui.models.state import State
from screens.tui.models.words import choice_state, kind_word, piece_state, short_title
from screens.tui.paint import (
    BLANK,
    UNKNOWN,
    Line,
    Span,
    clickable,
    cut,
    fit,
    left,
    on,
    right,
    text_width,
    wrap,
)
from screens.tui.panels.cards import card_name
from screens.tui.panels.precheck import precheck_lines, verdict_role, way_lines, ways_out
from screens.tui.transfer_words import hub_size_text, size_text
from screens.tui.view import Scene
from screens.tui.words import place_text
from screens.words import ADVISED

NAME_LEAST, NAME_MOST = 20, 48
SIZE, DISK = 9, 15
CELL_LEAST, CELL_MOST = 13, 24
MARKS = 3
SYMBOLS = {"resident": "●", "offload": "◐", "refused": "✖"}
SHORT = {"ram": " (RAM)", "card-too-small": " (card)"}


def visible_cards(gpus: Sequence[Gpu], state: State, room: int) -> tuple[Sequence[Gpu], int]:
    """Give the cards there is room for, around the one that is explained, and a cell's width."""
    if not gpus:
        return (), 0
    shown = max(1, min(len(gpus), room // CELL_LEAST))
    if shown < len(gpus):
        shown = max(1, (room - 8) // CELL_LEAST)
    place = next((at for at, gpu in enumerate(gpus) if gpu.uuid == state.card), 0)
    first = max(0, min(place - shown // 2, len(gpus) - shown))
    return gpus[first : first + shown], min(CELL_MOST, room // shown)


def table(
    scene: Scene, choices: Sequence[Choice], state: State, width: int, height: int
) -> list[Line]:
    """Give the head and the variants from `state.list_top` on in `height` lines of `width`."""
    gpus = scene.snapshot.gpu.gpus
    names = max((text_width(one.title) for one in choices), default=NAME_LEAST)
    cells = min(2, len(gpus)) * CELL_LEAST
    name = max(NAME_LEAST, min(names, NAME_MOST, width - MARKS - SIZE - DISK - cells))
    cards, cell = visible_cards(gpus, state, width - MARKS - name - SIZE - DISK)
    label = place_text(state.list_top, height - 1, len(choices)) or "variant"
    titles = f"   {left(label, name)}{right('size', SIZE)}  {left('on disk', DISK - 2)}"
    spans = [Span(titles, "dim")]
    for gpu in cards:
        role = "strong" if gpu.uuid == chosen_card(gpus, state) and len(gpus) > 1 else "dim"
        words = f"{gpu.index} {card_name(gpu)}"
        spans.append(Span(left(cut(words, cell - 1), cell), role, f"card {gpu.uuid}"))
    if len(cards) < len(gpus):
        spans.append(Span(f"{len(gpus) - len(cards)} more", "dim"))
    lines: list[Line] = [fit(spans, width)]
    top = state.list_top
    for one in choices[top : top + height - 1]:
        line = fit(_row(one, state, cards, name, cell), width)
        marked = one.variant == state.variant
        lines.append(clickable(on(line, "selected") if marked else line, f"row {one.variant}"))
    return lines


def _row(one: Choice, state: State, cards: Sequence[Gpu], name: int, cell: int) -> Line:
    disk = choice_state(one)
    found = state.search and state.search.casefold() in one.title.casefold()
    mark = "▸" if one.variant == state.variant else "/" if found else " "
    spans = [
        Span(f" {mark}", "title"),
        Span("+" if one.variant in state.marked else " ", "accent"),
        Span(left(_titled(one.title, name), name), "strong"),
        Span(right(size_text(one.size_bytes), SIZE), "text"),
        Span("  "),
        Span(left(f"{disk.symbol} {disk.words}".strip(), DISK - 2), disk.role),
    ]
    fits = {one.gpu_uuid: one for one in one.fits}
    for gpu in cards:
        text, role = cell_text(one, fits.get(gpu.uuid), gpu.uuid, cell)
        spans.append(Span(left(cut(text, cell - 1), cell), role))
    return tuple(spans)


def _titled(title: str, width: int) -> str:
    return title if text_width(title) <= width else short_title(title)


def cell_text(choice: Choice, one: Fit | None, uuid: str, cell: int) -> tuple[str, str]:
    """Give the verdict on a card in a few words, with its role; a star for what is recommended."""
    if uuid in choice.impossible:
        return "✖ never", "error"
    if one is None:
        return UNKNOWN, "dim"
    if isinstance(one.verdict, Unknown):
        return f"{UNKNOWN} not known", "dim"
    star = f" {_star(choice, uuid)}" if uuid in choice.recommended else ""
    more = SHORT.get(one.code, "") if one.verdict == "refused" and cell > CELL_LEAST + 1 else ""
    symbol = SYMBOLS.get(one.verdict, "·")
    return f"{symbol} {one.verdict}{more}{star}", verdict_role(one.verdict)


def _star(choice: Choice, uuid: str) -> str:
    return ADVISED.get(choice.basis.get(uuid, ""), "★")


def chosen_card(gpus: Sequence[Gpu], state: State) -> str:
    """Give the UUID of the card that is explained; the first where it is gone; empty for none."""
    known = [gpu.uuid for gpu in gpus]
    return state.card if state.card in known else known[0] if known else ""


def details(scene: Scene, one: Choice, state: State, width: int) -> list[Line]:
    """Give all about a variant: what is missing, what it is recommended for, files, pre-check."""
    disk = choice_state(one)
    lines: list[Line] = [
        (
            Span("  "),
            Span(one.title, "title"),
            Span(f"  {one.variant}", "dim"),
        )
    ]
    lines += pair("on disk", _disk_words(one), width, disk.role)
    lines += _cards(scene, one, width)
    lines += head(f"Files, {_whole(one)} in all")
    for piece in one.pieces:
        lines += _piece(piece, width)
    if one.warnings or one.notes:
        lines.append(BLANK)
    for text in one.warnings:
        lines += _told("▲", "warning", text, width)
    for text in one.notes:
        lines += _told("·", "dim", text, width)
    return lines + _precheck(scene, one, state, width)


def _whole(one: Choice) -> str:
    """Give the size of all files in the units of all sizes here, and as the hub's pages do."""
    size = one.size_bytes
    return size_text(size) if size is None else f"{size_text(size)} ({hub_size_text(size)})"


def _disk_words(one: Choice) -> str:
    unknown = one.missing_bytes is None
    missing = "an unknown amount" if unknown else size_text(one.missing_bytes)
    words = {
        "ready": "all of it is there",
        "fetching": f"being fetched, {missing} to go",
        "partly": f"{missing} is missing: p fetches it",
        "missing": f"nothing of it: p fetches {missing}",
        "damaged": "damaged: a file is not what it should be, see below; p puts it right",
        "unreadable": "it cannot be told: a folder cannot be read, see below",
    }
    return words.get(one.state, one.state)


def _cards(scene: Scene, one: Choice, width: int) -> list[Line]:
    """Say for which cards it is recommended and where it can never run, with the reasons."""
    lines: list[Line] = []
    for gpu in scene.snapshot.gpu.gpus:
        name = f"{gpu.index} {card_name(gpu)}: "
        if gpu.uuid in one.recommended:
            text = f"{name}{one.recommended[gpu.uuid]}"
            lines += _told(_star(one, gpu.uuid), "ok", text, width)
        if gpu.uuid in one.impossible:
            lines += _told("✖", "error", f"{name}{one.impossible[gpu.uuid]}", width)
    return lines


def _told(symbol: str, role: str, text: str, width: int) -> list[Line]:
    return [
        (Span(f"  {' ' if place else symbol} {part}", role),)
        for place, part in enumerate(wrap(clean_line(text, 500), width - 6))
    ]


def _piece(piece: Piece, width: int) -> list[Line]:
    """Give a file of a variant, and on a line of its own where it lies."""
    state = piece_state(piece)
    kind = left(kind_word(piece.kind), 16)
    tail = f"{right(size_text(piece.size_bytes), 9)}  {left(state.words, 12)}"
    room = max(8, width - 6 - text_width(kind) - text_width(tail))
    line: Line = (
        Span(f"  {state.symbol} ", state.role),
        Span(kind, "dim"),
        Span(left(clean_line(piece.name, 255), room), "strong"),
        Span(" "),
        Span(tail, state.role),
    )
    return [line, *_where(piece, width)]


def _where(piece: Piece, width: int) -> list[Line]:
    """Say where a file lies, why that cannot be seen, or where the same bytes lie."""
    if piece.problem is not None:
        text = piece.problem.title
        text += f"; {piece.problem.hint}" if piece.problem.hint else ""
    elif piece.state == "missing":
        text = (
            f"the same bytes lie at {piece.elsewhere}: they are linked" if piece.elsewhere else ""
        )
    else:
        text = piece.path
    return [
        (Span(" " * 4), Span(part, "dim")) for part in wrap(clean_line(text), width - 6) if part
    ]


def _precheck(scene: Scene, one: Choice, state: State, width: int) -> list[Line]:
    """Explain the verdict on the card under the cursor, with its ways out."""
    gpus = scene.snapshot.gpu.gpus
    uuid = chosen_card(gpus, state)
    gpu = next((card for card in gpus if card.uuid == uuid), None)
    found = next((fit for fit in one.fits if fit.gpu_uuid == uuid), None)
    if gpu is None or found is None or uuid in one.impossible:
        return []
    held = holders(scene.snapshot, gpu)
    lines = precheck_lines(found, gpu, held, width - 3, state.details)
    lines += way_lines(ways_out((found,)), width - 3)
    if not state.details:
        lines.append((Span("d shows the whole arithmetic", "dim"),))
    return [*head("Pre-check"), *((Span("  "), *line) for line in lines)]


def nothing(text: str, role: str, width: int) -> list[Line]:
    """Say in place of a list why there is none."""
    return [BLANK, *((Span("  "), Span(part, role)) for part in wrap(text, width - 4))]
