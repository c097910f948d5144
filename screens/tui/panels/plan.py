"""A plan in words: the same facts as `--dry-run` prints, laid out for the dialog."""

from collections.abc import Sequence

from actions.fit.model import Fit, WayOut
from actions.plan import Check, Plan, Step
from actions.snapshot import HostSnapshot
from console.units import format_duration
from screens.tui.holders import holders
from screens.tui.paint import BLANK, Line, Span, wrap
from screens.tui.panels.precheck import (
    LABEL,
    diff_lines,
    labelled,
    precheck_lines,
    way_lines,
)
from screens.tui.panels.pull import commands, file_lines, moves_files

VERDICT_ROLES = {"ready": "ok", "warned": "warning", "refused": "error"}
VERDICT_WORDS = {"ready": "READY", "warned": "READY, with a warning", "refused": "REFUSED"}
FIT = "fit."
SAID = {
    "pull": "Fetch",
    "rm": "Remove",
    "move-file": "Move",
    "delete-file": "Delete",
    "quarantine-file": "Put aside",
    "link-file": "Link",
    "gallery-rm": "Delete",
}
CHECKS = {"pass": ("✔", "ok"), "warn": ("▲", "warning"), "refuse": ("✖", "error")}


def title(plan: Plan) -> str:
    """Name a plan as people say it, such as `Stop myia`."""
    first = "Undo: " if plan.undoes else "Go on: " if plan.continues else ""
    forced = ", forced" if plan.options.get("force") else ""
    return f"{first}{said(plan.verb)} {plan.target}{forced}"


def said(verb: str) -> str:
    """Write a verb as a button and a title say it."""
    return SAID.get(verb, verb.capitalize())


def plan_lines(
    plan: Plan,
    preface: str,
    width: int,
    snapshot: HostSnapshot | None = None,
    ways: Sequence[WayOut] = (),
    details: bool = False,
) -> list[Line]:
    """Give a plan's pre-checks, steps with their commands, checks and verdict; lines of `width`.

    Args:
        plan: what would be done.
        preface: what is said before all.
        width: columns.
        snapshot: the host, for who holds the cards; None where pre-checks are not drawn.
        ways: ways out, in the order of their numbers.
        details: the whole arithmetic of each pre-check.
    """
    room = width - LABEL
    lines: list[Line] = []
    if preface:
        lines += [(Span(text, "warning"),) for text in wrap(preface, width)]
        lines.append(BLANK)
    if snapshot is not None:
        for fit in plan.fits:
            lines += _fit(fit, snapshot, width, details, len(plan.fits) > 1)
    if ways:
        lines += way_lines(ways, width)
    lines += _steps(plan, room, details)
    drawn = bool(plan.fits) and snapshot is not None
    # What a pre-check came to stands beside its bar already.
    told = [check for check in plan.checks if not (drawn and check.id.startswith(FIT))]
    checks = [line for check in told for line in _check(check, room)]
    lines += labelled("Checks", checks)
    lines += labelled("Verdict", _verdict(plan, room, drawn))
    return lines + diff_lines(plan.diff, width)


def _fit(fit: Fit, snapshot: HostSnapshot, width: int, details: bool, named: bool) -> list[Line]:
    """Draw a pre-check; where a plan has several, under the name of its service."""
    gpu = next((one for one in snapshot.gpu.gpus if one.uuid == fit.gpu_uuid), None)
    held = holders(snapshot, gpu) if gpu is not None else []
    head: list[Line] = [(Span(fit.service, "title"),)] if named and fit.service else []
    return [*head, *precheck_lines(fit, gpu, held, width, details), BLANK]


def _steps(plan: Plan, room: int, details: bool) -> list[Line]:
    """Give the steps; those of a download as a table of files, their commands with the details."""
    many = len(plan.steps) > 1
    if moves_files(plan):
        lines = labelled("Files" if many else "File", file_lines(plan, room))
        return lines + (labelled("Commands", commands(plan.steps, room)) if details else [])
    steps = [line for place, step in enumerate(plan.steps, 1) for line in _step(step, place, room)]
    return labelled("Steps" if many else "Step", steps)


def _step(step: Step, place: int, room: int) -> list[Line]:
    lines: list[Line] = [
        (Span(f"{place}  " if not index else "   ", "dim"), Span(text, "strong"))
        for index, text in enumerate(wrap(step.title, room - 3))
    ]
    lines += [
        (Span("   $ " if not index else "     ", "dim"), Span(text, "accent"))
        for index, text in enumerate(wrap(step.command, room - 5))
    ]
    tail = "cannot be undone" if step.destructive else f"undo: {step.undo}" if step.undo else ""
    if tail:
        role = "warning" if step.destructive else "dim"
        lines += [(Span("   "), Span(text, role)) for text in wrap(tail, room - 3)]
    return lines


def _check(check: Check, room: int) -> list[Line]:
    symbol, role = CHECKS.get(check.verdict, ("·", "dim"))
    text = f"{check.title}: {check.detail}" if check.detail else check.title
    return [
        (
            Span(f"{symbol}  " if not index else "   ", role),
            Span(part, "text" if role == "ok" else role),
        )
        for index, part in enumerate(wrap(text, room - 3))
    ]


def _verdict(plan: Plan, room: int, drawn: bool = False) -> list[Line]:
    role = VERDICT_ROLES.get(plan.verdict, "text")
    words = VERDICT_WORDS.get(plan.verdict, plan.verdict)
    if plan.refusal is not None:
        why = f": {plan.refusal.title}"
        if drawn and plan.refusal.code.startswith(FIT):
            why = " by the pre-check"
        lines: list[Line] = [(Span(text, role),) for text in wrap(f"{words}{why}", room)]
        if drawn and any(fit.ways_out for fit in plan.fits):
            # Its hint would say the ways out a second time.
            return lines
        return lines + [(Span(text),) for text in wrap(plan.refusal.hint, room) if text]
    how = ", runs detached" if plan.detached else ""
    text = f"{words}; takes at most {format_duration(plan.longest_seconds)}{how}"
    if plan.endless:
        text = f"{words}; goes on without this console until it is done: 7 shows and pauses it"
    return [(Span(part, role),) for part in wrap(text, room)]
