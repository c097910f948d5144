"""`gpuconsole jobs`: what is under way and what was left in the middle; watch it, end it, go on."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import msgspec

from actions import gate
from actions.operations import Operations
from actions.plan import PlanDone, PlanFailed
from console.errors import ExitCode, InterruptedByUser, RefusedError
from console.units import format_age
from console.unknown import plain
from screens.cli.change import Request, carry_out
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.table import columns
from screens.cli.telling import Audience, JsonTeller, Teller, TextTeller

if TYPE_CHECKING:
    from actions.jobs import Job

_ID = "ID is a job's id, the only beginning of one, or `last`."


@click.group(invoke_without_command=True, epilog=_ID)
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@click.pass_context
def jobs(context: click.Context, everything: bool) -> int | None:
    """List what is under way and what was left in the middle, in any console of this user."""
    if context.invoked_subcommand is not None:
        return None
    cli: Cli = context.obj
    session = cli.session
    found = Operations(session, via="cli").jobs(everything=everything)
    problem = session.store.problem
    now = session.clock.now()
    if cli.as_json:
        data: dict[str, Any] = {"jobs": [job_data(job, now) for job in found]}
        if problem is not None:
            data["unavailable"] = [{"source": "journal", **msgspec.structs.asdict(problem)}]
        return emit(data)
    if session.rehearsal:
        say(f"REHEARSAL ({session.rehearsal})")
    if problem is not None:
        say(f"gpuconsole: {problem.title}")
    if not found:
        say("No jobs yet." if everything else "Nothing is under way.")
    for line in job_lines(found, now):
        write(line)
    return ExitCode.DONE


@jobs.command(epilog=_ID)
@click.argument("job_id", metavar="ID")
@click.pass_obj
def watch(cli: Cli, job_id: str) -> int:
    """Follow a job until it ends, as the console that began it does; Ctrl-C only leaves it."""
    operations = Operations(cli.session, via="cli")
    plan, _ = operations.job(job_id)
    teller: Teller = JsonTeller(plan) if cli.as_json else TextTeller(plan)
    audience = Audience()
    audience.tell(teller.begin)
    code = int(ExitCode.FAILED)
    try:
        for event in operations.follow(plan.id):
            if isinstance(event, PlanDone):
                code = int(ExitCode.DONE)
            elif isinstance(event, PlanFailed):
                code = event.exit_code
            audience.tell(partial(teller.event, event))
    except KeyboardInterrupt as error:
        title = f"left {plan.verb} {plan.target} while it goes on"
        hint = f"gpuconsole jobs cancel {plan.id} asks it to end"
        raise InterruptedByUser("plan.left", title, hint) from error
    audience.complain()
    return code


@jobs.command(epilog=_ID)
@click.argument("job_id", metavar="ID")
@click.pass_obj
def cancel(cli: Cli, job_id: str) -> int:
    """Ask a job to end early; one that can goes back to what was before."""
    reason = gate.refusal(cli.session)
    if reason is not None:
        raise gate.as_error(reason)
    operations = Operations(cli.session, via="cli")
    plan, under_way = operations.job(job_id)
    if not under_way or not operations.cancel(plan.id):
        raise RefusedError(
            "plan.not-under-way",
            f"{plan.verb} {plan.target} is not under way",
            "gpuconsole jobs lists what is",
        )
    text = f"{plan.verb} {plan.target} is asked to end; gpuconsole jobs watch {plan.id} tells how"
    if cli.as_json:
        return emit({"plan_id": plan.id, "cancel_requested": True, "text": text})
    write(text)
    return ExitCode.DONE


def _carried_out(function: Any) -> Any:
    """Add what carrying out a plan takes."""
    job = click.argument("job_id", metavar="ID")
    dry_run = click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
    yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
    return job(dry_run(yes(click.pass_obj(function))))


@jobs.command(epilog=_ID)
@_carried_out
def resume(cli: Cli, job_id: str, dry_run: bool, yes: bool) -> int:
    """Go on with a job that was left in the middle, from what is true now."""
    request = Request(verb="go on with", names=(job_id,), options={}, dry_run=dry_run, yes=yes)
    return carry_out(cli, request, lambda operations: (operations.resume_plan(job_id),))


@jobs.command(epilog=_ID)
@_carried_out
def back(cli: Cli, job_id: str, dry_run: bool, yes: bool) -> int:
    """Restore what was there before a job."""
    request = Request(verb="go back from", names=(job_id,), options={}, dry_run=dry_run, yes=yes)
    return carry_out(cli, request, lambda operations: (operations.back_plan(job_id),))


def job_data(job: "Job", now: datetime) -> dict[str, Any]:
    """Give a job as an entry of `data.jobs[]`; `age_seconds` counts from when it was asked for."""
    return {**plain(job), "age_seconds": round(_age(job, now), 1)}


def job_lines(found: "tuple[Job, ...]", now: datetime) -> list[str]:
    """Give the jobs as lines that line up; what can be done about one stands below it."""
    lines = columns([_row(job, now) for job in found])
    shown = []
    for job, line in zip(found, lines, strict=True):
        shown.append(line)
        ways = [way for way in job.can if way in {"resume", "back"}]
        if ways:
            said = " or ".join(f"gpuconsole jobs {way} {job.id}" for way in ways)
            shown.append(f"    {said}")
    return shown


def _row(job: "Job", now: datetime) -> list[str]:
    state = "asked to end" if job.cancel_requested and job.pid else job.state
    where = f"step {job.step}/{job.steps}" if job.step else ""
    process = f"pid {job.pid}" if job.pid else ""
    told = job.text or job.title
    what = f"{job.verb} {job.target}"
    if job.undoes or job.continues:
        what += " (back)" if job.undoes else " (on)"
    return [
        job.id, what, state, where, format_age(_age(job, now)), process, told,
    ]  # fmt: skip


def _age(job: "Job", now: datetime) -> float:
    return max(0.0, (now - (job.since or job.created_at)).total_seconds())
