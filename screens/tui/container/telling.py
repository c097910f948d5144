"""What a tab says while it has nothing to show, or what it shows is old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.errors import ConsoleError
from screens.tui.paint import BLANK, Line, Span, wrap

if TYPE_CHECKING:
    from screens.tui.container.screen import ContainerScreen


def said_lines(text: str, width: int, role: str = "dim") -> list[Line]:
    """Give a text as lines with a margin."""
    return [(Span("  "), Span(part, role)) for part in wrap(text, max(10, width - 4))]


def nothing_yet(screen: ContainerScreen) -> list[Line]:
    """Say that the engine was asked, or why it gave no answer."""
    width = screen.app.size.width
    if screen.is_gone:
        return [BLANK, *said_lines("It is gone: the engine no longer lists it.", width, "warning")]
    if screen.problem is None:
        return [BLANK, *said_lines("Asking the engine …", width)]
    return [BLANK, *error_lines(screen.problem, width)]


def error_lines(error: ConsoleError, width: int) -> list[Line]:
    """Give an error with its hint."""
    lines = said_lines(f"▲ {error.title}", width, "warning")
    return lines + (said_lines(error.hint, width, "text") if error.hint else [])


def staleness(screen: ContainerScreen, width: int) -> list[Line]:
    """Say that what follows is no longer so, and why; nothing while all is well."""
    if screen.details is None:
        return []
    if screen.is_gone:
        text = "✖ It is removed: what follows is how it last was."
        return [BLANK, *said_lines(text, width, "warning")]
    if screen.problem is not None:
        taken = screen.details.taken_at.astimezone().strftime("%H:%M:%S")
        text = f"▲ {screen.problem.title}: what follows is from {taken}."
        return [BLANK, *said_lines(text, width, "warning")]
    return []
