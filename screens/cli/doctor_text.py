"""An examination in words: a line for each check as it ends, then the findings."""

from actions.doctor.check import Checked, Examination
from screens.cli.findings_text import finding_lines

_MARKS = {"pass": "✔", "warn": "▲", "fail": "✖", "skip": "·"}


def checked_line(event: Checked) -> str:
    """Give one check that has ended, with how many have."""
    one = event.result
    line = f"{event.done:>3}/{event.of} {_MARKS[one.state]} {one.state:<4} {one.id:<28} {one.title}"
    return f"{line} ({one.detail})" if one.detail and one.state != "pass" else line


def examination_text(whole: Examination) -> str:
    """Give the findings, root causes first, and one line that sums up."""
    lines: list[str] = []
    for one in whole.findings:
        lines += finding_lines(one)
    counts = {state: sum(one.state == state for one in whole.results) for state in _MARKS}
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    roots = [one for one in whole.findings if not one.consequence_of and one.severity != "info"]
    said = f"{len(roots)} to look at" if roots else "nothing is wrong"
    mark = "✖" if whole.bad else "▲" if roots else "✔"
    return "\n".join([*lines, "", f"{mark} {said}: {words}, in {whole.seconds:.1f} s"]).lstrip("\n")
