"""`gpuconsole set`: flags and variables of a service, changed in its compose file."""

from typing import Any

import click

from screens.cli.change import Request, change
from screens.cli.context import Cli
from screens.cli.services import careful

_SET = (
    "The plan shows the compose file's diff. The service stops, its file is changed (a copy of it "
    "stays beside it), it is created anew and has to be ready again; otherwise everything is put "
    "back. Secrets are not taken: they belong into .env or env_file."
)
_SEVERAL = ("remove_flag", "flag", "env", "unset")


@click.command("set", epilog=_SET)
@click.argument("service")
@click.option("--remove-flag", metavar="F", multiple=True, help="Take a flag out, with its value.")
@click.option("--flag", metavar="F[=V]", multiple=True, help="Put a flag in, or change its value.")
@click.option("--env", metavar="NAME=VALUE", multiple=True, help="Set an environment variable.")
@click.option("--unset", metavar="NAME", multiple=True, help="Take an environment variable out.")
@click.option("--start", is_flag=True, default=None, help="Start it too where it does not run.")
@careful
@click.pass_obj
def set_(cli: Cli, /, service: str, dry_run: bool, yes: bool, **options: Any) -> int:
    """Change how a service is started, and see that it is ready again.

    Such as: gpuconsole set myia --remove-flag --cuda-malloc
    """
    for name in _SEVERAL:
        options[name] = list(options[name]) or None
    return change(
        cli, Request(verb="set", names=(service,), options=options, dry_run=dry_run, yes=yes)
    )
