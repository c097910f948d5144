"""The table of services and containers: steady columns, and figures that move in their own pane."""

from collections.abc import Callable
from typing import NamedTuple

from actions.snapshot import Alert, Claim
from console.engine.snapshot import Container, ContainerUsage
from console.unknown import Unknown, known
from screens.tui.paint import UNKNOWN, Line, Span, clickable, cut, fit, left, on, right, text_width
from screens.tui.rows import Item, Rows, alerts_by_subject, matches
from screens.tui.service_words import service_card, service_state, used_text
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
SERVICE_STATE = 26
WHO_SHORT = {"processes": "driver", "observed": "service", "declared": "declared"}


class Row(NamedTuple):
    """What the columns of one row draw from; `brief` leaves health to its own column."""

    item: Item
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
    if row.item.service is not None:
        declared = service_card(row.item.service, row.indexes).endswith("?")
        return WHO_SHORT.get(row.item.service.gpu_source, "declared" if declared else UNKNOWN)
    if row.claim is None:
        return UNKNOWN
    return SOURCE_WORDS.get(row.claim.source, row.claim.source) if row.claim.uses_gpu else ""


def _restarts(row: Row) -> str:
    container = row.item.container
    if container is None or isinstance(container.restart_count, Unknown):
        return UNKNOWN
    return str(container.restart_count)


def _ports(row: Row) -> str:
    return ports_text(row.item.container.ports) if row.item.container is not None else ""


def _image(row: Row) -> str:
    return row.item.container.image if row.item.container is not None else UNKNOWN


def _health(row: Row) -> str:
    return health_word(row.item.container) if row.item.container is not None else UNKNOWN


def _card(row: Row) -> str:
    if row.item.service is not None:
        return service_card(row.item.service, row.indexes)
    return card_text(row.claim, row.indexes)


def _card_role(row: Row) -> str:
    if row.item.service is not None:
        return "warning" if row.item.service.misplaced else "text"
    return "text" if row.claim is not None and row.claim.gpu_uuids else "dim"


def _state(row: Row) -> str:
    words = row.state.words
    return words.partition(" ")[0] if row.brief and words.startswith("running ") else words


def _health_role(row: Row) -> str:
    return {"healthy": "text", "unhealthy": "error"}.get(_health(row), "dim")


COLUMNS = (
    Column("container", 12, 30, 0, lambda row: row.item.name, "strong"),
    Column("state", 9, 34, 0, _state, lambda row: row.state.role),
    Column("card", 5, 6, 1, _card, _card_role),
    Column("known by", 9, 9, 3, _how, "dim"),
    Column("health", 9, 9, 5, _health, _health_role),
    Column("restarts", 8, 8, 4, _restarts, "dim"),
    Column("ports", 10, 22, 2, _ports, "dim"),
    Column("image", 14, 40, 6, _image, "dim"),
)


def table_rows(scene: Scene, rows: Rows) -> list[Row]:
    """Give the rows' facts together: state, claim, alert and the cards' indexes."""
    alerts = alerts_by_subject(scene.snapshot)
    indexes = {gpu.uuid: gpu.index for gpu in scene.snapshot.gpu.gpus}
    made: list[Row] = []
    for item in rows.items:
        container, service = item.container, item.service
        alert = alerts.get(item.key) or alerts.get(item.name)
        if service is not None:
            state = service_state(service, container, alert, indexes, scene.view.now)
        elif container is not None:
            state = container_state(container, alert)
        else:
            continue
        claim = scene.snapshot.claims.get(item.key)
        made.append(Row(item, state, claim, indexes, alert))
    return made


