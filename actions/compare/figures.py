"""The figures of a comparison as cells of a table, for a report and for a terminal."""

from collections.abc import Sequence

from actions.compare.model import DONE, Row
from console.units import format_bytes, format_duration
from console.unknown import NOT_KNOWN, Unknown, known

WORDS = frozenset({"variant", "fit", "state"})
"""The columns that hold words; the others hold figures."""

_ALWAYS = ("variant", "fit", "first", "warm", "s/step", "VRAM peak", "PSNR", "state")


def heads_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Give the columns: seed and steps are among them where they are not all the same."""
    heads = list(_ALWAYS)
    if len({row.steps for row in rows if known(row.steps)}) > 1:
        heads.insert(1, "steps")
    if len({row.seed for row in rows}) > 1:
        heads.insert(1, "seed")
    return tuple(heads)


def cells_of(row: Row, heads: Sequence[str]) -> tuple[str, ...]:
    """Give a row's cells; what is not known is a dash, and the row's data has the reason."""
    cells = {
        "variant": row.name,
        "seed": str(row.seed),
        "steps": str(row.steps) if known(row.steps) else NOT_KNOWN,
        "fit": row.fit or NOT_KNOWN,
        "first": _seconds(row.first_seconds),
        "warm": _seconds(row.warm_seconds),
        "s/step": f"{row.seconds_per_step:.2f}" if known(row.seconds_per_step) else NOT_KNOWN,
        "VRAM peak": format_bytes(row.vram_peak_bytes) if known(row.vram_peak_bytes) else NOT_KNOWN,
        "PSNR": psnr_text(row),
        "state": row.state if row.error is None or row.state == DONE else _why(row),
    }
    return tuple(cells[head] for head in heads)


def psnr_text(row: Row) -> str:
    """Give how far a picture is from the reference's, in a word."""
    if row.reference:
        return "reference"
    if row.identical:
        return "identical"
    return f"{row.psnr_db:.1f} dB" if known(row.psnr_db) else NOT_KNOWN


def _seconds(value: float | Unknown) -> str:
    return format_duration(value) if known(value) else NOT_KNOWN


def _why(row: Row) -> str:
    return f"{row.state}: {row.error.title}" if row.error is not None else row.state
