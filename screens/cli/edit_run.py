"""Following an edit on the command line: progress on stderr, its picture on stdout."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actions.edits.data import edit_answer
from actions.plan import AnyEvent, Plan, PlanFailed
from console.errors import ConsoleError, ExitCode
from console.store.edits import EditRecords
from screens.cli.job_run import followed
from screens.cli.output import emit, emit_error, flush, say, write
from screens.cli.plan_view import event_error, plan_data

if TYPE_CHECKING:
    from actions.operations import Operations
    from console.edits.kept import KeptEdit
    from screens.cli.context import Cli


def refused(cli: "Cli", operations: "Operations", plan: Plan, *, events: bool) -> int:
    """Tell why a plan is refused, which is journalled like any other."""
    last: PlanFailed | None = None
    for event in operations.run(plan):
        last = event if isinstance(event, PlanFailed) else last
    assert plan.refusal is not None  # noqa: S101 -- only called for refused plans
    error = ConsoleError(plan.refusal.code, plan.refusal.title, plan.refusal.hint)
    error.exit_code = ExitCode(last.exit_code if last is not None else ExitCode.REFUSED)
    if not cli.as_json:
        raise error
    data: dict[str, Any] = {"id": None, "outputs": [], "plan": plan_data(plan)}
    if events:
        data = {"event": "failed", "plan_id": plan.id, "outcome": "refused", **data}
    return emit(data, error=error)


def follow(cli: "Cli", operations: "Operations", plan: Plan, *, events: bool, show: bool) -> int:
    """Run it and tell how it goes until it ends; gives its exit code."""
    run = followed(cli, operations, plan, "the edit", events=events)
    edit = EditRecords(cli.session.store).get(plan.id)
    error = run.left or _error(plan, run.last, edit)
    return _end(cli, plan, edit, error, events=events, show=show)


def _end(
    cli: "Cli",
    plan: Plan,
    edit: "KeptEdit | None",
    error: ConsoleError | None,
    *,
    events: bool,
    show: bool,
) -> int:
    if cli.as_json:
        data = edit_answer(edit) if edit is not None else {"id": plan.id, "outputs": []}
        if events:
            data = {"event": "failed" if error else "done", "plan_id": plan.id, **data}
        return emit(data, error=error)
    if edit is not None:
        _tell(cli, edit, {one.title for one in plan.checks}, show=show)
    return emit_error(error) if error is not None else int(ExitCode.DONE)


def _tell(cli: "Cli", edit: "KeptEdit", said: set[str], *, show: bool) -> None:
    """Give each picture's path on stdout, and on stderr what it took and was not said before."""
    from actions.edits.data import facts_text

    for one in edit_answer(edit)["outputs"]:
        if not show:
            write(one["path"])
            continue
        from screens.pictures.show import print_picture

        flush()
        setting = cli.session.settings.ui.pictures
        print_picture(Path(one["path"]), sys.stdout, setting, cli.session.environ)
    for warning in edit.warnings:
        if warning not in said:
            say(f"! {warning}")
    if edit.state == "done":
        say(facts_text(edit))


def _error(plan: Plan, last: AnyEvent | None, edit: "KeptEdit | None") -> ConsoleError | None:
    """Give what the command fails with, in the words that are kept with the edit."""
    if not isinstance(last, PlanFailed):
        return None
    error = event_error(last, plan.target)
    if edit is not None and edit.error is not None and last.outcome in {"failed", "interrupted"}:
        told = edit.error
        made = ConsoleError(told.code, told.title, told.hint, told.detail)
        made.exit_code = error.exit_code
        return made
    return error
