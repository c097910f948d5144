"""A card as a panel: figures at the left, bar, history and holders at the right."""

from actions.card_alerts import short_name
from actions.snapshot import Alert, HostSnapshot
from console.gpu.snapshot import Gpu
from console.units import format_gib
from console.unknown import Unknown, known
from screens.tui.bars import bar, graph
from screens.tui.history import memory_share
from screens.tui.holders import Holder, holders
from screens.tui.paint import (
    BLANK,
    UNKNOWN,
    Line,
    Span,
    clickable,
    cut,
    line_width,
    right,
    text_width,
)
from screens.tui.rows import WEIGHT
from screens.tui.view import Scene
from screens.tui.words import figure, gib, whole_gib
from screens.words import SYMBOLS

FIGURES_WIDTH = 15
PANEL_HEIGHT = 6
LEAST_PANEL_WIDTH = 38


def gravest_alert(snapshot: HostSnapshot, gpu: Gpu) -> Alert | None:
    """Give the gravest alert about a card, if there is one."""
    about = [alert for alert in snapshot.alerts if alert.subject_id == gpu.uuid]
    return min(about, key=lambda alert: WEIGHT[alert.severity], default=None)


def selected_gpu(scene: Scene) -> Gpu | None:
    """Give the selected card; the first where none is, None where there are no cards."""
    gpus = scene.snapshot.gpu.gpus
    wanted = scene.view.gpu
    return next((gpu for gpu in gpus if gpu.uuid == wanted), gpus[0] if gpus else None)


def card_name(gpu: Gpu) -> str:
    """Give a card's name without the words that every card carries."""
    return f"card {UNKNOWN}" if isinstance(gpu.name, Unknown) else short_name(gpu.name)


def is_marked(scene: Scene, gpu: Gpu) -> bool:
    """Tell whether a card carries the cursor."""
    chosen = selected_gpu(scene)
    return scene.view.focus == "cards" and chosen is not None and chosen.uuid == gpu.uuid


def bar_role(alert: Alert | None) -> str:
    """Give the colour of a card's bar: the accent, or that of its gravest alert."""
    return {"error": "bar-error", "warning": "bar-warning"}.get(
        alert.severity if alert else "", "bar"
    )


def figures(scene: Scene, gpu: Gpu, heights: tuple[int, int], minutes: int) -> list[Line]:
    """Give the figures of a card, values first so that only their cells change on the wire.

    Args:
        scene: what to draw from.
        gpu: the card.
        heights: rows of the memory history and of the utilisation history.
        minutes: what the histories show.
    """
    marked = is_marked(scene, gpu)
    stale = scene.snapshot.gpus_stale or gpu.lost is not None
    role = "dim" if stale else "text"
    used = right(gib(gpu.memory_used_bytes), 5)
    watts = right(figure(gpu.power_watts), 3)
    lines: list[Line] = [
        (Span(f"{'▸' if marked else ' '}GPU {gpu.index}", "title" if marked else "strong"),),
        (
            Span(used, role if stale else "strong"),
            Span(f" / {gib(gpu.memory_total_bytes)} G", "dim"),
        ),
    ]
    if heights[0]:
        lines.append((Span(f" VRAM {minutes} min", "dim"),))
        lines += [BLANK] * (heights[0] - 1)
    lines.append((Span(f"{right(figure(gpu.utilization_percent), 4)} % busy", role),))
    lines += [BLANK] * (heights[1] - 1)
    lines.append(
        (Span(f"{right(figure(gpu.temperature_celsius), 4)} °C", _heat_role(scene, gpu, role)),)
    )
    lines.append((Span(f" {watts}", role), Span(f"/{figure(gpu.power_limit_watts)} W", "dim")))
    return [clickable(line, f"gpu {gpu.uuid}") for line in lines]


def _heat_role(scene: Scene, gpu: Gpu, role: str) -> str:
    alert = gravest_alert(scene.snapshot, gpu)
    if alert is not None and "hot" in alert.id:
        return alert.severity
    return role


def pictures(
    scene: Scene, gpu: Gpu, width: int, height: int, heights: tuple[int, int]
) -> list[Line]:
    """Give a card's name, bar, histories and holders beside its figures, `height` rows in all."""
    alert = gravest_alert(scene.snapshot, gpu)
    share = memory_share(gpu)
    filled, track = bar(share, width) if share is not None else ("", UNKNOWN)
    lines: list[Line] = [
        _title(scene, gpu, alert, width),
        (Span(filled, bar_role(alert)), Span(track, "track")),
    ]
    memory = scene.history.columns(gpu.uuid, "memory", width)
    busy = scene.history.columns(gpu.uuid, "busy", width)
    lines += [(Span(row, "history"),) for row in graph(memory, width, heights[0])]
    lines += [(Span(row, "history-busy"),) for row in graph(busy, width, heights[1])]
    rest = height - len(lines)
    if known(gpu.memory_used_bytes):
        lines += holder_lines(holders(scene.snapshot, gpu), width, max(1, rest - 1))
    else:
        lines.append((Span(f"{UNKNOWN} who holds it is not known", "dim"),))
    lines.append(remark(gpu, alert))
    return [clickable(line, f"gpu {gpu.uuid}") for line in lines[:height]]


