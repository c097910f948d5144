"""`gpuconsole models pull`: have a variant, or any file of the hub, on this host."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from actions.operations import Operations
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, PlanStarted
from console.errors import ConsoleError, ExitCode, InterruptedByUser
from console.hub.faults import HubFault
from console.units import format_duration, parse_bytes
from screens.cli.context import Cli
from screens.cli.models import models
from screens.cli.output import emit, emit_line, say, write
from screens.cli.plan_view import event_error, plan_data, plan_text
from screens.cli.prompt import confirm
from screens.cli.telling import Audience, JsonTeller, Teller, TextTeller

_WHAT = (
    "TARGET is a variant or a file of the catalogue (`models list`, `models list --files`), or "
    "hf:ORG/REPO/PATH[@REVISION] for any file on the hub, or the address of its page. It is "
    "fetched by a job of its own, which survives this console: see `gpuconsole jobs`."
)

_OUTCOMES = {
    ExitCode.USAGE: "refused",
    ExitCode.REFUSED: "refused",
    ExitCode.INTERRUPTED: "interrupted",
}

_PATIENCE_SECONDS = 120.0
"""How long a hub is waited for before there is a plan; a job waits as long as it takes."""
_SERVER_ERRORS = 3


# Generic in newer clicks only, and not to be subscripted in older ones.
class Rate(click.ParamType):  # type: ignore[type-arg]
    """Bytes a second, such as `20MiB/s`."""

    name = "RATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give bytes a second; a wrong one is a mistake of usage."""
        try:
            rate = parse_bytes(str(value).strip().removesuffix("/s"))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if rate < 1024:
            self.fail("it must be at least 1 KiB a second", param, ctx)
        return rate


@models.command(epilog=_WHAT)
@click.argument("target")
@click.option("--folder", metavar="NAME", help="Put it into this folder of the models folder.")
@click.option("--to", metavar="DIR", help="Another models folder; the very folder of one file.")
@click.option("--accept-new-hash", is_flag=True, help="Take what the hub has, not the catalogue.")
@click.option("--no-link", is_flag=True, help="Fetch it even if its bytes are here elsewhere.")
@click.option("--limit", type=Rate(), help="Bytes a second at most, such as 20MiB/s.")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Follow it until it ends; Ctrl-C only leaves it.")
@click.pass_obj
def pull(
    cli: Cli,
    target: str,
    folder: str | None,
    to: str | None,
    accept_new_hash: bool,
    no_link: bool,
    limit: int | None,
    dry_run: bool,
    yes: bool,
    wait: bool,
) -> int:
    """Fetch a variant with all it needs, or one file; checked before it has its name."""
    options = {
        "folder": folder,
        "to": None if to is None else _absolute(to),
        "accept_new_hash": accept_new_hash or None,
        "link": False if no_link else None,
        "limit": limit,
    }
    stream = cli.as_json and wait and not dry_run
    try:
        return _pull(cli, target, options, dry_run=dry_run, yes=yes, wait=wait)
    except ConsoleError as error:
        if not stream:
            raise
        outcome = _OUTCOMES.get(error.exit_code, "failed")
        emit_line({"event": "failed", "plan_id": None, "outcome": outcome}, error=error)
        return int(error.exit_code)


def _pull(
    cli: Cli, target: str, options: dict[str, Any], *, dry_run: bool, yes: bool, wait: bool
) -> int:
    operations = Operations(cli.session, via="cli")
    plan = _planned(operations, target, options)
    if cli.session.rehearsal and not cli.as_json:
        say(f"REHEARSAL ({cli.session.rehearsal})")
    if dry_run:
        return _show(cli, plan)
    if plan.refusal is not None:
        return _refused(cli, operations, plan, wait=wait)
    from actions.models.rivals import same_job

    job_id, state = same_job(cli.session, plan)
    if job_id:
        return _join(cli, operations, job_id, state, wait=wait)
    if operations.problem is not None:
        say(f"gpuconsole: {operations.problem.title}")
    if any(step.options["item"]["action"] != "keep" for step in plan.steps):
        if not cli.as_json:
            say(plan_text(plan))
        if not confirm(f"Pull {plan.target}?", yes=yes):
            raise InterruptedByUser("confirm.declined", "not confirmed: nothing was changed")
    # Without a journal it would end with this console, which therefore stays.
    if wait or not (cli.as_json or operations.survives(plan)):
        return _tell(cli, operations.run(plan), plan)
    return _begin(cli, operations, plan)


