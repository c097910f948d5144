"""`gpuconsole jobs`: what is under way and what was left in the middle; watch it, end it, go on."""

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import msgspec

from actions import gate
from actions.operations import Operations
from actions.plan import Plan, PlanDone, PlanFailed
from console.errors import ExitCode, InterruptedByUser, RefusedError
from console.units import format_bytes
from screens.cli.change import Request, carry_out
from screens.cli.context import Cli
from screens.cli.jobs_text import job_data, job_lines, job_text
from screens.cli.output import emit, say, write
from screens.cli.prompt import confirm
from screens.cli.telling import Audience, JsonTeller, Teller, TextTeller

if TYPE_CHECKING:
    from actions.jobs import Job

_SETTLES_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.05
_ID = "ID is a job's id, the only beginning of one, or `last`."


@click.group(invoke_without_command=True, epilog=_ID)
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@click.pass_context
def jobs(context: click.Context, everything: bool) -> int | None:
    """List what is under way and what was left in the middle, in any console of this user."""
    if context.invoked_subcommand is not None:
        return None
    return _list(context.obj, everything)


@jobs.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@click.pass_obj
def list_jobs(cli: Cli, everything: bool) -> int:
    """List what is under way and what was left in the middle, as `jobs` alone does."""
    return _list(cli, everything)


def _list(cli: Cli, everything: bool) -> int:
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
def show(cli: Cli, job_id: str) -> int:
    """Show all of a job: how it stands, and of a download each file, the rate and the time left."""
    return _show(cli, Operations(cli.session, via="cli").one_job(job_id))


def _show(cli: Cli, job: "Job", text: str = "") -> int:
    """Give one job; `text` is what was just asked of it, in words."""
    now = cli.session.clock.now()
    if cli.as_json:
        data = job_data(job, now)
        said = {"said": text, "plan_id": job.id} if text else {}
        return emit({**data, **said, "job_id": job.id, "job": data})
    write(text or job_text(job, now))
    return ExitCode.DONE


@jobs.command(epilog=_ID)
@click.argument("job_id", metavar="ID")
@click.pass_obj
def watch(cli: Cli, job_id: str) -> int:
    """Follow a job until it ends, as the console that began it does; Ctrl-C only leaves it."""
    operations = Operations(cli.session, via="cli")
    plan, _ = operations.job(job_id)
    if plan.endless and operations.one_job(plan.id).state == "interrupted" and _may_change(cli):
        operations.resume(plan.id)
    return _follow(cli, operations, plan)


def _follow(cli: Cli, operations: Operations, plan: Plan) -> int:
    """Tell how a plan goes until it ends; gives its exit code."""
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
        if plan.endless and plan.pausable:
            hint = f"gpuconsole jobs pause {plan.id} pauses it, jobs cancel {plan.id} gives it up"
        raise InterruptedByUser("plan.left", title, hint) from error
    audience.complain()
    return code


@jobs.command(epilog=_ID)
@click.argument("job_id", metavar="ID")
@click.pass_obj
def pause(cli: Cli, job_id: str) -> int:
    """Pause a download: what it has is kept, and `jobs resume` goes on where it stopped."""
    operations = Operations(cli.session, via="cli")
    operations.pause(job_id)
    job = _settled(operations, job_id)
    what = f"{job.verb} {job.target}"
    if job.state == "paused":
        text = f"{what} is paused; gpuconsole jobs resume {job.id} goes on"
    elif job.pid or job.state == "queued":
        text = f"{what} is asked to pause; gpuconsole jobs show {job.id} tells how it stands"
    else:
        raise RefusedError(
            "plan.not-under-way",
            f"{what} is not under way: it is {job.state}",
            "gpuconsole jobs lists what is",
        )
    return _show(cli, job, text)


