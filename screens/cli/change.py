"""`gpuconsole start|stop|restart|free|kill`: the plan, the question, the run, the result."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click
import msgspec

from actions.operations import Operations
from actions.plan import Plan, PlanDone, PlanFailed
from console.errors import ConsoleError, ExitCode, InterruptedByUser
from console.units import parse_duration
from screens.cli.context import Cli
from screens.cli.output import emit, emit_line, say, write
from screens.cli.plan_view import plan_data, plan_text
from screens.cli.prompt import confirm
from screens.cli.telling import Audience, JsonTeller, Teller, TextTeller

_SEVERAL = (
    "Several targets get one plan each: all are made before any runs, one question covers them, "
    "and the first that fails ends the run. What already is as asked is left alone."
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed: the verb, its targets and options, and how to go about it."""

    verb: str
    names: tuple[str, ...]
    options: dict[str, Any]
    dry_run: bool
    yes: bool


def _changes(function: Callable[..., int]) -> Callable[..., int]:
    """Add what every changing verb takes."""
    names = click.argument("names", metavar="NAME...", nargs=-1, required=True)
    dry_run = click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
    yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
    return names(dry_run(yes(click.pass_obj(function))))


# Generic in newer clicks only, and not to be subscripted in older ones.
class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A time above 0 such as `30s`, `10m` or plain seconds."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give it in seconds; a wrong one is a mistake of usage."""
        try:
            seconds = parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds <= 0:
            self.fail("it must be above 0", param, ctx)
        return seconds


_timeout = click.option(
    "--timeout",
    "-t",
    type=click.IntRange(0, 86_400),
    metavar="SECONDS",
    help="Seconds to end by itself before it is killed (as the container is configured, else 10).",
)


