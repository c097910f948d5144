"""What a terminal too small for the dashboard shows: the verdict, and how much room is needed."""

from screens.tui.paint import Line, Span, wrap
from screens.tui.panels.header import verdict_words
from screens.tui.view import Scene

LEAST_WIDTH = 40
LEAST_HEIGHT = 10


def small(scene: Scene, width: int, height: int) -> list[Line]:
    """Give the verdict, wrapped, and in the last line what the dashboard needs."""
    role = scene.snapshot.verdict.severity
    role = role if role in {"error", "warning", "ok"} else "text"
    lines: list[Line] = [(Span(text, role),) for text in wrap(verdict_words(scene), width)]
    room = max(1, height - 1)
    if len(lines) > room:
        lines = lines[:room]
    lines += [()] * (room - len(lines))
    if height > 1:
        need = f"needs {LEAST_WIDTH}x{LEAST_HEIGHT}  q quits"
        lines.append(
            (Span(need if width >= len(need) else f"<{LEAST_WIDTH}x{LEAST_HEIGHT}", "dim"),)
        )
    return lines
