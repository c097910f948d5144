"""`gpuconsole load`: so many edits at once, to see what services bear, and what they survive."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.errors import ConsoleError, ExitCode
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.prompt import confirm
from screens.cli.size import Size

if TYPE_CHECKING:
    from actions.operations import Operations
    from actions.plan import Plan

_WHAT = (
    "Each request is an edit with a seed of its own; it goes to the service that has the fewest "
    "under way. Services that go down meanwhile are waited for, and what became of each request "
    "is told. The run is a job of its own, which survives this console: see `gpuconsole jobs`. "
    "Exits 5 where some requests failed, 1 where all did."
)


# Generic in newer clicks only, and not to be subscripted in older ones.
class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A time, such as `90s` or `3m`."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give seconds; a wrong one is a mistake of usage."""
        from console.units import parse_duration

        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(epilog=_WHAT)
@click.option("--service", "services", metavar="S", multiple=True, help="To this; again for more.")
@click.option("--workflow", metavar="W", default="", help="Else a usual one of each kind.")
@click.option("--image", "images", metavar="F", multiple=True, help="Else a sample picture.")
@click.option("--prompt", metavar="P", help="Else a sample prompt.")
@click.option("--negative", metavar="P", help="What should not be in the picture.")
@click.option("--variant", metavar="V", default="", help="Of the model; else the service's own.")
@click.option("--requests", type=int, metavar="N", help="How many in all (10).")
@click.option("--at-once", type=int, metavar="K", help="How many at a time (3).")
@click.option("--seed", type=int, metavar="N", help="Of the first; each further one has one more.")
@click.option("--steps", type=int, metavar="N", help="Of the sampler.")
@click.option("--cfg", type=float, metavar="X", help="How closely the prompt is followed.")
@click.option("--size", type=Size(), metavar="WxH", help="Of the results, in pixels.")
@click.option("--lightning", type=int, metavar="STEPS", help="With a Lightning LoRA: 4, 8.")
@click.option("--patience", type=Seconds(), help="How long a service may be down (3m).")
@click.option("--discard", is_flag=True, help="Remove the pictures as soon as each is there.")
@click.option("--out", metavar="DIR", default="", help="Copy the report there too.")
@click.option("--dry-run", is_flag=True, help="Show the plan and send nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--events", is_flag=True, help="With --json: one line for each event.")
@click.option("--detach", is_flag=True, help="Give the job's id at once.")
@click.pass_obj
def load(
    cli: Cli,
    /,
    workflow: str,
    dry_run: bool,
    yes: bool,
    events: bool,
    detach: bool,
    **options: Any,
) -> int:
    """Send many edits at once, and report throughput, waits, failures, VRAM and temperature."""
    from actions.operations import Operations

    operations = Operations(cli.session, via="cli")
    options["images"] = tuple(_absolute(one) for one in options["images"])
    options["out"] = _absolute(options["out"]) if options["out"] else ""
    plan = operations.plan("load", workflow, **options)
    if cli.session.rehearsal and not cli.as_json:
        say(f"REHEARSAL ({cli.session.rehearsal})")
    if dry_run:
        return _show(cli, plan)
    if plan.refusal is not None:
        return _refused(cli, operations, plan)
    if operations.problem is not None:
        say(f"gpuconsole: {operations.problem.title}")
    _ask(cli, plan, yes=yes)
    from screens.cli.job_run import begin
    from screens.cli.load_run import follow

    if detach and operations.survives(plan):
        return begin(cli, operations, plan, f"load of {plan.target}")
    return follow(cli, operations, plan, events=events)


def _absolute(path: str) -> str:
    """Give a path as typed as the job has to know it, which runs elsewhere."""
    return path if path.startswith("~") else str(Path(path).absolute())


def _show(cli: Cli, plan: "Plan") -> int:
    from actions.gate import as_error
    from screens.cli.plan_view import plan_data, plan_text

    error = as_error(plan.refusal) if plan.refusal is not None else None
    if cli.as_json:
        return emit({"plan": plan_data(plan)}, error=error)
    write(plan_text(plan))
    return int(error.exit_code) if error else ExitCode.DONE


def _refused(cli: Cli, operations: "Operations", plan: "Plan") -> int:
    """Tell a refusal, which is journalled like any other."""
    from actions.gate import as_error
    from screens.cli.plan_view import plan_data

    for _ in operations.run(plan):
        pass
    assert plan.refusal is not None  # noqa: S101 -- only called for refused plans
    error: ConsoleError = as_error(plan.refusal)
    if cli.as_json:
        return emit({"plan": plan_data(plan)}, error=error)
    raise error


def _ask(cli: Cli, plan: "Plan", *, yes: bool) -> None:
    """Ask where the plan warns of something; a run that nothing speaks against just begins."""
    from console.errors import InterruptedByUser
    from screens.cli.plan_view import plan_text

    if plan.verdict != "warned":
        return
    if not cli.as_json:
        say(plan_text(plan))
    if not confirm(f"Load {plan.target} all the same?", yes=yes):
        raise InterruptedByUser("confirm.declined", "not confirmed: nothing was sent")
