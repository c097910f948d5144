"""Following a load run on the command line: how it goes on stderr, what it came to on stdout."""

from typing import TYPE_CHECKING, Any

from actions.load.finishing import kept_data
from actions.load.kinds import kinds, trouble
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from console.errors import ConsoleError, ExitCode
from screens.cli.job_run import followed
from screens.cli.load_text import load_text
from screens.cli.output import emit, emit_error, write
from screens.cli.plan_view import event_error

if TYPE_CHECKING:
    from actions.operations import Operations
    from screens.cli.context import Cli


def follow(cli: "Cli", operations: "Operations", plan: Plan, *, events: bool) -> int:
    """Run it and tell how it goes until it ends; gives its exit code.

    Raises:
        InterruptedByUser: the operator left it while it goes on.
    """
    run = followed(cli, operations, plan, "the load run", events=events)
    if run.left is not None:
        raise run.left
    return _end(cli, plan, run.last, events=events)


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
