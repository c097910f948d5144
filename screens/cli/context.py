"""What every verb is given: the global options as typed, and the session they lead to."""

import os
import sys
from collections.abc import MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING

from console.errors import UsageError
from console.paths import Places, expand, find_places
from console.store.markers import Markers

if TYPE_CHECKING:
    from actions.session import Session

# The full screen does it as long as it is open, a runner has its own work, a rehearsal its own
# files.
_TAKE_NOTHING_UP = frozenset({"", "demo", "_run"})


class Cli:
    """One run of the command line: its global options and, at first use, its session.

    Click passes it to verbs as the context's object: `@click.pass_obj` and `cli.session`.

    Attributes:
        config: `--config` as typed; None for the usual place.
        catalog: `--catalog` as typed.
        runbook: `--runbook` as typed.
        read_only: `--read-only`.
        as_json: `--json` is among the arguments.
        verb: the verb's name; empty for the full screen.
        environ: the process's environment; `--no-color` sets NO_COLOR in it.
    """

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.config: str | None = None
        self.catalog: str | None = None
        self.runbook: str | None = None
        self.read_only = False
        self.as_json = False
        self.verb = ""

    def take(self, option: str, value: str | bool | None) -> None:
        """Keep one global option, by its name without dashes; unset ones change nothing."""
        if option == "no_color" and value:
            self.environ["NO_COLOR"] = "1"
        elif option == "json":
            self.as_json = self.as_json or bool(value)
        elif value:
            setattr(self, option, value)

    @cached_property
    def places(self) -> Places:
        """Give where the config and our own files are, without reading any."""
        return find_places(self.environ, self.config)

    @cached_property
    def session(self) -> "Session":
        """Open the session.

        Raises:
            UsageError: a file named on the command line does not exist.
        """
        from actions.session import open_session

        for option in ("config", "catalog", "runbook"):
            named = getattr(self, option)
            if named and not expand(named, self.environ).exists():
                raise UsageError(
                    f"{option}.missing",
                    f"there is no file {named}",
                    f"Check the path after --{option}",
                )
        session = open_session(
            self.environ,
            self.config,
            self.read_only,
            catalog=self.catalog,
            runbook=self.runbook,
        )
        if self.verb not in _TAKE_NOTHING_UP and Markers(session.places).waiting():
            _take_up(session, looking=self.verb == "jobs", quiet=self.as_json)
        return session


def open_screen(cli: Cli, setup: bool = False) -> int:
    """Open the full-screen console, with `setup` at guided setup; give its exit code.

    Raises:
        UsageError: there is no terminal to open it on.
    """
    if not has_screen():
        raise UsageError(
            "screen.no-terminal",
            "the console needs a terminal, and this is none",
            "`gpuconsole status` tells the same without one (`ssh -t` gives one over SSH)",
        )
    session = cli.session
    from screens.tui.app import run

    return run(session, setup)


def has_screen() -> bool:
    """Tell whether there is a terminal for the full screen."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stdout)


def _take_up(session: "Session", *, looking: bool, quiet: bool) -> None:
    """Go on with downloads that nobody runs any more, and say which; no verb fails by it."""
    from actions.take_up import take_up
    from console.log import log_crash

    try:
        found = take_up(session, looking=looking)
    except Exception as error:  # noqa: BLE001 -- logged; what was asked for comes first
        log_crash(session.places, error)
        return
    if quiet:
        return
    from screens.cli.output import say

    for one in found:
        if one.problem is None:
            say(f"gpuconsole: {one.what} goes on, because {one.why} (job {one.id})")
        else:
            say(f"gpuconsole: {one.what} cannot go on: {one.problem.title} (job {one.id})")


def _is_terminal(stream: object) -> bool:
    try:
        return bool(stream is not None and stream.isatty())  # type: ignore[attr-defined]
    except ValueError:  # a closed stream
        return False
