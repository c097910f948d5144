"""Many cards: one line a card; and what stands there when there is no card at all."""

from collections.abc import Sequence

from console.gpu.snapshot import Gpu
from console.unknown import Unknown
from screens.tui.bars import bar
from screens.tui.history import memory_share
from screens.tui.paint import UNKNOWN, Line, Span, clickable, cut, fit, left, on, right, wrap
from screens.tui.panels.cards import bar_role, card_name, gravest_alert, selected_gpu
from screens.tui.view import Scene
from screens.tui.words import figure, gib, local_clock
from screens.words import SYMBOLS

LIST_FIGURES_WIDTH = 44


def card_rows(scene: Scene, gpus: Sequence[Gpu], width: int) -> list[Line]:
    """Give one line for each card: figures first, then bar and name."""
    chosen = selected_gpu(scene)
    rows: list[Line] = []
    for gpu in gpus:
        marked = chosen is not None and chosen.uuid == gpu.uuid
        line = fit(_row(scene, gpu, width, marked), width)
        if marked and scene.view.focus == "cards":
            line = on(line, "selected")
        rows.append(clickable(line, f"gpu {gpu.uuid}"))
    return rows


def _row(scene: Scene, gpu: Gpu, width: int, marked: bool) -> Line:
    alert = gravest_alert(scene.snapshot, gpu)
    role = "dim" if scene.snapshot.gpus_stale or gpu.lost is not None else "text"
    name_width = 22 if width >= 76 else 0
    bar_width = max(0, min(60, width - LIST_FIGURES_WIDTH - name_width))
    share = memory_share(gpu)
    filled, track = bar(share, bar_width) if share is not None else ("", UNKNOWN)
    spans: list[Span] = [
        Span(f"{'▸' if marked else ' '}{gpu.index:>2} ", "title" if marked else "strong"),
        Span(
            f"{right(gib(gpu.memory_used_bytes), 5)}/{left(gib(gpu.memory_total_bytes), 5)}", role
        ),
        Span(f"{right(figure(gpu.utilization_percent), 4)} %", role),
        Span(f"{right(figure(gpu.temperature_celsius), 4)} °C", role),
    ]
    mark: tuple[Span, ...] = ()
    if gpu.lost is not None:
        mark = (Span("✖ lost ", "error"),)
    elif alert is not None and alert.severity != "info":
        mark = (Span(f"{SYMBOLS[alert.severity]} ", alert.severity),)
    watts = f"{right(figure(gpu.power_watts), 4)}/{left(figure(gpu.power_limit_watts), 3)} W "
    if bar_width or not mark:
        spans.append(Span(watts, role))
    if bar_width:
        spans += [
            Span(filled, bar_role(alert)),
            Span(left(track, bar_width - len(filled)), "track"),
            Span(" "),
        ]
    # Without room for a bar, what is wrong takes the place of the watts.
    spans += mark if bar_width else (Span(" "), *mark)
    if name_width or bar_width:
        spans.append(Span(card_name(gpu), "dim"))
    return tuple(spans)


def missing_cards(scene: Scene, width: int) -> list[Line]:
    """Say in two lines what is missing and what to do where there is no card to show."""
    gpu = scene.snapshot.gpu
    problem: Unknown | None = gpu.problem
    if problem is None and gpu.taken_monotonic is None:
        return [(Span(" Reading the cards …", "dim"),)]
    if problem is None:
        problem = Unknown(
            "gpu.none", "The driver answers, but there is no card", "check that a card is fitted"
        )
    return missing(f"No cards: {problem.title}", problem.hint, width)


def missing_engine(scene: Scene, width: int) -> list[Line]:
    """Say in two lines why there are no containers and what to do; None of them is made up."""
    engine = scene.snapshot.engine
    problem = engine.problem
    if problem is None and engine.state != "connected":
        return [(Span(f" Asking the engine at {engine.endpoint} …", "dim"),)]
    if problem is None:
        return [
            (Span(" No containers on this engine yet", "text"),),
            (Span(f" {engine.endpoint}", "dim"),),
        ]
    source = f"{engine.endpoint}, from {engine.endpoint_source}"
    bare = engine.endpoint.partition("://")[2]
    where = engine.endpoint_source if bare and bare in problem.title else source
    return missing(f"No containers: {problem.title} ({where})", problem.hint, width)


def rehearsal_offer(width: int) -> list[Line]:
    """Offer setup, and the rehearsal host, where this one has nothing to show."""
    offers = (
        ("S", "sets this host up, step by step, to the first edited picture"),
        ("d", "opens the rehearsal host: this program on a simulated studio"),
    )
    return [
        clickable(
            fit((Span(" "), Span(f" {key} ", "badge"), Span(f" {text}")), width), f"key {key}"
        )
        for key, text in offers
    ]


def lost_engine(scene: Scene, width: int) -> list[Line]:
    """Say that the container table shows what was last heard, and since when."""
    engine = scene.snapshot.engine
    if engine.state == "connected" or engine.problem is None or not engine.containers:
        return []
    heard = local_clock(engine.taken_at, scene.view.now) if engine.taken_at else "before"
    text = f"▲ engine lost, as last heard at {heard}: {engine.problem.title}"
    return [fit((Span(" "), Span(text, "warning")), width)]


def missing(title: str, hint: str, width: int) -> list[Line]:
    """Give a problem's title and hint, each wrapped to at most two lines."""
    lines: list[Line] = [
        (Span(f" {text}", "warning"),) for text in _two_lines(f"▲ {title}", width - 2)
    ]
    if hint:
        lines += [(Span(f"   {text}", "text"),) for text in _two_lines(hint, width - 4)]
    return lines


def _two_lines(text: str, width: int) -> list[str]:
    """Wrap a text to two lines; the second says by its end that there was more."""
    lines = wrap(text, width)
    if len(lines) <= 2:
        return lines
    return [lines[0], cut(f"{lines[1]} {lines[2]}" + " " * width, width).rstrip()]