@jobs.command(epilog=_ID)
@click.argument("job_id", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Say what would be removed and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before a download is given up.")
@click.pass_obj
def cancel(cli: Cli, job_id: str, dry_run: bool, yes: bool) -> int:
    """Ask a job to end early; one that can goes back to what was before.

    A download is given up: what it has fetched of files that are not complete is removed. An edit
    is broken off at its service; what was finished of a comparison or a load run is kept.
    """
    reason = gate.refusal(cli.session)
    if reason is not None:
        raise gate.as_error(reason)
    operations = Operations(cli.session, via="cli")
    job = operations.one_job(job_id)
    what = f"{job.verb} {job.target}"
    not_under_way = RefusedError(
        "plan.not-under-way",
        f"{what} is not under way: it is {job.state}",
        "gpuconsole jobs lists what is",
    )
    if "cancel" not in job.can:
        raise not_under_way
    if dry_run:
        return _show(cli, job, f"{_lost(job)}; nothing was changed")
    if job.kind == "download":
        say(_lost(job))
        if not confirm(f"Give up {what}?", yes=yes):
            raise InterruptedByUser("confirm.declined", "not confirmed: nothing was changed")
    if not operations.cancel(job.id):
        raise not_under_way
    if job.kind in {"download", "edit"}:
        job = _settled(operations, job.id)
        ended = job.state == "cancelled"
        text = f"{what} is given up: {job.text}" if ended else f"{what} is asked to end"
        return _show(cli, job, text)
    text = f"{what} is asked to end; gpuconsole jobs watch {job.id} tells how"
    if cli.as_json:
        return emit({"plan_id": job.id, "cancel_requested": True, "text": text})
    write(text)
    return ExitCode.DONE


def _lost(job: "Job") -> str:
    """Say what is lost where a job is cancelled."""
    what = f"{job.verb} {job.target}"
    if job.kind == "edit":
        return f"{what}: it is broken off at its service; what was finished is kept"
    if job.kind != "download":
        return f"{what}: it ends early, and goes back where it can"
    lost = format_bytes(job.bytes_done or 0)
    return f"{what}: up to {lost} fetched so far are removed; files that are complete stay"


def _settled(operations: Operations, job_id: str) -> "Job":
    """Give a job once it has ended, as it was asked to, or as it is after some seconds."""
    pause = threading.Event()
    until = time.monotonic() + _SETTLES_SECONDS
    while True:
        job = operations.one_job(job_id)
        if job.state not in {"queued", "running"} or time.monotonic() >= until:
            return job
        pause.wait(_LOOK_AGAIN_SECONDS)


def _may_change(cli: Cli) -> bool:
    return gate.refusal(cli.session) is None


def _carried_out(function: Any) -> Any:
    """Add what carrying out a plan takes."""
    job = click.argument("job_id", metavar="ID")
    dry_run = click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
    yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
    return job(dry_run(yes(click.pass_obj(function))))


@jobs.command(epilog=_ID)
@_carried_out
@click.option("--wait", is_flag=True, help="Follow a download until it ends.")
def resume(cli: Cli, job_id: str, dry_run: bool, yes: bool, wait: bool) -> int:
    """Go on with a job that was left in the middle, from what is true now.

    A download goes on where it stopped, under the same id, and nothing is asked.
    """
    operations = Operations(cli.session, via="cli")
    plan, _ = operations.job(job_id)
    if plan.endless and not dry_run:
        return _go_on(cli, operations, plan, wait=wait)
    request = Request(verb="go on with", names=(job_id,), options={}, dry_run=dry_run, yes=yes)
    return carry_out(cli, request, lambda operations: (operations.resume_plan(job_id),))


def _go_on(cli: Cli, operations: Operations, plan: Plan, *, wait: bool) -> int:
    """Go on with a download, and tell how it goes where somebody waits for it."""
    started = operations.resume(plan.id)
    if wait:
        return _follow(cli, operations, plan)
    how = "goes on" if started else "is under way already"
    watch = f"gpuconsole jobs watch {plan.id} shows how it goes"
    return _show(cli, operations.one_job(plan.id), f"{plan.verb} {plan.target} {how}; {watch}")


@jobs.command(epilog=_ID)
@_carried_out
def back(cli: Cli, job_id: str, dry_run: bool, yes: bool) -> int:
    """Restore what was there before a job."""
    request = Request(verb="go back from", names=(job_id,), options={}, dry_run=dry_run, yes=yes)
    return carry_out(cli, request, lambda operations: (operations.back_plan(job_id),))
