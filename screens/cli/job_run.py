"""Following a job that makes pictures on the command line: its start, and how it goes."""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, PlanStarted
from console.errors import ExitCode, InterruptedByUser
from screens.cli.cancelling import cancel_wish
from screens.cli.output import emit, say, write
from screens.cli.plan_view import event_error, plan_data
from screens.cli.telling import Audience, JsonTeller, TextTeller

if TYPE_CHECKING:
    from actions.operations import Operations
    from screens.cli.context import Cli


class Followed(NamedTuple):
    """What was heard of a job.

    Attributes:
        last: its newest event, which tells how it ended; None where there was none.
        left: the operator left it while it goes on; None where they stayed.
    """

    last: AnyEvent | None
    left: InterruptedByUser | None


def begin(cli: "Cli", operations: "Operations", plan: Plan, words: str) -> int:
    """Start the job and leave it as soon as it runs.

    Args:
        cli: how it is told.
        operations: who runs it.
        plan: the job's.
        words: the job in a few words, for people.

    Raises:
        ConsoleError: it did not begin, and no JSON is wanted.
    """
    for event in operations.run(plan):
        if isinstance(event, PlanFailed):
            error = event_error(event, plan.target)
            if cli.as_json:
                return emit({"job_id": plan.id, "plan": plan_data(plan)}, error=error)
            raise error
        if isinstance(event, PlanStarted | PlanDone):
            break
    if cli.as_json:
        return emit({"job_id": plan.id, "id": plan.id, "plan": plan_data(plan)})
    write(f"{words}: job {plan.id}")
    say(f"gpuconsole jobs watch {plan.id} tells how it goes; it survives this console")
    return ExitCode.DONE


def followed(
    cli: "Cli", operations: "Operations", plan: Plan, what: str, *, events: bool
) -> Followed:
    """Run it and tell how it goes; its end is left to the caller, who has all the figures.

    Args:
        cli: how it is told.
        operations: who runs it.
        plan: the job's.
        what: what Ctrl-C asks to cancel, such as `the edit`.
        events: tell each event in JSON too.
    """
    teller = JsonTeller(plan) if cli.as_json else TextTeller(plan)
    heard = events or not cli.as_json
    audience = Audience()
    if heard:
        audience.tell(teller.begin)
    last: AnyEvent | None = None
    left: InterruptedByUser | None = None
    try:
        with cancel_wish(what, plan.id) as wish:
            for event in operations.run(plan, wish.cancelled):
                last = event
                if heard and not isinstance(event, PlanDone | PlanFailed):
                    audience.tell(partial(teller.event, event))
    except KeyboardInterrupt:
        left = InterruptedByUser(
            "plan.left",
            f"left {plan.verb} {plan.target} while it goes on",
            f"gpuconsole jobs watch {plan.id} shows how it goes, jobs cancel {plan.id} ends it",
        )
    if isinstance(teller, TextTeller):
        teller.settle()
    audience.complain()
    return Followed(last, left)
