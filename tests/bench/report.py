"""The table that `make bench` prints: figures, ratios, budgets, in Markdown."""

import os
import platform
from collections.abc import Sequence

import msgspec

OURS = "gpuconsole"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of every program that has it; `must` and `should` are budgets for ours."""

    title: str
    unit: str
    values: dict[str, float]
    must: float | None = None
    should: float | None = None

    @property
    def verdict(self) -> str:
        """Say how ours stands to its budgets: `good`, `within`, `over`, or nothing."""
        ours = self.values.get(OURS)
        if ours is None or self.must is None:
            return ""
        if ours > self.must:
            return "over"
        return "good" if self.should is None or ours <= self.should else "within"


def render(rows: Sequence[Row]) -> str:
    """Give the table; a peer's cell also says how many times its figure ours is."""
    names = [OURS]
    for row in rows:
        names += [name for name in row.values if name not in names]
    head = ["", *names, "must", "should", "verdict"]
    lines = [_machine(), "", _line(head), _line(["---"] + ["---:"] * (len(head) - 2) + ["---"])]
    for row in rows:
        cells = [_cell(row, name) for name in names]
        lines.append(
            _line(
                [row.title, *cells, _budget(row, row.must), _budget(row, row.should), row.verdict]
            )
        )
    return "\n".join(lines)


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; medians, pty of 120x40, 2 cards, 1 Hz. "
        "In brackets: ours divided by theirs."
    )


def _cell(row: Row, name: str) -> str:
    value = row.values.get(name)
    if value is None:
        return "–"  # noqa: RUF001 -- the dash that stands for an unknown value everywhere
    ours = row.values.get(OURS)
    ratio = f" ({ours / value:.2f})" if name != OURS and ours is not None and value else ""
    return f"{_number(value)} {row.unit}{ratio}"


def _budget(row: Row, value: float | None) -> str:
    return "" if value is None else f"≤ {_number(value)} {row.unit}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
