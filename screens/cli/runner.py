"""The hidden verb `_run PLAN_ID`: what the console starts to carry a plan out detached."""

import click

from actions.runner import run_journalled
from screens.cli.context import Cli


@click.command(hidden=True)
@click.argument("plan_id")
@click.pass_obj
def run(cli: Cli, plan_id: str) -> int:
    """Run a journalled plan in this process; consoles follow it through the journal."""
    return run_journalled(cli.session, plan_id)
