"""Bars and histories from block characters: eighths of a column and of a row."""

from functools import lru_cache

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = " ▁▂▃▄▅▆▇█"
TRACK = "░"
NOTHING = "·"
"""Marks a moment of a history about which nothing is known, so that it is not taken for zero."""


def bar(fraction: float, width: int) -> tuple[str, str]:
    """Draw a bar of exactly `width` columns as (filled, track).

    Anything above zero shows at least an eighth of a column, and only a full card fills the last.
    """
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    if fraction > 0:
        eighths = max(1, eighths)
    if fraction < 1:
        eighths = min(width * 8 - 1, eighths)
    eighths = max(0, eighths)
    full, part = divmod(eighths, 8)
    filled = EIGHTHS[8] * full + (EIGHTHS[part] if part else "")
    return filled[:width], TRACK * (width - len(filled))


@lru_cache(maxsize=128)
def graph(values: tuple[float | None, ...], width: int, height: int) -> tuple[str, ...]:
    """Draw the last `width` values (0 to 1, None for unknown) as `height` rows, top row first.

    Values stand at the right; a column without a value yet stays blank, an unknown one is a dot
    on the lowest row, and a value above zero shows at least the lowest level.
    """
    shown = values[-width:] if width > 0 else ()
    padding = width - len(shown)
    rows: list[str] = []
    for row in range(height - 1, -1, -1):
        cells = [_cell(value, row, height) for value in shown]
        rows.append(" " * padding + "".join(cells))
    return tuple(rows)


def _cell(value: float | None, row: int, height: int) -> str:
    if value is None:
        return NOTHING if row == 0 else " "
    clamped = max(0.0, min(1.0, value))
    eighths = round(clamped * height * 8)
    if clamped > 0:
        eighths = max(1, eighths)
    return LEVELS[max(0, min(8, eighths - row * 8))]
