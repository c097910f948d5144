"""`gpuconsole edit`: one edit, sent to a service, watched, and its picture kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.errors import ConsoleError, ExitCode, InterruptedByUser
from screens.cli.context import Cli
from screens.cli.output import emit, emit_line, say, write
from screens.cli.prompt import can_ask, confirm
from screens.cli.size import Size

if TYPE_CHECKING:
    from actions.operations import Operations
    from actions.plan import Plan

_WHAT = (
    "The edit is a job of its own, which survives this console: see `gpuconsole jobs`. Its picture "
    "is kept in the gallery (`gpuconsole gallery`), with how it was made inside. Ctrl-C asks "
    "whether it is to be cancelled. Exits 1 where the service refused it or it failed, 3 where the "
    "pre-check refuses it, 4 where the service is out of reach."
)


@click.command(epilog=_WHAT)
@click.option("--workflow", metavar="W", required=True, help="See `gpuconsole workflows list`.")
@click.option("--image", "images", metavar="F", multiple=True, help="A picture; again for more.")
@click.option("--prompt", metavar="P", help="What is to be made of it.")
@click.option("--negative", metavar="P", help="What should not be in the picture.")
@click.option("--service", metavar="S", default="", help="Else the only one, or the first ready.")
@click.option("--variant", metavar="V", default="", help="The model variant to run.")
@click.option("--text-encoder", metavar="FILE", default="", help="Another text encoder.")
@click.option("--seed", type=int, metavar="N", help="Else one is drawn.")
@click.option("--steps", type=int, metavar="N", help="Of the sampler.")
@click.option("--cfg", type=float, metavar="X", help="How closely the prompt is followed.")
@click.option("--denoise", type=float, metavar="X", help="How much may change, 0 to 1.")
@click.option("--size", type=Size(), metavar="WxH", help="Of the result, in pixels.")
@click.option("--lightning", type=int, metavar="STEPS", help="With a Lightning LoRA: 4, 8.")
@click.option("--out", metavar="DIR", default="", help="Copy the picture there too.")
@click.option("--show", is_flag=True, help="Show the picture in the terminal.")
@click.option("--no-preview", is_flag=True, help="Ask for no live pictures.")
@click.option("--dry-run", is_flag=True, help="Show plan, graph and pre-check; send nothing.")
@click.option("--detach", is_flag=True, help="Give the job's id and leave it.")
@click.option("--events", is_flag=True, help="With --json: what happens too, a line each.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def edit(
    cli: Cli,
    workflow: str,
    images: tuple[str, ...],
    prompt: str | None,
    negative: str | None,
    service: str,
    variant: str,
    text_encoder: str,
    seed: int | None,
    steps: int | None,
    cfg: float | None,
    denoise: float | None,
    size: tuple[int, int] | None,
    lightning: int | None,
    out: str,
    show: bool,
    no_preview: bool,
    dry_run: bool,
    detach: bool,
    events: bool,
    yes: bool,
) -> int:
    """Have a picture edited by a service, and keep the result."""
    options: dict[str, Any] = {
        "images": tuple(_absolute(image) for image in images) or None,
        "prompt": prompt,
        "negative": negative,
        "service": service or None,
        "variant": variant or None,
        "encoder": text_encoder or None,
        "seed": seed,
        "steps": steps,
        "cfg": cfg,
        "denoise": denoise,
        "size": size,
        "lightning": lightning,
        "out": _absolute(out) if out else None,
        "preview": False if no_preview else None,
    }
    events = events and cli.as_json and not (dry_run or detach)
    try:
        return _edit(
            cli,
            workflow,
            options,
            dry_run=dry_run,
            detach=detach,
            events=events,
            yes=yes,
            show=show,
        )
    except ConsoleError as error:
        if not events:
            raise
        emit_line({"event": "failed", "plan_id": None, "outcome": "refused"}, error=error)
        return int(error.exit_code)


def _edit(
    cli: Cli,
    workflow: str,
    options: dict[str, Any],
    *,
    dry_run: bool,
    detach: bool,
    events: bool,
    yes: bool,
    show: bool,
) -> int:
    from actions.operations import Operations
    from screens.cli.edit_run import follow, refused
    from screens.cli.job_run import begin

    operations = Operations(cli.session, via="cli")
    if cli.session.rehearsal and not cli.as_json:
        say(f"REHEARSAL ({cli.session.rehearsal})")
    if dry_run:
        return _show_plan(cli, operations, workflow, options)
    plan = operations.plan("edit", workflow, **options)
    if plan.refusal is not None:
        return refused(cli, operations, plan, events=events)
    if operations.problem is not None:
        say(f"gpuconsole: {operations.problem.title}")
    _ask(cli, plan, yes=yes)
    if detach:
        return begin(cli, operations, plan, f"edit with {plan.target}")
    return follow(cli, operations, plan, events=events, show=show)


def _ask(cli: Cli, plan: "Plan", *, yes: bool) -> None:
    """Say what the plan warns of; at a terminal, ask whether it is to be sent all the same.

    Raises:
        InterruptedByUser: it is not.
    """
    if plan.verdict != "warned":
        return
    warnings = [one for one in plan.checks if one.verdict == "warn"]
    if not cli.as_json:
        for one in warnings:
            say(f"! {one.title}")
            if one.detail:
                say(f"  {one.detail}")
    if yes or cli.as_json or not can_ask():
        return
    if not confirm(f"Edit with {plan.target} all the same?"):
        raise InterruptedByUser("confirm.declined", "not confirmed: nothing was sent")


def _show_plan(cli: Cli, operations: "Operations", workflow: str, options: dict[str, Any]) -> int:
    """Give plan, graph and pre-check; exits as the edit would that is refused."""
    from actions.edits.carried import carried
    from actions.edits.data import prepared_data
    from actions.edits.preparing import prepare
    from actions.gate import as_error
    from screens.cli.plan_view import plan_data, plan_text

    plan = operations.plan("edit", workflow, **options)
    error = as_error(plan.refusal) if plan.refusal is not None else None
    if not cli.as_json:
        write(plan_text(plan))
        return int(error.exit_code) if error else ExitCode.DONE
    prepared = prepare(cli.session, carried(plan.options))
    return emit({"plan": plan_data(plan), **prepared_data(prepared)}, error=error)


def _absolute(name: str) -> str:
    """Give a file as typed as the job has to know it, which runs elsewhere."""
    return str(Path(name).expanduser().absolute()) if name else name