def _title(scene: Scene, gpu: Gpu, alert: Alert | None, width: int) -> Line:
    marked = is_marked(scene, gpu)
    name, tail = card_name(gpu), f"  {whole_gib(gpu.memory_total_bytes)}"
    # The size is in the figures too: it goes before the name is cut.
    tail = "" if text_width(name) + len(tail) > width - 3 else tail
    line: list[Span] = [
        Span(cut(name, width - 3), "title" if marked else "strong"),
        Span(tail, "dim"),
    ]
    if gpu.lost is not None:
        line.append(Span("  lost", "error"))
    elif scene.snapshot.gpus_stale:
        line.append(Span("  stale", "warning"))
    elif alert is not None and alert.severity != "info":
        line.append(Span(f"  {SYMBOLS[alert.severity]}", alert.severity))
    return tuple(line)


def remark(gpu: Gpu, alert: Alert | None) -> Line:
    """Give the last row of a card: what is wrong with it, what throttles it, or its clocks."""
    if gpu.lost is not None:
        return (Span(f"✖ {gpu.lost.title}", "error"),)
    line: list[Span] = []
    slowed = throttle_words(gpu)
    if slowed:
        line.append(Span(slowed, "warning"))
    if alert is not None and alert.severity != "info" and not line:
        line.append(Span(f"{SYMBOLS[alert.severity]} {alert.title}", alert.severity))
    if not line:
        parts = [
            f"{gpu.performance_state}" if known(gpu.performance_state) else "",
            f"{gpu.clock_graphics_mhz} MHz" if known(gpu.clock_graphics_mhz) else "",
            f"fan {gpu.fan_percent} %" if known(gpu.fan_percent) else "",
        ]
        line.append(Span("  ".join(part for part in parts if part), "dim"))
    return tuple(line)


def throttle_words(gpu: Gpu) -> str:
    """Say what slows a card, such as `power-capped`; empty where nothing does.

    What only says more exactly what was said is left to the details, which list every reason.
    """
    if isinstance(gpu.throttle_reasons, Unknown) or not gpu.throttle_reasons:
        return ""
    # Imported late: the names come from a file, and most cards are not throttled at start-up.
    from console.gpu.faults import slowing, throttle_label

    # Where the line is cut, heat is what must not be missed.
    worst_first = sorted(slowing(gpu.throttle_reasons), key=lambda name: "thermal" not in name)
    labels: list[str] = []
    for name in worst_first:
        label = throttle_label(name)
        if not any(label.startswith(said) for said in labels):
            labels.append(label)
    return ", ".join(labels)


def holder_spans(holder: Holder) -> Line:
    """Write one holder: name, GiB, and the mark of where the figure comes from."""
    role = "text" if holder.container_id else "dim"
    size = format_gib(holder.used_bytes) if holder.used_bytes is not None else ""
    return (
        Span(f"{holder.name} ", role),
        Span(f"{size or UNKNOWN}{holder.mark}", "strong" if size else "dim"),
    )


def holder_lines(found: list[Holder], width: int, height: int) -> list[Line]:
    """Say who holds a card: one a row with its source where there is room, else run together."""
    if not found:
        return [(Span("nobody holds memory", "dim"),)]
    if height >= 2 and height >= len(found):
        return [_holder_row(holder, width) for holder in found]
    line: list[Span] = []
    hidden = 0
    for holder in found:
        spans = (*holder_spans(holder), Span("  "))
        if line_width(line) + line_width(spans) <= width - (
            4 if hidden or holder is not found[-1] else 0
        ):
            line += spans
        else:
            hidden += 1
    if hidden:
        line.append(Span(f"+{hidden}", "dim"))
    return [tuple(line)]


def _holder_row(holder: Holder, width: int) -> Line:
    size = format_gib(holder.used_bytes) if holder.used_bytes is not None else UNKNOWN
    how = f"  {holder.how}" if width >= 34 else ""
    return (
        Span(right(size, 5), "strong" if holder.used_bytes is not None else "dim"),
        Span(f"{holder.mark or ' '} "),
        Span(
            cut(holder.name, max(6, width - 7 - len(how))), "text" if holder.container_id else "dim"
        ),
        Span(how, "dim"),
    )