def _flag(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a flag that is None where it was not typed: a plain container knows none of them."""
    return click.option(name, is_flag=True, default=None, help=text)


def _starts(function: Callable[..., int]) -> Callable[..., int]:
    """Add what starting a service takes."""
    force = _flag("--force", "Start it even if its pre-check says VRAM or memory will not do.")
    ready = click.option(
        "--ready-limit",
        type=Seconds(),
        help="Wait so long until a service is ready, such as 10m.",
    )
    variant = click.option(
        "--variant", metavar="ID", help="Pre-check this variant (see models fit)."
    )
    return force(ready(variant(function)))


_interrupt = _flag("--interrupt", "End a service's job first; it is lost.")


def _stops(function: Callable[..., int]) -> Callable[..., int]:
    """Add what stopping a service takes."""
    wait = _flag("--wait", "Let a service finish its jobs first.")
    limit = click.option(
        "--wait-limit",
        type=Seconds(),
        help="Wait so long for its jobs (implies --wait).",
    )
    return _timeout(wait(limit(_interrupt(function))))


@click.command(epilog=_SEVERAL)
@_changes
@_starts
def start(cli: Cli, names: tuple[str, ...], dry_run: bool, yes: bool, **options: Any) -> int:
    """Start services or containers, by service, container name, id or beginning of an id.

    A service is pre-checked first, and waited for until it is ready.
    """
    return change(
        cli, Request(verb="start", names=names, options=options, dry_run=dry_run, yes=yes)
    )


@click.command(epilog=_SEVERAL)
@_changes
@_stops
def stop(cli: Cli, names: tuple[str, ...], dry_run: bool, yes: bool, **options: Any) -> int:
    """Stop services or containers, by service, container name, id or beginning of an id.

    Of a service the plan says what it interrupts; it ends when its VRAM is back.
    """
    return change(cli, Request(verb="stop", names=names, options=options, dry_run=dry_run, yes=yes))


@click.command(epilog=_SEVERAL)
@_changes
@_stops
@_starts
@_flag("--recreate", "Make a service's container anew by compose, after its file was changed.")
def restart(cli: Cli, names: tuple[str, ...], dry_run: bool, yes: bool, **options: Any) -> int:
    """Stop services or containers and start them again; those that do not run are started."""
    return change(
        cli, Request(verb="restart", names=names, options=options, dry_run=dry_run, yes=yes)
    )


@click.command(epilog=_SEVERAL)
@_changes
@_interrupt
def free(cli: Cli, names: tuple[str, ...], dry_run: bool, yes: bool, **options: Any) -> int:
    """Get VRAM back from idle services without stopping them: they unload their models."""
    return change(cli, Request(verb="free", names=names, options=options, dry_run=dry_run, yes=yes))


@click.command(epilog=_SEVERAL)
@_changes
@click.option("--signal", "-s", "name", metavar="SIGNAL", help="Another signal than KILL.")
def kill(cli: Cli, names: tuple[str, ...], dry_run: bool, yes: bool, name: str | None) -> int:
    """End containers at once: what they are working on is lost."""
    options = {"signal": name}
    return change(cli, Request(verb="kill", names=names, options=options, dry_run=dry_run, yes=yes))


def change(cli: Cli, request: Request) -> int:
    """Plan the request's verb for its names, ask, run and tell; gives the exit code."""
    return carry_out(cli, request, lambda operations: _plans(operations, request))


def carry_out(cli: Cli, request: Request, make: Callable[[Operations], tuple[Plan, ...]]) -> int:
    """Make plans, ask, run and tell; gives the exit code.

    In JSON a run is a stream: `planned` with the plan, then its events. Errors before the run end
    the stream with `failed` too.
    """
    try:
        operations = Operations(cli.session, via="cli")
        plans = make(operations)
        if cli.session.rehearsal and not cli.as_json:
            say(f"REHEARSAL ({cli.session.rehearsal})")
        if request.dry_run:
            return _show(plans, cli.as_json)
        _tell_problem(operations)
        return _run_all(operations, plans, request, cli.as_json)
    except ConsoleError as error:
        if not cli.as_json or request.dry_run:
            raise
        emit_line({"event": "failed", "plan_id": None, "outcome": _outcome(error)}, error=error)
        return int(error.exit_code)


def _plans(operations: Operations, request: Request) -> tuple[Plan, ...]:
    """Make all plans first, so that a mistyped last name does not leave half of it done."""
    made: dict[str, Plan] = {}
    for name in request.names:
        plan = operations.plan(request.verb, name, **request.options)
        made.setdefault(plan.target_id, plan)
    return tuple(made.values())


def _show(plans: tuple[Plan, ...], as_json: bool) -> int:
    """Answer `--dry-run`: the plans, and the exit code that running them would begin with."""
    refused = _first_refused(plans)
    error = None if refused is None else _refusal_error(refused)
    if as_json:
        data: dict[str, Any] = {"plan": plan_data(refused or plans[0])}
        if len(plans) > 1:
            data["plans"] = [plan_data(plan) for plan in plans]
        return emit(data, error=error)
    write("\n\n".join(plan_text(plan) for plan in plans))
    return int(error.exit_code) if error else ExitCode.DONE


def _run_all(
    operations: Operations, plans: tuple[Plan, ...], request: Request, as_json: bool
) -> int:
    """Ask once, then run each plan until one does not end well."""
    refused = _first_refused(plans)
    if refused is not None:
        return _run_each(operations, (refused,), as_json)
    if any(plan.steps for plan in plans):
        if not as_json:
            say("\n\n".join(plan_text(plan) for plan in plans))
        if not confirm(f"{request.verb.capitalize()} {_targets(plans)}?", yes=request.yes):
            raise InterruptedByUser("confirm.declined", "not confirmed: nothing was changed")
    return _run_each(operations, plans, as_json)


def _run_each(operations: Operations, plans: Iterable[Plan], as_json: bool) -> int:
    """Run plans until one does not end well, whether or not anybody still reads how they go."""
    audience = Audience()
    code = int(ExitCode.DONE)
    for plan in plans:
        code = _run(operations, plan, audience, as_json)
        if code != ExitCode.DONE:
            break
    audience.complain()
    return code


def _run(operations: Operations, plan: Plan, audience: Audience, as_json: bool) -> int:
    """Run one plan and tell its events; Ctrl-C asks it to cancel, but only leaves a download."""
    teller: Teller = JsonTeller(plan) if as_json else TextTeller(plan)
    audience.tell(teller.begin)
    audience.complain()
    code = int(ExitCode.FAILED)
    try:
        with _interrupts(patience=0 if plan.endless else 1) as interrupts:
            for event in operations.run(plan, interrupts.asked):
                if isinstance(event, PlanFailed):
                    code = event.exit_code
                elif isinstance(event, PlanDone):
                    code = int(ExitCode.DONE)
                audience.tell(partial(teller.event, event))
    except KeyboardInterrupt as error:
        hint = "gpuconsole timeline tells how it ended"
        if plan.endless:
            hint = (
                f"gpuconsole jobs watch {plan.id} shows how it goes, jobs pause {plan.id} pauses it"
            )
        title = f"left {plan.verb} {plan.target} while it goes on"
        raise InterruptedByUser("plan.left", title, hint) from error
    return code


class _Interrupts:
    """Counts Ctrl-C: the first asks to cancel, the one beyond `patience` leaves."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._count = 0

    def asked(self) -> bool:
        """Tell whether somebody pressed Ctrl-C."""
        return self._count > 0

    def catch(self, _number: int, _frame: object) -> None:
        """Take a SIGINT."""
        self._count += 1
        if self._count > self._patience:
            raise KeyboardInterrupt


@contextmanager
def _interrupts(patience: int) -> Iterator[_Interrupts]:
    """Take Ctrl-C for the time of a run; signals belong to the main thread alone."""
    interrupts = _Interrupts(patience)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, interrupts.catch)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def _outcome(error: ConsoleError) -> str:
    """Say in an event's terms how a run ended that no plan's event tells of."""
    return {
        ExitCode.USAGE: "refused",
        ExitCode.REFUSED: "refused",
        ExitCode.INTERRUPTED: "interrupted",
    }.get(error.exit_code, "failed")


def _tell_problem(operations: Operations) -> None:
    problem = operations.problem
    if problem is not None:
        say(f"gpuconsole: {problem.title}")


def _first_refused(plans: Iterable[Plan]) -> Plan | None:
    return next((plan for plan in plans if plan.refusal is not None), None)


def _refusal_error(plan: Plan) -> ConsoleError:
    from actions.gate import as_error

    assert plan.refusal is not None  # noqa: S101 -- only called for refused plans
    return as_error(plan.refusal)


def _targets(plans: tuple[Plan, ...]) -> str:
    return ", ".join(plan.target for plan in plans if plan.steps)
