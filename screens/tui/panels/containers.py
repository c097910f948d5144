"""The container table: steady columns at the left, figures that move in a pane of their own."""

from collections.abc import Callable
from typing import NamedTuple

from actions.snapshot import Alert, Claim
from console.engine.snapshot import Container, ContainerUsage
from console.unknown import Unknown, known
from screens.tui.paint import UNKNOWN, Line, Span, clickable, cut, fit, left, on, right, text_width
from screens.tui.rows import Rows, alerts_by_container, matches
from screens.tui.view import FOLD, Scene
from screens.tui.words import (
    State,
    card_text,
    container_state,
    gib,
    health_word,
    short_bytes,
)
from screens.words import SOURCE_WORDS, age, age_begins, ports_text

MARK_WIDTH = 5


class Row(NamedTuple):
    """What the columns of one container draw from; `brief` leaves health to its own column."""

    container: Container
    state: State
    claim: Claim | None
    indexes: dict[str, int]
    alert: Alert | None
    brief: bool = False


class Column(NamedTuple):
    """One column: its title, the least and most columns it takes, and its text.

    `importance` decides which columns stay when the screen is narrow; 0 always stays.
    """

    title: str
    least: int
    most: int
    importance: int
    text: Callable[[Row], str]
    role: str | Callable[[Row], str]

    def role_of(self, row: Row) -> str:
        """Give the role of this column in a row."""
        return self.role if isinstance(self.role, str) else self.role(row)


def _how(row: Row) -> str:
    if row.claim is None:
        return UNKNOWN
    return SOURCE_WORDS.get(row.claim.source, row.claim.source) if row.claim.uses_gpu else ""


def _restarts(row: Row) -> str:
    count = row.container.restart_count
    return UNKNOWN if isinstance(count, Unknown) else str(count)


def _ports(row: Row) -> str:
    return ports_text(row.container.ports)


def _card(row: Row) -> str:
    return card_text(row.claim, row.indexes)


def _card_role(row: Row) -> str:
    return "text" if row.claim is not None and row.claim.gpu_uuids else "dim"


def _state(row: Row) -> str:
    words = row.state.words
    return words.partition(" ")[0] if row.brief and words.startswith("running ") else words


def _health_role(row: Row) -> str:
    return {"healthy": "text", "unhealthy": "error"}.get(health_word(row.container), "dim")


COLUMNS = (
    Column("container", 12, 30, 0, lambda row: row.container.name, "strong"),
    Column("state", 9, 26, 0, _state, lambda row: row.state.role),
    Column("card", 5, 6, 1, _card, _card_role),
    Column("known by", 9, 9, 3, _how, "dim"),
    Column("health", 9, 9, 5, lambda row: health_word(row.container), _health_role),
    Column("restarts", 8, 8, 4, _restarts, "dim"),
    Column("ports", 10, 22, 2, _ports, "dim"),
    Column("image", 14, 40, 6, lambda row: row.container.image, "dim"),
)


def table_rows(scene: Scene, rows: Rows) -> list[Row]:
    """Give the rows' facts together: state, claim, alert and the cards' indexes."""
    alerts = alerts_by_container(scene.snapshot)
    indexes = {gpu.uuid: gpu.index for gpu in scene.snapshot.gpu.gpus}
    return [
        Row(
            container,
            container_state(container, alerts.get(container.id)),
            scene.snapshot.claims.get(container.id),
            indexes,
            alerts.get(container.id),
        )
        for container in rows.containers
    ]


def column_widths(width: int, rows: list[Row]) -> list[tuple[Column, int]]:
    """Choose the columns that fit and how wide each is, by what stands in them."""
    wanted = {
        column.title: max(
            [column.least, text_width(column.title)]
            + [min(column.most, text_width(column.text(row))) for row in rows]
        )
        for column in COLUMNS
    }
    free = width - MARK_WIDTH
    chosen: list[Column] = []
    for column in sorted(COLUMNS, key=lambda column: column.importance):
        # The name and the state are shown whole before any other column may come.
        needed = wanted[column.title] if column.importance == 1 else column.least
        if column.importance == 0:
            free -= min(wanted[column.title], max(column.least, 22)) + 2
        elif needed + 2 > free:
            continue
        else:
            free -= needed + 2
        chosen.append(column)
    free = width - MARK_WIDTH - sum(column.least + 2 for column in chosen)
    widths: dict[str, int] = {}
    for column in sorted(chosen, key=lambda column: column.importance):
        extra = max(0, min(free, wanted[column.title] - column.least))
        widths[column.title] = column.least + extra
        free -= extra
    return [(column, widths[column.title]) for column in COLUMNS if column in chosen]


