"""How a step of setup stands, in lines for people."""

from actions.setup.report import StepReport

_MARKS = {"done": "✔", "needed": "▶", "blocked": "✖", "skipped": "·", "failed": "✖"}


def report_text(one: StepReport, *, whole: bool) -> str:
    """Give a step's state, with all it found and would do where `whole`, else what matters."""
    lines = [f"{_MARKS[one.state]} {one.state:<7} {one.id:<12} {one.detail}"]
    if whole:
        lines += _indented("", one.found)
        if one.state == "needed":
            lines += _would(one)
    if one.state in {"blocked", "failed"} or (whole and one.commands):
        lines += _indented("yours: ", one.commands)
    lines += _indented("wrote ", one.wrote)
    return "\n".join(lines)


def needed_text(one: StepReport) -> str:
    """Give what a step is about to do, before it is agreed to."""
    return "\n".join([f"▶ {one.title}: {one.detail}", *_would(one)])


def _would(one: StepReport) -> list[str]:
    lines = [f"    why: {one.why}", *_indented("", one.proposes), *_indented("runs: ", one.steps)]
    if one.diff:
        lines += ["    writes:", *(f"      {line}" for line in one.diff.splitlines())]
    return lines


def _indented(before: str, lines: tuple[str, ...]) -> list[str]:
    return [f"    {before}{line}" for line in lines]
