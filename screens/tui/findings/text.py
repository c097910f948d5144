"""A finding as text to copy: one step, the fix, or all of it."""

from __future__ import annotations

from actions.runbook.finding import Finding
from screens.tui.paint import TIMES


def fix_text(one: Finding, step: int) -> tuple[str, str]:
    """Give what is copied and its name: the chosen step, else the plan's command or the steps."""
    if 1 <= step <= len(one.fix):
        return one.fix[step - 1], f"step {step}"
    if one.mend is not None and one.mend.command:
        return one.mend.command, "the command of the plan"
    if one.fix:
        return "\n".join(one.fix), "the fix" if len(one.fix) == 1 else f"all {len(one.fix)} steps"
    return one.title, "its title: no fix is known"


def whole_text(one: Finding) -> str:
    """Give a finding to paste into a letter; secrets are masked in it already."""
    times = f" {TIMES}{one.count}" if one.count > 1 else ""
    since = f", since {one.since:%Y-%m-%d %H:%M:%S %Z}" if one.since is not None else ""
    lines = [one.title, f"{one.severity} {one.id}, {one.subject}{times}{since}"]
    lines += [f"> {' '.join(filter(None, (each.at, each.text)))}" for each in one.evidence]
    lines += [f"Cause: {one.cause}"] if one.cause else []
    for name, steps in (("Fix", one.fix), ("Then", one.next)):
        lines += [f"{name} {number}: {step}" for number, step in enumerate(steps, 1)]
    lines += [f"Plan: {one.mend.command}"] if one.mend is not None and one.mend.command else []
    return "\n".join([*lines, *one.links])
