"""The way in: opens the console at once where nothing needs parsing, else asks click.

Click costs a third of the console's start-up time, and `gpuconsole` with at most a few global
options is how it is started nearly always. So those are read by hand.
"""

import os
from collections.abc import Sequence

from screens.cli.context import Cli, open_screen
from screens.cli.guard import guarded

PROGRAM = "gpuconsole"

_SWITCHES = {"--read-only": "read_only", "--no-color": "no_color"}
_VALUES = {"--config": "config", "--catalog": "catalog", "--runbook": "runbook"}
COMPLETION = "_GPUCONSOLE_COMPLETE"
"""The variable in which a shell asks what a line could go on with, such as `bash_complete`."""


def start(argv: Sequence[str]) -> int:
    """Run the program with the arguments after its name; give the exit code."""
    if list(argv) == ["--version"]:
        return guarded(print_version, as_json=False, environ=os.environ)
    if COMPLETION in os.environ:
        from screens.cli.completing import complete

        return complete(os.environ)
    cli = read_trivial(argv)
    if cli is not None:
        screen = cli
        return guarded(lambda: open_screen(screen), as_json=False, environ=os.environ)
    from screens.cli.main import run

    return run(argv)


def read_trivial(argv: Sequence[str]) -> Cli | None:
    """Read arguments that are nothing but global options; None where click has to look."""
    cli = Cli()
    rest = iter(argv)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument in _SWITCHES:
            cli.take(_SWITCHES[argument], value=True)
        elif name in _VALUES:
            given = value if equals else next(rest, "")
            if not given or given.startswith("-"):
                return None
            cli.take(_VALUES[name], given)
        else:
            return None
    return cli


def print_version() -> int:
    """Print the program's name and version."""
    from console.version import version
    from screens.cli.output import write

    write(f"{PROGRAM} {version()}")
    return 0
