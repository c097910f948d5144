"""What happened to containers, newest first, from the engine's own events."""

from functools import cache

from console.engine.snapshot import EngineEvent
from console.packaged import read_table
from screens.tui.paint import UNKNOWN, Line, Span, clickable, cut, fit, left
from screens.tui.view import Scene
from screens.tui.words import local_clock


@cache
def _words() -> dict[str, str]:
    words: dict[str, str] = read_table("events.toml")["words"]
    return words


def events(scene: Scene, width: int, height: int) -> list[Line]:
    """Give the head and the newest events in `height` lines; none where nothing happened."""
    if not scene.snapshot.engine.events or height < 2:
        return []
    shown = [event for event in scene.snapshot.engine.events if event.action in _words()]
    lines: list[Line] = [fit((Span(" at     what happened", "dim"),), width)]
    for event in shown[: height - 1]:
        line = fit(_line(scene, event), width)
        lines.append(clickable(line, f"container {event.container_id}"))
    return lines if len(lines) > 1 else []


def _line(scene: Scene, event: EngineEvent) -> Line:
    code = UNKNOWN if event.exit_code is None else str(event.exit_code)
    words = _words()[event.action].format(code=code, signal=event.signal or UNKNOWN)
    bad = event.action in {"oom", "health_status: unhealthy"} or bool(event.exit_code)
    return (
        Span(f" {left(local_clock(event.at, scene.view.now), 6)} ", "dim"),
        Span(f"{cut(event.container_name, 28)} "),
        Span(words, "text" if bad else "dim"),
    )
