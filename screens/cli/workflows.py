"""`gpuconsole workflows`: which there are, what each takes, and whether a service can run them."""

from typing import TYPE_CHECKING, Any

import click

from console.errors import ExitCode
from screens.cli.context import Cli
from screens.cli.output import emit, say, write

if TYPE_CHECKING:
    from actions.session import Session
    from actions.workflows.asking import Told
    from actions.workflows.building import Wish
    from actions.workflows.workflow import Workflow


@click.group()
def workflows() -> None:
    """Workflows for edits: list them, show what they take, check them on a service."""


def _variant_options(command: Any) -> Any:
    for option in (
        click.option("--text-encoder", metavar="FILE", default="", help="Another text encoder."),
        click.option("--lightning", type=int, metavar="STEPS", help="With a Lightning LoRA: 4, 8."),
        click.option("--variant", metavar="V", default="", help="The model variant to run."),
    ):
        command = option(command)
    return command


@workflows.command("list")
@click.pass_obj
def list_(cli: Cli) -> int:
    """List the workflows that ship with the program, and your own."""
    from actions.workflows.listing import shelf_data
    from actions.workflows.shelf import open_shelf
    from screens.cli.workflows_text import shelf_text

    shelf = open_shelf(cli.session)
    if cli.as_json:
        return emit(shelf_data(shelf))
    for _, problem in shelf.problems:
        say(f"gpuconsole: {problem.title}")
        if problem.hint:
            say(f"  {problem.hint}")
    write(shelf_text(shelf))
    return 0


@workflows.command()
@click.argument("name", metavar="WORKFLOW")
@_variant_options
@click.option("--graph", is_flag=True, help="Only the graph, as a server is sent it.")
@click.pass_obj
def show(
    cli: Cli, name: str, variant: str, lightning: int | None, text_encoder: str, graph: bool
) -> int:
    """Show what a workflow takes, and its graph made for a variant."""
    from actions.workflows.building import build
    from actions.workflows.listing import built_data, workflow_data
    from actions.workflows.shelf import open_shelf, workflow_named
    from screens.cli.workflows_text import graph_text, workflow_text

    session = cli.session
    workflow = workflow_named(open_shelf(session), name)
    wish = _wish(session, workflow, variant, lightning, text_encoder)
    built = build(workflow, session.needed_catalog(), wish)
    if cli.as_json:
        return emit({"workflow": workflow_data(workflow), **built_data(built)})
    write(graph_text(built) if graph else workflow_text(workflow, built))
    return 0


@workflows.command()
@click.argument("names", metavar="[WORKFLOW]...", nargs=-1)
@click.option("--service", metavar="S", default="", help="The service; else the only one there is.")
@_variant_options
@click.pass_obj
def check(
    cli: Cli,
    names: tuple[str, ...],
    service: str,
    variant: str,
    lightning: int | None,
    text_encoder: str,
) -> int:
    """Check workflows on a service: nodes, model files and values that it does not have.

    Without a name, all that its kind of service runs. Nothing is sent to be run. Exits 5 where
    something is wrong.
    """
    from actions.workflows.asking import ask_service
    from actions.workflows.listing import verified_data
    from actions.workflows.shelf import open_shelf, workflow_named
    from actions.workflows.verify import verify
    from screens.cli.workflows_text import verified_text

    session = cli.session
    shelf = open_shelf(session)
    catalog = session.needed_catalog()
    meant = [workflow_named(shelf, name) for name in dict.fromkeys(names)]
    told = ask_service(session, service, meant[0].service if meant else "comfyui")
    meant = meant or [one for one in shelf.workflows if one.service == told.kind]
    found = [
        verify(one, catalog, told, _wish(session, one, variant, lightning, text_encoder, told))
        for one in meant
    ]
    code = ExitCode.DONE if all(one.good for one in found) else ExitCode.FINDINGS
    if cli.as_json:
        return emit(verified_data(told, found), code)
    if session.rehearsal:
        say(f"REHEARSAL ({session.rehearsal})")
    write(verified_text(told, found))
    return int(code)


def _wish(
    session: "Session",
    workflow: "Workflow",
    variant: str,
    lightning: int | None,
    text_encoder: str,
    told: "Told | None" = None,
) -> "Wish":
    """Give what a workflow is built with, without pictures or words."""
    from actions.workflows.building import Wish, stand_ins
    from actions.workflows.verify import encoder_for, variant_for

    catalog = session.needed_catalog()
    chosen = variant_for(workflow, catalog, variant, told.variant if told else "")
    return Wish(
        variant=chosen,
        images=stand_ins(workflow),
        lightning=lightning,
        encoder=encoder_for(catalog, chosen, text_encoder, told),
    )
