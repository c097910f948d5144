"""`gpuconsole move` and `switch`: which card a service uses, and which services run."""

from collections.abc import Callable
from typing import Any

import click

from screens.cli.change import Request, Seconds, change
from screens.cli.context import Cli

_SWITCH = (
    "What is not in the layout stops, what is in it starts; what runs in both is left alone. A "
    "step that fails leads back to what ran before."
)
_MOVE = (
    "It stops, its compose file is changed, it is created anew and has to say itself that it is on "
    "the new card; otherwise everything is put back."
)


def careful(function: Callable[..., int]) -> Callable[..., int]:
    """Add how to go about services that are busy, do not fit, or take long."""
    options = (
        click.option("--dry-run", is_flag=True, help="Show the plan and change nothing."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        click.option(
            "--force",
            is_flag=True,
            default=None,
            help="Go on even if the pre-check says VRAM or memory will not do.",
        ),
        click.option(
            "--wait", is_flag=True, default=None, help="Let those that stop finish their jobs."
        ),
        click.option(
            "--wait-limit", type=Seconds(), help="Wait so long for jobs (implies --wait)."
        ),
        click.option(
            "--interrupt", is_flag=True, default=None, help="End the jobs of those that stop first."
        ),
        click.option(
            "--ready-limit",
            type=Seconds(),
            help="Wait so long until a service is ready, such as 10m.",
        ),
        click.option(
            "--timeout",
            "-t",
            type=click.IntRange(0, 86_400),
            metavar="SECONDS",
            help="Seconds to end by itself before a container is killed.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command(epilog=_MOVE)
@click.argument("service")
@click.option(
    "--gpu",
    required=True,
    metavar="GPU",
    help="A UUID, a part of the name that one card has, or an index as in nvidia-smi.",
)
@careful
@click.pass_obj
def move(cli: Cli, /, service: str, dry_run: bool, yes: bool, **options: Any) -> int:
    """Move a service to another card, and see that it is there."""
    return change(
        cli, Request(verb="move", names=(service,), options=options, dry_run=dry_run, yes=yes)
    )


@click.command(epilog=_SWITCH)
@click.argument("layout")
@careful
@click.pass_obj
def switch(cli: Cli, /, layout: str, dry_run: bool, yes: bool, **options: Any) -> int:
    """Run the services of a layout of the config, and no others of it."""
    return change(
        cli, Request(verb="switch", names=(layout,), options=options, dry_run=dry_run, yes=yes)
    )
