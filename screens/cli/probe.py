"""`gpuconsole doctor --probe`: the plan of what is more than reading, the question, the run."""

from typing import TYPE_CHECKING

from console.errors import ConsoleError, InterruptedByUser, RefusedError, UnreachableError
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.plan_view import plan_data, plan_text
from screens.cli.prompt import confirm
from screens.cli.telling import TextTeller

if TYPE_CHECKING:
    from actions.doctor.check import Result
    from actions.operations import Operations
    from actions.plan import Plan, PlanFailed


def planned(cli: Cli, service: str) -> "tuple[Operations, Plan]":
    """Make the plan of the probes of one service, or of everything where none is named.

    Raises:
        ConsoleError: it is refused, or cannot be made.
    """
    from actions.gate import as_error
    from actions.operations import Operations
    from actions.probing.verbs import EVERYTHING

    operations = Operations(cli.session, via="cli")
    plan = operations.plan("probe", service or EVERYTHING)
    if plan.refusal is not None:
        raise as_error(plan.refusal)
    return operations, plan


def show(cli: Cli, plan: "Plan") -> int:
    """Answer `--dry-run`: the plan."""
    if cli.as_json:
        return emit({"plan": plan_data(plan)})
    write(plan_text(plan))
    return 0


def probe(cli: Cli, operations: "Operations", plan: "Plan", *, yes: bool) -> "tuple[Result, ...]":
    """Ask, run the plan, tell how it goes, and give what it found.

    Raises:
        InterruptedByUser: it was not confirmed, or was cancelled.
        ConsoleError: it did not end well.
    """
    from actions.plan import PlanDone, PlanFailed
    from actions.probing.results import results_of

    if not cli.as_json:
        say(plan_text(plan))
    if not confirm("Run these probes?", yes=yes):
        raise InterruptedByUser("confirm.declined", "not confirmed: nothing was probed")
    teller = TextTeller(plan)
    for event in operations.run(plan):
        if isinstance(event, PlanFailed):
            raise _failed(event)
        if isinstance(event, PlanDone):
            return results_of(event.result)
        if not cli.as_json:
            teller.event(event)
    return ()


def _failed(event: "PlanFailed") -> ConsoleError:
    kinds: dict[int, type[ConsoleError]] = {
        3: RefusedError, 4: UnreachableError, 130: InterruptedByUser,
    }  # fmt: skip
    kind = kinds.get(event.exit_code, ConsoleError)
    return kind(event.code, event.title, event.hint, event.text)
