"""What a terminal too small for the dashboard shows: the verdict, and how much room is needed."""

from screens.tui.paint import Line, Span, cut, wrap
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
        lines.append(_last_line(scene, width))
    return lines


def _last_line(scene: Scene, width: int) -> Line:
    """Say what the dashboard needs, after a word for each badge the header would carry."""
    view = scene.view
    told = [
        word
        for word, holds in (("REHEARSAL", view.rehearsal), ("READ-ONLY", view.read_only))
        if holds
    ]
    size = f"{LEAST_WIDTH}x{LEAST_HEIGHT}"
    for need in (f"needs {size}  q quits", f"needs {size}", f"<{size}", ""):
        text = "  ".join([*told, need]).strip()
        if len(text) <= width:
            return (Span(text, "dim"),)
    return (Span(cut("  ".join(told) or f"<{size}", width), "dim"),)
