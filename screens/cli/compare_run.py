"""Following a comparison on the command line: progress on stderr, what it came to on stdout."""

from typing import TYPE_CHECKING, Any

from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from console.errors import ConsoleError, ExitCode
from screens.cli.compare_text import compare_text
from screens.cli.job_run import followed
from screens.cli.output import emit, emit_error, write
from screens.cli.plan_view import event_error

if TYPE_CHECKING:
    from actions.operations import Operations
    from screens.cli.context import Cli

_RAN = "done"
_LEFT_OUT = frozenset({"refused"})


def follow(cli: "Cli", operations: "Operations", plan: Plan, *, events: bool) -> int:
    """Run it and tell how it goes until it ends; gives its exit code.

    Raises:
        InterruptedByUser: the operator left it while it goes on.
    """
    run = followed(cli, operations, plan, "the comparison", events=events)
    if run.left is not None:
        raise run.left
    return tell_end(cli, plan, _data(cli, plan, run.last), run.last, events=events)


def tell_end(
    cli: "Cli", plan: Plan, data: dict[str, Any], last: AnyEvent | None, *, events: bool
) -> int:
    """Tell what a comparison came to, and give the exit code.

    Args:
        cli: how it is told.
        plan: the comparison.
        data: as `actions.compare.ending` gives it.
        last: how its plan ended; None where only its report was written.
        events: as the last line of a stream.
    """
    error = _error(plan, last, data)
    broken = any(run["state"] not in {_RAN, *_LEFT_OUT} for run in data.get("runs", ()))
    code = ExitCode.FINDINGS if error is None and broken else ExitCode.DONE
    if cli.as_json:
        if events:
            data = {"event": "failed" if error else "done", "plan_id": plan.id, **data}
        return emit(data, code, error)
    if data.get("runs"):
        write(compare_text(data))
    return emit_error(error) if error is not None else int(code)


def _data(cli: "Cli", plan: Plan, last: AnyEvent | None) -> dict[str, Any]:
    """Give the figures, as far as there are any: of one that was cancelled too."""
    if isinstance(last, PlanDone) and "runs" in last.result:
        return dict(last.result)
    from actions.compare.ending import conclude_without_report

    return conclude_without_report(cli.session, plan).data


def _error(plan: Plan, last: AnyEvent | None, data: dict[str, Any]) -> ConsoleError | None:
    """Give what the command fails with: how its plan ended, or that nothing ran."""
    if isinstance(last, PlanFailed):
        return event_error(last, plan.target)
    runs = data.get("runs") or []
    if any(run["state"] == _RAN for run in runs):
        return None
    why = next((run["error"] for run in runs if run["error"]), None) or {}
    return ConsoleError(
        "compare.nothing-ran", "no variant came to a picture",
        str(why.get("hint", "")), str(why.get("title", "")),
    )  # fmt: skip
