"""How a step of setup stands, in lines for people."""

from collections.abc import Iterator, Sequence

from actions.setup.report import Ask, StepReport
from screens.cli.setup_drawing import layout_lines, table_lines
from screens.cli.wrapping import folded

WIDTH = 80
_MARKS = {"done": "✔", "needed": "▶", "blocked": "✖", "skipped": "·", "failed": "✖"}
_IN = "    "


def report_text(one: StepReport, *, whole: bool) -> str:
    """Give a step's state, with all it found and would do where `whole`, else what matters."""
    lines = folded(f"{_MARKS[one.state]} {one.state:<7} {one.id:<12} {one.detail}", WIDTH, _IN)
    if whole or one.state == "failed":
        lines += _indented("", one.found)
    if whole:
        lines += compared_lines(one)
        if one.state in {"needed", "done"}:
            lines += _would(one)
    if one.commands:
        # Set in by blanks alone, so that they can be copied.
        told = [line for command in one.commands for line in command.splitlines()]
        lines += [f"{_IN}yours to do:", *(f"      {line}" for line in told)]
    lines += [f"{_IN}picture {path}" for path in one.pictures]
    lines += [f"{_IN}wrote {path}" for path in one.wrote]
    return "\n".join(lines)


def needed_text(one: StepReport) -> str:
    """Give what a step is about to do, before it is agreed to."""
    return "\n".join([*folded(f"▶ {one.title}: {one.detail}", WIDTH, _IN), *_would(one)])


def compared_lines(one: StepReport) -> list[str]:
    """Give what a step has to compare: layouts on the cards, and a table."""
    drawn = layout_lines(one.layouts, WIDTH - len(_IN))
    if one.table is not None and one.table.rows:
        drawn += table_lines(one.table, WIDTH - len(_IN))
    return [_IN + line for line in drawn]


def asking_lines(one: StepReport) -> list[str]:
    """Give what a person has to know before a step's questions are put."""
    about = folded(f"▶ {one.title}: {one.detail}", WIDTH, _IN)
    return [*about, *_indented("", one.found), *compared_lines(one)]


def ask_lines(one: Ask) -> list[str]:
    """Give a question with what may be answered, numbered from 1; `★` is what is advised."""
    lines = folded(f"? {one.title}", WIDTH, "  ")
    if one.about:
        lines += folded(f"  {one.about}", WIDTH, "  ")
    for number, option in enumerate(one.options, 1):
        mark = "★" if option.recommended else " "
        said = option.value if option.value != option.title else ""
        named = f"{option.title} ({said})" if said else option.title
        detail = f": {option.detail}" if option.detail else ""
        lines += folded(f"  {number:>2} {mark} {named}{detail}", WIDTH, "       ")
    return lines


def _would(one: StepReport) -> list[str]:
    lines = folded(f"{_IN}why: {one.why}", WIDTH, _IN * 2) if one.state == "needed" else []
    lines += _indented("", one.proposes)
    lines += [f"{_IN}runs: {line}" for line in one.steps]
    if one.diff:
        lines += [f"{_IN}writes:", *(f"      {line}" for line in one.diff.splitlines())]
    return lines


def _indented(before: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield from folded(f"{_IN}{before}{line}", WIDTH, _IN * 2)
