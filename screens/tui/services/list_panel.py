"""The list of services: symbol, name, state with what it is at, card, VRAM beside its budget."""

from collections.abc import Sequence

from actions.services.snapshot import ServiceStatus
from screens.tui.paint import UNKNOWN, Line, Span, clickable, fit, left, on, right, text_width, wrap
from screens.tui.rows import alerts_by_subject
from screens.tui.service_words import service_card, service_state, used_text
from screens.tui.view import Scene
from screens.tui.words import gib, place_text

FIGURES = 20
"""Columns of card, VRAM and budget."""


def service_list(
    scene: Scene, selected: str, search: str, top: int, width: int, height: int
) -> list[Line]:
    """Give the head and the services from `top` on in `height` lines of `width`."""
    services = scene.snapshot.services
    names = [text_width(one.name) for one in services]
    name_width = max(8, min(max(names, default=8), 30, max(8, width - FIGURES - 19)))
    state_width = max(0, width - name_width - 7 - FIGURES)
    head = place_text(top, height - 1, len(services)) or "service"
    titles = f"     {left(head, name_width + 2)}{left('state', state_width)}card VRAM/budget"
    lines: list[Line] = [fit((Span(titles, "dim"),), width)]
    lines += [
        _row(scene, status, status.name == selected, search, name_width, width)
        for status in services[top : top + height - 1]
    ]
    return lines


def _row(
    scene: Scene, status: ServiceStatus, marked: bool, search: str, name_width: int, width: int
) -> Line:
    snapshot = scene.snapshot
    indexes = {gpu.uuid: gpu.index for gpu in snapshot.gpu.gpus}
    container = next(
        (one for one in snapshot.engine.containers if one.id == status.container_id), None
    )
    alerts = alerts_by_subject(snapshot)
    alert = alerts.get(status.container_id) or alerts.get(status.name)
    state = service_state(status, container, alert, indexes, scene.view.now)
    found = search and search.casefold() in status.name.casefold()
    mark = "▸" if marked else "/" if found else " "
    used, who = used_text(status)
    state_width = max(0, width - name_width - 7 - FIGURES)
    line = fit(
        (
            Span(f" {mark} ", "title"),
            Span(f"{state.symbol} ", state.role),
            Span(left(status.name, name_width) + "  ", "strong"),
            Span(left(state.words, state_width), state.role),
            Span(
                right(service_card(status, indexes), 4), "warning" if status.misplaced else "text"
            ),
            Span(f"{right(used, 7)}{who or ' '}", "dim" if used == UNKNOWN else "text"),
            Span(left(f"/{gib(status.vram_budget_bytes)}", 7), "dim"),
        ),
        width,
    )
    return clickable(on(line, "selected") if marked else line, f"service {status.name}")


def no_services(scene: Scene, width: int) -> Sequence[Line]:
    """Say what stands here once there are services, and how they come."""
    engine = scene.snapshot.engine
    if engine.state == "connecting" and engine.problem is None:
        return [(Span("  Looking for services …", "dim"),)]
    text = (
        "No services yet. A service is what you run: Forge, ComfyUI. Write it into the config as "
        "[services.NAME], or start its container: what is recognised is listed here by itself."
    )
    return [(Span(f"  {part}", "text" if not place else "dim"),)
            for place, part in enumerate(wrap(text, width - 4))]  # fmt: skip
