"""`gpuconsole compare`: the same edit over variants, seeds and steps; which one for this card."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.errors import ConsoleError, ExitCode, InterruptedByUser, UsageError
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.prompt import confirm
from screens.cli.size import Size

if TYPE_CHECKING:
    from actions.operations import Operations
    from actions.plan import Plan

_WHAT = (
    "Variants run one after another: the model is unloaded, one edit runs cold and one warm, and "
    "one more for each further seed and number of steps. What does not fit this card is left out "
    "and says why; what fails is a row of the table. It ends in a table, a report with plots, a "
    "contact sheet, and a sentence. It is a job of its own, which survives this console: see "
    "`gpuconsole jobs`. Exits 5 where some runs failed, 1 where all did."
)


@click.command(epilog=_WHAT)
@click.option("--workflow", metavar="W", default="", help="See `gpuconsole workflows list`.")
@click.option("--image", "images", metavar="F", multiple=True, help="A picture; again for more.")
@click.option("--prompt", metavar="P", help="What is to be made of it.")
@click.option("--negative", metavar="P", help="What should not be in the picture.")
@click.option(
    "--variant", "named", metavar="V", multiple=True, help="Of the model; again for more."
)
@click.option("--variants", metavar="on-disk", help="All whose files are here, as without any.")
@click.option("--seed", "seeds", type=int, metavar="N", multiple=True, help="Again for more.")
@click.option(
    "--steps", type=int, metavar="N", multiple=True, help="Of the sampler; again for more."
)
@click.option("--cfg", type=float, metavar="X", help="How closely the prompt is followed.")
@click.option("--size", type=Size(), metavar="WxH", help="Of the results, in pixels.")
@click.option("--lightning", type=int, metavar="STEPS", help="With a Lightning LoRA: 4, 8.")
@click.option("--service", metavar="S", default="", help="Else the only one, or the first ready.")
@click.option("--out", metavar="DIR", default="", help="Copy pictures and report there too.")
@click.option("--report", metavar="JOB", help="Write the report of an earlier comparison again.")
@click.option("--dry-run", is_flag=True, help="Show the plan and send nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--events", is_flag=True, help="With --json: one line for each event.")
@click.option("--detach", is_flag=True, help="Give the job's id at once.")
@click.pass_obj
def compare(
    cli: Cli,
    /,
    workflow: str,
    named: tuple[str, ...],
    variants: str | None,
    report: str | None,
    dry_run: bool,
    yes: bool,
    events: bool,
    detach: bool,
    **options: Any,
) -> int:
    """Run the same edit with several variants, and say which to use on this card."""
    from actions.operations import Operations

    operations = Operations(cli.session, via="cli")
    if report:
        return _write_again(cli, operations, report)
    if not workflow:
        raise UsageError(
            "usage.missing-parameter",
            "missing option '--workflow'",
            "`gpuconsole workflows list` lists them",
        )
    chosen = _options(named, variants, options)
    plan = operations.plan("compare", workflow, **chosen)
    if cli.session.rehearsal and not cli.as_json:
        say(f"REHEARSAL ({cli.session.rehearsal})")
    if dry_run:
        return _show(cli, plan)
    if plan.refusal is not None:
        return _refused(cli, operations, plan)
    if operations.problem is not None:
        say(f"gpuconsole: {operations.problem.title}")
    _ask(cli, plan, yes=yes)
    from screens.cli.compare_run import follow
    from screens.cli.job_run import begin

    if detach and operations.survives(plan):
        return begin(cli, operations, plan, f"compare {plan.target}")
    return follow(cli, operations, plan, events=events)


def _options(
    named: tuple[str, ...], variants: str | None, options: dict[str, Any]
) -> dict[str, Any]:
    """Give what was typed as options of the plan."""
    listed = tuple(one.strip() for one in (variants or "").split(",") if one.strip())
    return {
        **options,
        "variants": (*named, *listed),
        "images": tuple(_absolute(one) for one in options["images"]),
        "out": _absolute(options["out"]) if options["out"] else "",
    }


def _absolute(path: str) -> str:
    """Give a path as typed as the job has to know it, which runs elsewhere."""
    return str(Path(path).expanduser().absolute())


def _write_again(cli: Cli, operations: "Operations", name: str) -> int:
    """Write the report of a comparison again, from the edits that are kept."""
    from actions.compare.ending import conclude
    from actions.gate import as_error, refusal

    reason = refusal(cli.session)
    if reason is not None:
        raise as_error(reason)
    plan, under_way = operations.job(name)
    if plan.verb != "compare":
        raise UsageError(
            "compare.not-one",
            f"job {plan.id} is {plan.verb} {plan.target}, no comparison",
            "`gpuconsole jobs list --all` lists them",
        )
    data = conclude(cli.session, plan, "It is still under way." if under_way else "").data
    from screens.cli.compare_run import tell_end

    return tell_end(cli, plan, data, None, events=False)


def _show(cli: Cli, plan: "Plan") -> int:
    from actions.gate import as_error
    from screens.cli.plan_view import plan_data, plan_text

    error = as_error(plan.refusal) if plan.refusal is not None else None
    if cli.as_json:
        return emit({"plan": plan_data(plan)}, error=error)
    write(plan_text(plan))
    return int(error.exit_code) if error else ExitCode.DONE


def _refused(cli: Cli, operations: "Operations", plan: "Plan") -> int:
    """Tell a refusal, which is journalled like any other, with what each variant lacks."""
    from actions.compare.ending import conclude_without_report
    from actions.gate import as_error
    from screens.cli.plan_view import plan_data

    for _ in operations.run(plan):
        pass
    assert plan.refusal is not None  # noqa: S101 -- only called for refused plans
    error: ConsoleError = as_error(plan.refusal)
    if cli.as_json:
        data = conclude_without_report(cli.session, plan).data
        return emit({**data, "plan": plan_data(plan)}, error=error)
    raise error


def _ask(cli: Cli, plan: "Plan", *, yes: bool) -> None:
    """Ask where the plan warns of something; one that nothing speaks against just begins."""
    from screens.cli.plan_view import plan_text

    if plan.verdict != "warned":
        return
    if not cli.as_json:
        say(plan_text(plan))
    if not confirm(f"Compare with {plan.target} all the same?", yes=yes):
        raise InterruptedByUser("confirm.declined", "not confirmed: nothing was sent")