def table(scene: Scene, rows: Rows, top: int, width: int, height: int) -> list[Line]:
    """Give the head and the rows from `top` on of the steady columns, `height` lines in all."""
    every = table_rows(scene, rows)
    columns = column_widths(width, every)
    if any(column.title == "health" for column, _ in columns):
        every = [row._replace(brief=True) for row in every]
        columns = column_widths(width, every)
    shown = every[top : top + height - 1]
    focused = scene.view.focus == "containers"
    head = [Span(" " * MARK_WIDTH, "dim")]
    head += [
        Span(left(column.title, size) + "  ", "title" if focused and not place else "dim")
        for place, (column, size) in enumerate(columns)
    ]
    lines: list[Line] = [fit(head, width)]
    selected = rows.place(scene.view.container)
    for place, row in enumerate(shown, top):
        lines.append(
            _line(scene, row, columns, width, focused and place == selected, place == selected)
        )
    if rows.folded and len(lines) < height and top + len(shown) == len(every):
        lines.append(_fold_line(scene, rows, width))
    return lines


def _line(
    scene: Scene, row: Row, columns: list[tuple[Column, int]], width: int, lit: bool, selected: bool
) -> Line:
    found = matches(row.container, scene.view.search)
    mark = "▸" if selected else "/" if found else " "
    spans = [Span(f" {mark} ", "title"), Span(f"{row.state.symbol} ", row.state.role)]
    for column, size in columns:
        spans.append(Span(left(column.text(row), size) + "  ", column.role_of(row)))
    line = fit(spans, width)
    line = on(line, "selected") if lit else line
    return clickable(line, f"container {row.container.id}")


def _fold_line(scene: Scene, rows: Rows, width: int) -> Line:
    selected = scene.view.container == FOLD
    text = f"and {rows.folded} other containers"
    line = fit(
        (
            Span(f" {'▸' if selected else ' '} ", "title"),
            Span(text, "text"),
            Span("   ↵ shows them, / finds any", "dim"),
        ),
        width,
    )
    if selected and scene.view.focus == "containers":
        line = on(line, "selected")
    return clickable(line, f"container {FOLD}")


USAGE_WIDTHS = {"wide": 27, "narrow": 6}


def usage_width(width: int) -> int:
    """Give the columns of the figures' pane for a table of `width` columns in all."""
    return USAGE_WIDTHS["wide"] if width >= 72 else USAGE_WIDTHS["narrow"]


def usage(scene: Scene, rows: Rows, top: int, width: int, height: int) -> list[Line]:
    """Give the figures that move: VRAM, CPU, memory, age; for the same rows as `table`."""
    wide = width >= USAGE_WIDTHS["wide"]
    head = "  VRAM    cpu    mem   age " if wide else "  age "
    lines: list[Line] = [fit((Span(head, "dim"),), width)]
    selected = rows.place(scene.view.container)
    for place, container in enumerate(rows.containers[top : top + height - 1], top):
        claim = scene.snapshot.claims.get(container.id)
        text = _usage_text(scene, container, claim, wide)
        line = fit((Span(text, "text" if container.state == "running" else "dim"),), width)
        if place == selected and scene.view.focus == "containers":
            line = on(line, "selected")
        lines.append(clickable(line, f"container {container.id}"))
    if (
        rows.folded
        and scene.view.container == FOLD
        and scene.view.focus == "containers"
        and top + len(lines) - 1 == len(rows.containers)
    ):
        lines.append(on(fit((), width), "selected"))
    return lines[:height]


def _usage_text(scene: Scene, container: Container, claim: Claim | None, wide: bool) -> str:
    old = right(age(age_begins(container), scene.view.now), 5)
    if not wide:
        return old + " "
    used: ContainerUsage | None = scene.snapshot.usage.get(container.id)
    running = container.state == "running"
    cpu = used.cpu_percent if used is not None and running else None
    memory = used.memory_bytes if used is not None and running else None
    cpu_text = f"{cpu:.0f} %" if cpu is not None and known(cpu) else UNKNOWN
    memory_text = short_bytes(memory) if memory is not None else UNKNOWN
    return f"{right(vram(claim), 6)}{right(cpu_text, 7)}{right(memory_text, 7)}{right(old, 6)} "


def vram(claim: Claim | None) -> str:
    """Write the VRAM a container holds; blank where it uses no card, a dash where nobody tells."""
    if claim is None:
        return UNKNOWN
    if not claim.uses_gpu:
        return ""
    mark = "~" if claim.source == "observed" else ""
    return cut(gib(claim.used_bytes) + (mark if known(claim.used_bytes) else ""), 6)
