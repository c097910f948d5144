"""`gpuconsole demo`: the real program on a rehearsal host, or any command inside one."""

import contextlib
import importlib
import os
import random
import select
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec.json
from click.core import ParameterSource

from console.errors import ConsoleError, ExitCode, UsageError
from console.itself import importable, own_command
from console.simulator.rehearsal import Rehearsal
from console.simulator.scenario import (
    DEFAULT,
    drill_names,
    load_scenario,
    scenario_names,
    scenario_title,
)
from screens.cli.context import Cli, open_screen
from screens.cli.output import emit, envelope, write
from screens.cli.table import columns

if TYPE_CHECKING:
    from screens.cli.drill import Drill

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOKS_EVERY = 0.5
_COMMAND = "gpuconsole.demo.command"
_BY_SIGNAL = 128
_STDERR = 2
_ANY = "random"


class _WithCommand(click.Command):
    """A command that keeps what follows `--` apart, untouched."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take `-- COMMAND ...` off the arguments and parse the rest."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show in the usage line what may follow."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ...]"]


class _Wish(NamedTuple):
    """Which rehearsal: the scenario, the seed of its chances, and the drill where it is one."""

    scenario: str
    seed: int
    drill: "Drill | None"


@click.command(cls=_WithCommand)
@click.option(
    "--scenario",
    metavar="NAME",
    default=DEFAULT,
    show_default=True,
    help="What the host is like; --list names them all.",
)
@click.option(
    "--drill",
    metavar="NAME",
    default=None,
    help="Keep to yourself what is wrong, run the clock, and tell it all afterwards; or random.",
)
@click.option("--seed", type=click.IntRange(0), default=0, help="Vary what is left to chance.")
@click.option("--list", "listing", is_flag=True, help="Name the scenarios, and end.")
@click.option("--serve", is_flag=True, help="Print the environment as JSON, and stay up.")
@click.pass_context
def demo(
    context: click.Context, scenario: str, drill: str | None, seed: int, listing: bool, serve: bool
) -> int:
    """Open the console on a rehearsal host: simulated cards and containers, nothing is real.

    With `-- COMMAND ...`, run that inside it instead, and end with its exit code.
    """
    cli: Cli = context.obj
    command: list[str] | None = context.meta.get(_COMMAND)
    if listing:
        return _list(cli)
    _refuse_mixtures(context, command, drill, serve)
    wish = _Wish(scenario, seed, None) if drill is None else _drilled(context, drill, seed)
    if command:
        return _run(command, wish)
    if serve:
        return _serve(wish)
    return _open(cli, wish)


def _refuse_mixtures(
    context: click.Context, command: list[str] | None, drill: str | None, serve: bool
) -> None:
    cli: Cli = context.obj
    if command is not None and not command:
        raise click.UsageError("there is no command after --", context)
    if command and serve:
        raise click.UsageError("--serve and a command exclude each other", context)
    if drill is not None and _is_given(context, "scenario"):
        raise click.UsageError("--drill and --scenario exclude each other", context)
    if cli.as_json and drill is None and not (command or serve):
        raise click.UsageError("--json goes with --list, --drill, or after -- COMMAND", context)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _drilled(context: click.Context, name: str, seed: int) -> _Wish:
    """Give the drill of a scenario; `random` is any, the same for the same `--seed`.

    Raises:
        UsageError: there is no such scenario, or nothing is wrong in it.
    """
    from actions.drills.secret import Secret
    from screens.cli.drill import Drill

    if name == _ANY:
        # Another each time, unless a seed is asked for.
        chance = random.Random(seed if _is_given(context, "seed") else None)  # noqa: S311
        name = chance.choice(drill_names())
    scene = load_scenario(name)
    if scene.drill is None:
        raise UsageError(
            "demo.no-drill",
            f"nothing is wrong in the scenario {name} that could be found out",
            f"--drill random takes any of {', '.join(drill_names())}",
        )
    secret = Secret(scenario=name, title=scene.title, **msgspec.structs.asdict(scene.drill))
    cli: Cli = context.obj
    return _Wish(name, seed, Drill(secret, as_json=cli.as_json))


def _list(cli: Cli) -> int:
    found = [(name, scenario_title(name)) for name in scenario_names()]
    if cli.as_json:
        return emit({"scenarios": [{"name": name, "title": title} for name, title in found]})
    for line in columns([[name, title] for name, title in found]):
        write(line)
    return ExitCode.DONE


def _open(cli: Cli, wish: _Wish) -> int:
    """Open the full screen; its modules are imported while the rehearsal is starting."""
    with _met(wish) as host:
        os.environ.update(host.environ)
        if sys.stdout.isatty():
            importlib.import_module("screens.tui.application")
        host.wait_ready()
        if wish.drill is not None:
            wish.drill.begin()
        code = open_screen(cli)
        if wish.drill is not None:
            wish.drill.end(host.environ)
        return code


def _run(command: list[str], wish: _Wish) -> int:
    """Run a command inside a rehearsal and give its exit code; signals are passed on to it."""
    with _met(wish) as host:
        environ = {**os.environ, **host.environ}
        argv = _resolved(command, environ)
        host.wait_ready()
        if wish.drill is not None:
            wish.drill.begin()
        # Our own answer is all of stdout where it is JSON.
        beside = wish.drill is not None and wish.drill.as_json
        with _passed_on() as relay:
            try:
                process = subprocess.Popen(argv, env=environ, stdout=_STDERR if beside else None)
            except OSError as error:
                raise UsageError(
                    "demo.no-command", f"{command[0]} cannot be run: {error.strerror}"
                ) from error
            relay.reach(process)
            code = process.wait()
        code = code if code >= 0 else _BY_SIGNAL - code
        if wish.drill is not None:
            wish.drill.end(host.environ, code)
    return code


def _serve(wish: _Wish) -> int:
    """Say how to meet the rehearsal, and keep it up until told to end."""
    over, hold = threading.Event(), _StdinHold()
    with _ended_by_signals(over), _met(wish) as host:
        host.wait_ready()
        os.environ.update(host.environ)
        answer = envelope({"environment": host.environ})
        write(msgspec.json.encode({**answer, "environment": host.environ}).decode())
        if wish.drill is not None:
            wish.drill.begin()
        while not over.wait(_LOOKS_EVERY) and not hold.released():
            if not host.running:
                raise ConsoleError("demo.ended", "the rehearsal ended by itself")
        if wish.drill is not None:
            wish.drill.end(host.environ)
    return ExitCode.DONE


@contextlib.contextmanager
def _met(wish: _Wish) -> Iterator[Rehearsal]:
    """Have a rehearsal that may not be ready yet; it ends with the block."""
    host = Rehearsal(wish.scenario, wish.seed, hidden=wish.drill is not None)
    try:
        yield host
    finally:
        host.close()


def _resolved(command: list[str], environ: dict[str, str]) -> list[str]:
    """Give the command to run; our own name means this very program where PATH has none."""
    name, *rest = command
    if name != "gpuconsole" or shutil.which(name):
        return command
    environ.update(importable(environ))
    return [*own_command(), *rest]


class _Relay:
    """Passes signals that would end us on to the command, whose end we then see.

    Those that come before there is a command wait for it. Ctrl-C reaches the command by itself
    where it shares our terminal.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    def reach(self, process: "subprocess.Popen[bytes]") -> None:
        """Begin to pass signals on to this process."""
        self._process = process
        while self._waiting:
            self._send(self._waiting.pop())

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._waiting.append(number)
        elif number != signal.SIGINT or not _is_terminal(0):
            self._send(number)

    def _send(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


@contextlib.contextmanager
def _passed_on() -> Iterator[_Relay]:
    relay = _Relay()
    before = {number: signal.signal(number, relay) for number in _ENDING}
    try:
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _ended_by_signals(over: threading.Event) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: over.set()) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _StdinHold:
    """Tells when whoever held the other end of our stdin has let go of it.

    Only a pipe that was held when we started counts: /dev/null and a pipe nobody ever held are
    what programs in the background are given.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched = False
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(0).st_mode):
                self._poll.register(0, 0)
                self._watched = not self._hung_up()

    def released(self) -> bool:
        """Tell whether it has been let go of since."""
        return self._watched and self._hung_up()

    def _hung_up(self) -> bool:
        return any(event & select.POLLHUP for _, event in self._poll.poll(0))


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False
