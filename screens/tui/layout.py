"""Where the dashboard's panels stand at every size: from a scene to blocks that tile the screen."""

from collections.abc import Sequence
from typing import NamedTuple

from actions.snapshot import HostSnapshot
from console.gpu.snapshot import Gpu
from screens.tui.cursor import settle_alert, settle_container
from screens.tui.holders import holders
from screens.tui.paint import BLANK, Line, Span
from screens.tui.panels import alerts as alert_panel
from screens.tui.panels import card_list, cards, containers, footer, header
from screens.tui.panels import events as event_panel
from screens.tui.panels.small import LEAST_HEIGHT, LEAST_WIDTH, small
from screens.tui.rows import Rows, container_rows, scroll_to
from screens.tui.view import Block, Scene

SIDE_ALERTS_FROM = 140
SIDE_ALERTS_SHARE = 0.32
MOST_PANELS = 8


class Area(NamedTuple):
    """A rectangle to be filled."""

    x: int
    y: int
    width: int
    height: int


class Dashboard(NamedTuple):
    """The dashboard laid out: its blocks, and what keys need to know about them.

    Attributes:
        rows: the container table's rows.
        page: how many container rows are on the screen.
        watched: ids of the containers whose figures are on the screen.
    """

    blocks: list[Block]
    rows: Rows
    page: int
    watched: tuple[str, ...]


def dashboard(scene: Scene, width: int, height: int, keys: Line = BLANK) -> Dashboard:
    """Lay out the dashboard for a terminal of `width` by `height`; `keys` is the last row."""
    rows = _rows(scene)
    settle_container(scene.view, rows)
    settle_alert(scene.view, scene.snapshot.alerts)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        lines = small(scene, width, height)
        return Dashboard([Block("small", 0, 0, width, height, lines)], rows, 1, ())
    clock = header.CLOCK_WIDTH if width >= 60 else 0
    said = footer.status_lines(scene.view, width, height)
    blocks = [
        Block(
            "header",
            0,
            0,
            width - clock,
            1,
            [header.header(scene.snapshot, scene.view, width - clock)],
        ),
        Block("verdict", 0, 1, width, 1, [header.verdict(scene, width)]),
        Block("status", 0, height - 1 - len(said), width, len(said), said),
        Block("keys", 0, height - 1, width, 1, [keys]),
    ]
    if clock:
        blocks.append(
            Block("clock", width - clock, 0, clock, 1, [header.clock(scene.snapshot, scene.view)])
        )
    top = 3 if height >= 20 else 2
    area = Area(0, top, width, height - top - 1 - len(said))
    page, watched = _middle(scene, rows, area, blocks)
    return Dashboard(blocks, rows, page, watched)


def _rows(scene: Scene) -> Rows:
    snapshot, view = scene.snapshot, scene.view
    rests_on = (
        snapshot.engine.containers,
        snapshot.services,
        snapshot.claims,
        snapshot.alerts,
        view.unfolded,
        bool(view.search),
    )
    return scene.kept.get("rows", rests_on, lambda: container_rows(snapshot, view))


def _middle(
    scene: Scene, rows: Rows, area: Area, blocks: list[Block]
) -> tuple[int, tuple[str, ...]]:
    """Fill what lies between the verdict and the status line."""
    if scene.view.full:
        if scene.view.focus == "cards":
            _card_area(scene, area, blocks, area.height)
            return 1, ()
        if scene.view.focus == "alerts":
            _alert_area(scene, area, blocks, tall=True)
            return 1, ()
        return _container_area(scene, rows, area, blocks)
    used = _card_area(scene, area, blocks, _card_room(scene, rows, area))
    gap = 1 if area.height >= 15 else 0
    rest = Area(area.x, area.y + used + gap, area.width, area.height - used - gap)
    if area.width >= SIDE_ALERTS_FROM:
        side = int(area.width * SIDE_ALERTS_SHARE)
        right = Area(area.width - side, rest.y, side, rest.height)
        _side_area(scene, right, blocks)
        return _container_area(scene, rows, rest._replace(width=area.width - side - 2), blocks)
    under = _alert_height(scene, rows, rest.height)
    gap = 1 if under and rest.height >= 12 else 0
    page, watched = _container_area(
        scene, rows, rest._replace(height=rest.height - under - gap), blocks
    )
    if under:
        _below(scene, rest, under, blocks)
    return page, watched


