"""Following a load run on the command line: how it goes on stderr, what it came to on stdout."""

from functools import partial
from typing import TYPE_CHECKING, Any

from actions.load.finishing import kept_data
from actions.load.kinds import kinds, trouble
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, PlanStarted
from console.errors import ConsoleError, ExitCode, InterruptedByUser
from screens.cli.cancelling import cancel_wish
from screens.cli.load_text import load_text
from screens.cli.output import emit, emit_error, say, write
from screens.cli.plan_view import event_error, plan_data
from screens.cli.telling import Audience, JsonTeller, TextTeller

if TYPE_CHECKING:
    from actions.operations import Operations
    from screens.cli.context import Cli


def begin(cli: "Cli", operations: "Operations", plan: Plan) -> int:
    """Start the job and leave it as soon as it runs."""
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
    write(f"load of {plan.target}: job {plan.id}")
    say(f"gpuconsole jobs watch {plan.id} tells how it goes; it survives this console")
    return ExitCode.DONE


def follow(cli: "Cli", operations: "Operations", plan: Plan, *, events: bool) -> int:
    """Run it and tell how it goes until it ends; gives its exit code."""
    teller = JsonTeller(plan) if cli.as_json else TextTeller(plan)
    heard = events or not cli.as_json
    audience = Audience()
    if heard:
        audience.tell(teller.begin)
    last: AnyEvent | None = None
    try:
        with cancel_wish("the load run", plan.id) as wish:
            for event in operations.run(plan, wish.cancelled):
                last = event
                # The end is told below, with all figures.
                if heard and not isinstance(event, PlanDone | PlanFailed):
                    audience.tell(partial(teller.event, event))
    except KeyboardInterrupt as error:
        raise InterruptedByUser(
            "plan.left",
            f"left load {plan.target} while it goes on",
            f"gpuconsole jobs watch {plan.id} shows how it goes, jobs cancel {plan.id} ends it",
        ) from error
    audience.complain()
    return _end(cli, plan, last, events=events)


def _end(cli: "Cli", plan: Plan, last: AnyEvent | None, *, events: bool) -> int:
    data = _data(cli, plan, last)
    error = _error(plan, last, data)
    code = ExitCode.FINDINGS if error is None and data.get("failed") else ExitCode.DONE
    if cli.as_json:
        if events:
            data = {"event": "failed" if error else "done", "plan_id": plan.id, **data}
        return emit(data, code, error)
    if data.get("requests"):
        write(load_text(data))
    if error is not None:
        return emit_error(error)
    return int(code)


def _data(cli: "Cli", plan: Plan, last: AnyEvent | None) -> dict[str, Any]:
    """Give the run's figures, as far as there are any: of one that was cancelled too."""
    if isinstance(last, PlanDone) and last.result:
        return dict(last.result)
    return kept_data(cli.session, plan.id) or {"id": plan.id}


def _error(plan: Plan, last: AnyEvent | None, data: dict[str, Any]) -> ConsoleError | None:
    """Give what the command fails with: how its plan ended, or that nothing succeeded."""
    if isinstance(last, PlanFailed):
        return event_error(last, plan.target)
    failed = data.get("failed") or []
    if not failed or data.get("succeeded"):
        return None
    worst = next(iter(data.get("failures_by_kind") or {"other": 1}))
    words = trouble(
        "load.nothing-succeeded",
        str(failed[0].get("title", "")),
        count=data.get("requests", 0),
        kind=kinds()[worst].title,
        hint=failed[0].get("hint", ""),
    )
    return ConsoleError(words.code, words.title, words.hint, words.detail)