def column_widths(width: int, rows: list[Row]) -> list[tuple[Column, int]]:
    """Choose the columns that fit and how wide each is, by what stands in them."""
    wanted = {
        column.title: max(
            [column.least, text_width(column.title)]
            + [min(column.most, text_width(column.text(row))) for row in rows]
        )
        for column in COLUMNS
    }
    if any(row.item.service is not None for row in rows):
        # What a service is at changes all the time: the columns beside it stand still.
        wanted["state"] = max(wanted["state"], SERVICE_STATE)
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
    titles = {"container": "service" if scene.snapshot.services else "container"}
    head += [
        Span(
            left(titles.get(column.title, column.title), size) + "  ",
            "title" if focused and not place else "dim",
        )
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
    found = matches(row.item, scene.view.search)
    mark = "▸" if selected else "/" if found else " "
    spans = [Span(f" {mark} ", "title"), Span(f"{row.state.symbol} ", row.state.role)]
    for column, size in columns:
        spans.append(Span(left(column.text(row), size) + "  ", column.role_of(row)))
    line = fit(spans, width)
    line = on(line, "selected") if lit else line
    return clickable(line, f"container {row.item.key}")


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


WIDE, WIDE_WITH_BUDGETS, NARROW = 27, 30, 6
"""Columns of the figures' pane: with VRAM, with the budget beside it, with ages alone."""


def usage_width(width: int, budgets: bool) -> int:
    """Give the columns of the figures' pane for a table of `width` columns in all.

    Args:
        width: of the table with its figures.
        budgets: there are services, whose budgets stand beside what they use.
    """
    if width < 72:
        return NARROW
    return WIDE_WITH_BUDGETS if budgets else WIDE


def usage(scene: Scene, rows: Rows, top: int, width: int, height: int) -> list[Line]:
    """Give the figures that move: VRAM, CPU, memory, age; for the same rows as `table`."""
    heads = {
        WIDE: "  VRAM    cpu    mem   age ",
        WIDE_WITH_BUDGETS: " VRAM/budget  cpu   mem  age ",
        NARROW: "  age ",
    }
    lines: list[Line] = [fit((Span(heads.get(width, heads[NARROW]), "dim"),), width)]
    selected = rows.place(scene.view.container)
    for place, item in enumerate(rows.items[top : top + height - 1], top):
        line = fit(_usage_line(scene, item, width), width)
        if place == selected and scene.view.focus == "containers":
            line = on(line, "selected")
        lines.append(clickable(line, f"container {item.key}"))
    if (
        rows.folded
        and scene.view.container == FOLD
        and scene.view.focus == "containers"
        and top + len(lines) - 1 == len(rows.items)
    ):
        lines.append(on(fit((), width), "selected"))
    return lines[:height]


def _usage_line(scene: Scene, item: Item, width: int) -> Line:
    container = item.container
    began = age_begins(container) if container is not None else None
    old = age(began, scene.view.now)
    running = container is not None and container.state == "running"
    role = "text" if running else "dim"
    if width == NARROW:
        return (Span(right(old, 5) + " ", role),)
    cpu_text, memory_text = _load(scene, container if running else None)
    claim = scene.snapshot.claims.get(item.key)
    if width == WIDE:
        figures = f"{right(vram(claim), 6)}{right(cpu_text, 7)}{right(memory_text, 7)}"
        return (Span(f"{figures}{right(old, 6)} ", role),)
    tail = Span(f"{right(cpu_text, 6)}{right(memory_text, 6)}{right(old, 5)} ", role)
    if item.service is None:
        held = vram(claim)
        # A mark stands behind the figure, so that the figures line up with those of services.
        held = held if held.endswith("~") else f"{held} "
        return (Span(left(right(held, 7), 12), role), tail)
    used, mark = used_text(item.service)
    role = "dim" if used == UNKNOWN else "text"
    budget = Span(left(f"/{gib(item.service.vram_budget_bytes)}", 5), "dim")
    return (Span(f"{right(used, 6)}{mark or ' '}", role), budget, tail)


def _load(scene: Scene, container: Container | None) -> tuple[str, str]:
    """Write CPU and memory of a container that runs; dashes where nobody knows."""
    used: ContainerUsage | None = (
        scene.snapshot.usage.get(container.id) if container is not None else None
    )
    if used is None:
        return UNKNOWN, UNKNOWN
    cpu_text = f"{used.cpu_percent:.0f} %" if known(used.cpu_percent) else UNKNOWN
    return cpu_text, short_bytes(used.memory_bytes)


def vram(claim: Claim | None) -> str:
    """Write the VRAM a container holds; blank where it uses no card, a dash where nobody tells."""
    if claim is None:
        return UNKNOWN
    if not claim.uses_gpu:
        return ""
    mark = "~" if claim.source == "observed" else ""
    return cut(gib(claim.used_bytes) + (mark if known(claim.used_bytes) else ""), 6)
