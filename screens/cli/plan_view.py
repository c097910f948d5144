"""A plan and what happens while it runs, as text for people and as data for scripts."""

from typing import Any

from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, StepProgress, StepStarted
from console.errors import ConsoleError, ExitCode
from console.units import format_duration
from console.unknown import plain
from screens.cli.fit_view import fit_text
from screens.cli.jobs_text import transfer_text

# The pre-check says these itself, with its arithmetic and all the ways out.
_SAID_BY_FIT = frozenset({"fit.resident", "fit.offload", "fit.refused"})
_MARKS = {"pass": "ok  ", "warn": "warn", "refuse": "NO  "}


def plan_text(plan: Plan) -> str:
    """Give a plan as the lines shown before it is confirmed, and by `--dry-run`."""
    lines = [f"{plan.verb.capitalize()} {plan.target}  ({_kind(plan)})"]
    for fit in plan.fits:
        lines += [f"  {line}" for line in fit_text(fit)]
    for check in plan.checks:
        if check.id in _SAID_BY_FIT and plan.fits:
            continue
        lines.append(f"  {_MARKS[check.verdict]}  {check.title}")
        if check.detail and check.verdict != "pass":
            lines.append(f"        {check.detail}")
    for number, step in enumerate(plan.steps, start=1):
        lines.append(f"  step {number}  {step.title}: {step.command}")
        if step.destructive:
            lines.append("          something is lost that cannot be brought back")
        lines.append(f"          undo: {step.undo}" if step.undo else "          no undo")
    if plan.diff:
        lines.append("  changes in a file:")
        lines += [f"    {line}" for line in plan.diff.splitlines()]
    lines.append(f"  verdict  {_verdict(plan)}")
    return "\n".join(lines)


def _kind(plan: Plan) -> str:
    """Say what kind of thing a plan acts on, with what tells it from others of that name."""
    if plan.subject == "container":
        return f"container {plan.target_id[:12]}"
    ident = str(plan.facts.get("id") or "")
    return f"{plan.subject}, container {ident[:12]}" if ident else plan.subject


def _verdict(plan: Plan) -> str:
    if plan.refusal is not None:
        shown = plan.refusal.hint and not (plan.fits and plan.refusal.code in _SAID_BY_FIT)
        hint = f"\n           {plan.refusal.hint}" if shown else ""
        return f"REFUSED: {plan.refusal.title}{hint}"
    if not plan.steps:
        return "nothing is to be done"
    if plan.endless:
        return f"{plan.verdict}, goes on until it is done, whether or not this console stays"
    return f"{plan.verdict}, takes at most {format_duration(plan.longest_seconds)}"


def plan_data(plan: Plan) -> dict[str, Any]:
    """Give a plan by the contract of `--dry-run --json`."""
    return {**plain(plan), "detached": plan.detached}


def event_data(event: AnyEvent) -> dict[str, Any]:
    """Give an event as the data of one line of a stream; `event` says what it is."""
    data = {"event": type(event).__struct_config__.tag, **plain(event)}
    if isinstance(event, PlanDone):
        data = {**data.pop("result"), **data}
    if isinstance(event, PlanFailed) and event.plan is not None:
        data["plan"] = plan_data(event.plan)
    return data


def event_text(event: AnyEvent) -> str:
    """Give what to tell a person while a plan runs; empty where there is nothing new."""
    if isinstance(event, StepStarted):
        return f"{event.title} ..."
    if isinstance(event, StepProgress):
        moved = event.transfer
        if moved is not None:
            # Of one file its own words have it all.
            more = f"  (all: {transfer_text(moved)})" if len(moved.files) > 1 else ""
            return f"{event.text}{more}"
        if event.edit is not None:
            return event.text
        if not event.elapsed_seconds:
            return event.text
        most = event.longest_seconds
        limit = f" of at most {format_duration(most)}" if most else ""
        return f"{event.text}  {format_duration(event.elapsed_seconds)}{limit}"
    if isinstance(event, PlanDone):
        return event.text
    return ""


def event_error(event: PlanFailed, target: str) -> ConsoleError:
    """Give a plan's bad end as the error that the command line tells and exits with."""
    offers = " or ".join(f"gpuconsole {verb} {target}" for verb in event.offers)
    hint = f"{event.hint}; {offers} may help" if offers else event.hint
    error = ConsoleError(event.code, event.title, hint, event.text)
    error.exit_code = ExitCode(event.exit_code)
    return error
