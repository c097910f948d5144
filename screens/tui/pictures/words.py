"""What is said where a picture is not drawn, and the facts of one in a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.text import clean_line
from console.units import format_bytes
from screens.tui.paint import Line, Span, cut, text_width, wrap
from screens.tui.pictures.frame import Source

if TYPE_CHECKING:
    from console.errors import ConsoleError
    from console.pictures.look import PictureFacts
    from screens.tui.pictures.drawing import Drawn

WORDS = {
    "drawing": "drawing …",
    "slow": "its disk does not answer; a dead mount never does",
}
NO_PICTURE = "no picture"


def picture_lines(
    source: Source | None, drawn: Drawn | None, note: str, said: str, width: int, height: int
) -> Sequence[Line]:
    """Give what stands in a picture's place: why it is not drawn, or what is known of it.

    Args:
        source: the picture; None where there is none.
        drawn: what came of it so far.
        note: what is said where there is none.
        said: `drawing`, `slow` or empty.
        width: cells across.
        height: cells down.
    """
    room = max(1, width - 2)
    if source is None:
        return _wrapped(note or NO_PICTURE, room, "dim")
    if drawn is None or said == "slow":
        return _wrapped(WORDS.get(said, ""), room, "warning" if said == "slow" else "dim")
    if drawn.error is not None:
        return error_lines(drawn.error, room)[:height]
    lines: list[Line] = []
    if isinstance(source, str):
        lines += _wrapped(shown_path(source, 4096), room, "text")
    if drawn.facts is not None:
        lines += facts_lines(drawn.facts, room)
    return lines


def error_lines(error: ConsoleError, width: int) -> list[Line]:
    """Say why a picture is not drawn, and what to do."""
    lines = _wrapped(f"▲ {error.title}", width, "warning")
    return lines + (_wrapped(error.hint, width, "dim") if error.hint else [])


def _wrapped(text: str, width: int, role: str) -> list[Line]:
    return [(Span(f" {part}", role),) for part in wrap(text, width) if part]


def shown_path(path: str, limit: int = 200) -> str:
    """Give a path as it can be shown: cleaned, with U+FFFD for what is no text."""
    return clean_line(path.encode("utf-8", "replace").decode("utf-8"), limit)


def short_path(path: str, width: int) -> str:
    """Give a path in at most `width` columns: its end, which tells more than its beginning."""
    text = shown_path(path, 4096)
    if text_width(text) <= width:
        return text
    parts = text.split("/")
    for place in range(1, len(parts)):
        shorter = "…/" + "/".join(parts[place:])
        if text_width(shorter) <= width:
            return shorter
    return cut(parts[-1], width)


def facts_line(facts: PictureFacts) -> str:
    """Give size, kind and weight of a picture in one line."""
    kind = facts.media.partition("/")[2].upper() or facts.media
    frames = f", {facts.frames} frames" if facts.frames > 1 else ""
    alpha = ", alpha" if facts.alpha else ""
    size = f", {format_bytes(facts.size)}" if facts.size else ""
    return f"{facts.width}x{facts.height} {kind} {facts.mode}{alpha}{frames}{size}"


def facts_lines(facts: PictureFacts, width: int) -> list[Line]:
    """Give all that is known of a picture, notes and all."""
    lines = _wrapped(facts_line(facts), width, "text")
    for note in facts.notes:
        lines += _wrapped(f"· {clean_line(note, 300)}", width, "dim")
    return lines
