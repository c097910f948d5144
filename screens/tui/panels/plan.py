"""A plan in words: the same facts as `--dry-run` prints, laid out for the dialog."""

from actions.plan import Check, Plan, Step
from console.units import format_duration
from screens.tui.paint import BLANK, Line, Span, left, wrap

LABEL_WIDTH = 11
VERDICT_ROLES = {"ready": "ok", "warned": "warning", "refused": "error"}
VERDICT_WORDS = {"ready": "READY", "warned": "READY, with a warning", "refused": "REFUSED"}
CHECKS = {"pass": ("✔", "ok"), "warn": ("▲", "warning"), "refuse": ("✖", "error")}


def title(plan: Plan) -> str:
    """Name a plan as people say it, such as `Stop myia`."""
    undoing = "Undo: " if plan.undoes else ""
    return f"{undoing}{plan.verb.capitalize()} {plan.target}"


def plan_lines(plan: Plan, preface: str, width: int) -> list[Line]:
    """Give a plan's steps with their commands, its checks, its verdict; lines of `width`."""
    room = width - LABEL_WIDTH
    lines: list[Line] = []
    if preface:
        lines += [(Span(text, "warning"),) for text in wrap(preface, width)]
        lines.append(BLANK)
    steps = [line for place, step in enumerate(plan.steps, 1) for line in _step(step, place, room)]
    lines += _labelled("Steps" if len(plan.steps) > 1 else "Step", steps)
    checks = [line for check in plan.checks for line in _check(check, room)]
    lines += _labelled("Checks", checks)
    lines += _labelled("Verdict", _verdict(plan, room))
    return lines


def _labelled(label: str, lines: list[Line]) -> list[Line]:
    return [
        (Span(left("" if place else label, LABEL_WIDTH), "dim"), *line)
        for place, line in enumerate(lines)
    ]


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


def _verdict(plan: Plan, room: int) -> list[Line]:
    role = VERDICT_ROLES.get(plan.verdict, "text")
    words = VERDICT_WORDS.get(plan.verdict, plan.verdict)
    if plan.refusal is not None:
        lines: list[Line] = [
            (Span(text, role),) for text in wrap(f"{words}: {plan.refusal.title}", room)
        ]
        return lines + [(Span(text),) for text in wrap(plan.refusal.hint, room) if text]
    how = ", runs detached" if plan.detached else ""
    text = f"{words}; takes at most {format_duration(plan.longest_seconds)}{how}"
    return [(Span(part, role),) for part in wrap(text, room)]
