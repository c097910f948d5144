"""`gpuconsole doctor`: what is wrong, why, and what to do."""

import sys
from typing import TYPE_CHECKING

import click

from console.errors import ExitCode, UsageError
from screens.cli.context import Cli
from screens.cli.output import emit, say, write

if TYPE_CHECKING:
    from actions.runbook.log_check import LogCheck


@click.command()
@click.option(
    "--log", "log", metavar="FILE", required=True,
    help="Diagnose this log file on its own; - for stdin.",
)  # fmt: skip
@click.pass_obj
def doctor(cli: Cli, log: str) -> int:
    """Say what a log shows: what is wrong, why, and what to do about it.

    Nothing of the host is asked. Exits 5 where something is wrong.
    """
    from actions.runbook.listing import log_data
    from actions.runbook.log_check import check_log

    if log == "-" and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(
            "log.terminal",
            "there is no log on stdin",
            "docker logs NAME 2>&1 | gpuconsole doctor --log -",
        )
    found = check_log(cli.session, log, sys.stdin.buffer if log == "-" else None)
    code = ExitCode.FINDINGS if found.bad else ExitCode.DONE
    if cli.as_json:
        return emit(log_data(found), code)
    _tell(found)
    return int(code)


def _tell(found: "LogCheck") -> None:
    from screens.cli.findings_text import diagnosis_text

    for one in found.problems:
        say(f"gpuconsole: {one.title}")
        if one.hint:
            say(f"  {one.hint}")
    write(diagnosis_text(found))