def _planned(operations: Operations, target: str, options: dict[str, Any]) -> Plan:
    """Make the plan; a hub that wants to be left alone for a while is asked again after it."""
    waited, often = 0.0, 0
    while True:
        try:
            return operations.plan("pull", target, **options)
        except HubFault as fault:
            wait = _pause_after(fault, often)
            if wait is None or waited + wait > _PATIENCE_SECONDS:
                raise
            say(f"gpuconsole: {fault.title}: it is asked again in {format_duration(wait)}")
        time.sleep(wait)
        waited, often = waited + wait, often + 1


def _pause_after(fault: HubFault, often: int) -> float | None:
    """Give the seconds after which a hub is asked again for a plan; None where that is no use."""
    if fault.code == "hub.rate-limited" and fault.retry_after is not None:
        return max(fault.retry_after, 1.0)
    if fault.code == "hub.server-error" and often < _SERVER_ERRORS:
        return fault.retry_after or float(1 << often)
    return None


def _absolute(folder: str) -> str:
    """Give a folder as typed as the job has to know it, which runs elsewhere."""
    return folder if not folder or folder.startswith("~") else str(Path(folder).absolute())


def _show(cli: Cli, plan: Plan) -> int:
    error = _refusal(plan) if plan.refusal is not None else None
    if cli.as_json:
        return emit({"plan": plan_data(plan)}, error=error)
    write(plan_text(plan))
    return int(error.exit_code) if error else ExitCode.DONE


def _refused(cli: Cli, operations: Operations, plan: Plan, *, wait: bool) -> int:
    """Tell a refusal, which is journalled like any other."""
    if wait:
        return _tell(cli, operations.run(plan), plan)
    for _ in operations.run(plan):
        pass
    error = _refusal(plan)
    if cli.as_json:
        return emit({"plan": plan_data(plan)}, error=error)
    raise error


def _refusal(plan: Plan) -> ConsoleError:
    from actions.gate import as_error

    assert plan.refusal is not None  # noqa: S101 -- only called for refused plans
    return as_error(plan.refusal)


def _join(cli: Cli, operations: Operations, job_id: str, state: str, *, wait: bool) -> int:
    """Take the job that does the same already; one that has stopped is gone on with."""
    words = "is under way already"
    if state not in {"queued", "running"} and operations.resume(job_id):
        words = f"was {state} and goes on"
    joined = operations.job(job_id)[0]
    if wait:
        say(f"gpuconsole: the same pull {words} as job {job_id}")
        return _tell(cli, operations.follow(job_id), joined)
    return _told(cli, joined, f"the same pull {words}", joined=True)


def _begin(cli: Cli, operations: Operations, plan: Plan) -> int:
    """Start the job and leave it as soon as it runs, if it goes on by itself then."""
    last = PlanStarted | PlanDone if operations.survives(plan) else PlanDone
    for event in operations.run(plan):
        if isinstance(event, PlanFailed):
            error = event_error(event, plan.target)
            if cli.as_json:
                return emit({"job_id": plan.id, "plan": plan_data(plan)}, error=error)
            raise error
        if isinstance(event, last):
            break
    return _told(cli, plan, f"pulling {plan.target}", joined=False)


def _told(cli: Cli, plan: Plan, text: str, *, joined: bool) -> int:
    if cli.as_json:
        return emit({"job_id": plan.id, "plan": plan_data(plan), "joined": joined})
    write(f"{text}: job {plan.id}")
    say(f"gpuconsole jobs watch {plan.id} tells how it goes; it survives this console")
    return ExitCode.DONE


def _tell(cli: Cli, events: Iterator[AnyEvent], plan: Plan) -> int:
    """Tell how a job goes until it ends; gives its exit code."""
    teller: Teller = JsonTeller(plan) if cli.as_json else TextTeller(plan)
    audience = Audience()
    audience.tell(teller.begin)
    code = int(ExitCode.FAILED)
    try:
        for event in events:
            if isinstance(event, PlanDone):
                code = int(ExitCode.DONE)
            elif isinstance(event, PlanFailed):
                code = event.exit_code
            audience.tell(partial(teller.event, event))
    except KeyboardInterrupt as error:
        raise InterruptedByUser(
            "plan.left",
            f"left pull {plan.target} while it goes on",
            f"gpuconsole jobs pause {plan.id} pauses it, jobs cancel {plan.id} gives it up",
        ) from error
    audience.complain()
    return code
