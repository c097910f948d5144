"""`gpuconsole build`: a service's image, built by the engine from its compose file's Dockerfile."""

from typing import Any

import click

from screens.cli.change import Request, change
from screens.cli.context import Cli

_HOW = (
    "The engine builds it itself: neither compose nor buildx is needed. It goes on when the SSH "
    "line drops; cancelling keeps what was built, which makes the next try quicker."
)


@click.command(epilog=_HOW)
@click.argument("service")
@click.option(
    "--no-cache", is_flag=True, default=None, help="Begin at the base image; reuse nothing."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def build(cli: Cli, /, service: str, dry_run: bool, yes: bool, **options: Any) -> int:
    """Build the image of a service, such as the ComfyUI that setup made."""
    return change(
        cli, Request(verb="build", names=(service,), options=options, dry_run=dry_run, yes=yes)
    )