def _below(scene: Scene, area: Area, under: int, blocks: list[Block]) -> None:
    """Put the alerts right below the table, and what happened below them where there is room."""
    end = max(block.y + block.height for block in blocks if block.y < area.y + area.height)
    spot = Area(area.x, min(end + 1, area.y + area.height - under), area.width, under)
    _alert_area(scene, spot, blocks, tall=False)
    y = spot.y + under + 1
    happened = event_panel.events(scene, area.width, area.y + area.height - y)
    if happened:
        blocks.append(Block("events", area.x, y, area.width, len(happened), happened))


def _alert_height(scene: Scene, rows: Rows, room: int) -> int:
    """Give alerts what the table leaves, at least a third, never more than they need."""
    if room < 6:
        return 0
    wanted = 1 + max(1, len(scene.snapshot.alerts))
    table = rows.lines + 1 + (1 if room >= 12 else 0)
    return max(2, min(wanted, max(room // 3, room - table)))


def _card_room(scene: Scene, rows: Rows, area: Area) -> int:
    """Give the rows that cards may take: about half, more where the table is short."""
    if area.height < 12:
        return max(1, area.height // 3)
    spare = area.height - (rows.lines + 2) - (len(scene.snapshot.alerts) + 2)
    share = 0.5 if len(scene.snapshot.gpu.gpus) <= 4 else 0.65
    return max(min(cards.PANEL_HEIGHT, area.height // 2), min(spare, int(area.height * share)))


def _card_area(scene: Scene, area: Area, blocks: list[Block], room: int) -> int:
    """Fill at most `room` rows with cards; gives how many were used."""
    gpus = scene.snapshot.gpu.gpus
    if not gpus:
        lines = card_list.missing_cards(scene, area.width)[:room]
        blocks.append(Block("cards", area.x, area.y, area.width, len(lines), lines))
        return len(lines)
    columns = max(1, min(len(gpus), area.width // cards.LEAST_PANEL_WIDTH, 4))
    ranks = -(-len(gpus) // columns)
    height = (room - (ranks - 1)) // ranks
    if height < cards.PANEL_HEIGHT or len(gpus) > MOST_PANELS:
        return _card_rows(scene, area, blocks, room)
    height = min(height, cards.PANEL_HEIGHT + 11)
    width = area.width // columns
    most = max(len(holders(scene.snapshot, gpu)) for gpu in gpus)
    heights = history_heights(height, most)
    for place, gpu in enumerate(gpus):
        rank, column = divmod(place, columns)
        spot = Area(area.x + column * width, area.y + rank * (height + 1), width, height)
        if column == columns - 1:
            spot = spot._replace(width=area.width - column * width)
        _card_panel(scene, gpu, spot, blocks, str(place), heights)
    return ranks * (height + 1) - 1


def history_heights(height: int, holders: int) -> tuple[int, int]:
    """Share a panel's spare rows: holders get theirs first, then the two histories grow evenly."""
    spare = height - cards.PANEL_HEIGHT
    spare -= max(0, min(holders - 1, spare, 4))
    busy = max(0, min(4, spare // 2))
    memory = max(0, min(4, spare - busy))
    return 1 + memory, 1 + busy


def _card_panel(
    scene: Scene, gpu: Gpu, area: Area, blocks: list[Block], name: str, heights: tuple[int, int]
) -> None:
    inner = area.width - 1 - cards.FIGURES_WIDTH - 2
    left_lines = cards.figures(scene, gpu, heights, scene.history.minutes(inner))
    right_lines = cards.pictures(scene, gpu, inner, area.height, heights)
    x = area.x + 1
    blocks.append(Block(f"figures-{name}", x, area.y, cards.FIGURES_WIDTH, area.height, left_lines))
    x += cards.FIGURES_WIDTH
    blocks.append(Block(f"pictures-{name}", x, area.y, inner, area.height, right_lines))


def _card_rows(scene: Scene, area: Area, blocks: list[Block], room: int) -> int:
    """Show one line a card, the selected one opened below where there is room for it."""
    gpus: Sequence[Gpu] = scene.snapshot.gpu.gpus
    opened = cards.PANEL_HEIGHT if room >= cards.PANEL_HEIGHT + 1 + min(len(gpus), 10) else 0
    lines_room = min(len(gpus), room - opened - (1 if opened else 0))
    chosen = cards.selected_gpu(scene)
    place = next((at for at, gpu in enumerate(gpus) if chosen and gpu.uuid == chosen.uuid), 0)
    # The last line may only say how many more there are, so the cursor stays above it.
    top = scroll_to(min(place + 1, len(gpus) - 1), scene.view.cards_top, lines_room, len(gpus))
    scene.view.cards_top = top
    lines = card_list.card_rows(scene, gpus[top : top + lines_room], area.width)
    hidden = len(gpus) - top - lines_room
    if hidden and lines_room > 2:
        lines[-1] = (Span(f"     and {hidden + 1} more cards", "dim"),)
    blocks.append(Block("cards", area.x, area.y, area.width, lines_room, lines))
    if opened and chosen is not None:
        height = min(room - lines_room - 1, cards.PANEL_HEIGHT + 3)
        spot = Area(area.x, area.y + lines_room + 1, area.width, height)
        heights = history_heights(height, len(holders(scene.snapshot, chosen)))
        _card_panel(scene, chosen, spot, blocks, "opened", heights)
        return lines_room + 1 + height
    return lines_room


def _side_area(scene: Scene, area: Area, blocks: list[Block]) -> None:
    """Fill the right of a wide screen: alerts, and below them what happened."""
    needed = alert_panel.alerts(scene, 0, area.width, area.height, tall=True)
    room = area.height - len(needed) - 1
    happened = event_panel.events(scene, area.width, room)
    upper = len(needed) if happened else area.height
    _alert_area(scene, area._replace(height=upper), blocks, tall=True)
    if happened:
        y = area.y + upper + 1
        blocks.append(Block("events", area.x, y, area.width, len(happened), happened))


def _alert_area(scene: Scene, area: Area, blocks: list[Block], tall: bool) -> None:
    view = scene.view
    view.alerts_top = scroll_to(
        view.alert_place, view.alerts_top, max(1, area.height - 2), len(scene.snapshot.alerts)
    )
    lines = alert_panel.alerts(scene, view.alerts_top, area.width, area.height, tall)
    blocks.append(Block("alerts", area.x, area.y, area.width, area.height, lines))


def nothing_here(snapshot: HostSnapshot) -> bool:
    """Tell whether there is neither a card nor a container, and no hope of one right now."""
    return (
        not snapshot.gpu.gpus
        and not snapshot.engine.containers
        and not snapshot.services
        and len(snapshot.unavailable) > 1
    )


def _table(scene: Scene, rows: Rows, width: int, height: int) -> list[Line]:
    """Give the steady columns; they rest on what an inspect tells and hardly ever change."""
    snapshot, view = scene.snapshot, scene.view
    cards = tuple((gpu.uuid, gpu.index) for gpu in snapshot.gpu.gpus)
    chosen = (view.container, view.focus, view.search, view.top)
    # The stage of a service that starts is said with how long it takes already.
    starts = view.now if any(one.state == "starting" for one in snapshot.services) else None
    rests_on = (rows, snapshot.claims, snapshot.alerts, cards, chosen, starts, width, height)
    return scene.kept.get(
        "table", rests_on, lambda: containers.table(scene, rows, view.top, width, height)
    )


def _container_area(
    scene: Scene, rows: Rows, area: Area, blocks: list[Block]
) -> tuple[int, tuple[str, ...]]:
    """Fill an area with the container table; gives the rows on the screen and whose they are."""
    if not rows.lines:
        lines = card_list.missing_engine(scene, area.width)
        if nothing_here(scene.snapshot):
            lines += [BLANK, *card_list.rehearsal_offer(area.width)]
        lines = lines[: area.height]
        blocks.append(Block("table", area.x, area.y, area.width, len(lines), lines))
        return 1, ()
    lost = card_list.lost_engine(scene, area.width)[: max(0, area.height - 2)]
    if lost:
        blocks.append(Block("lost", area.x, area.y, area.width, 1, lost))
        area = area._replace(y=area.y + 1, height=area.height - 1)
    page = max(1, area.height - 1)
    view = scene.view
    view.top = scroll_to(rows.place(view.container), view.top, page, rows.lines)
    figures_width = containers.usage_width(area.width, bool(scene.snapshot.services))
    steady = area.width - figures_width
    shown = min(area.height, rows.lines - view.top + 1)
    table = _table(scene, rows, steady, area.height)
    usage = containers.usage(scene, rows, view.top, figures_width, area.height)
    blocks.append(Block("table", area.x, area.y, steady, shown, table))
    blocks.append(Block("usage", area.x + steady, area.y, figures_width, shown, usage))
    in_sight = rows.items[view.top : view.top + page]
    watched = tuple(item.container.id for item in in_sight if item.container is not None)
    return page, watched
