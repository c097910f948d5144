"""`gpuconsole setup`: what is there, what is missing to the first edited picture, and doing it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.errors import ConsoleError, ExitCode, InterruptedByUser, RefusedError, UsageError
from screens.cli.context import Cli, has_screen, open_screen
from screens.cli.output import emit, flush, say, write
from screens.cli.prompt import can_ask, confirm
from screens.cli.setup_files import files

if TYPE_CHECKING:
    from actions.plan import AnyEvent, Plan, StepProgress
    from actions.setup.answers import Answers
    from actions.setup.report import StepReport

_WHAT = """\
Steps: host, cards, existing, layout, variant, comfyui, sharing, fetch, start, verify,
first-edit, outside, keep-running. Each says what it found, what it would do and why.

\b
Examples:
  gpuconsole setup                             on the screen, step by step
  gpuconsole setup --print-answers > a.toml    every answer explained
  gpuconsole setup --save-answers a.toml       what was answered or is advised
  gpuconsole setup --answers a.toml --dry-run  all it would write and run
  gpuconsole setup --answers a.toml --yes      does it, without a terminal too
  gpuconsole setup --yes                       goes on, with the last answers

What is done already is left alone, so it may be run again at any time, after a dropped
line too. The config keeps its comments and gets a copy beside it; where it disagrees with
an answer it is left as it is. Exits 3 where a step is blocked; with --dry-run 5.
"""


@click.group(invoke_without_command=True, epilog=_WHAT)
@click.option(
    "--answers", metavar="FILE", default=None, help="Answers in TOML; - reads them from stdin."
)
@click.option("--print-answers", is_flag=True, help="Print an answers file, every key explained.")
@click.option("--save-answers", metavar="FILE", default=None, help="Write them, and end.")
@click.option("--dry-run", is_flag=True, help="Show all it would write and run; change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do what is needed without asking at each step.")
@click.option("--plain", is_flag=True, help="Ask line by line, not on the full screen.")
@click.pass_context
def setup(
    context: click.Context,
    answers: str | None,
    print_answers: bool,
    save_answers: str | None,
    dry_run: bool,
    yes: bool,
    plain: bool,
) -> int | None:
    """Lead from what is here to the first edited picture, step by step.

    Opens on the full screen where there is a terminal, or with --plain asks line by line, before
    each step that changes something. With --json and without --yes it only reports.
    """
    if context.invoked_subcommand is not None:
        return None
    cli: Cli = context.obj
    if print_answers:
        return _print(cli)
    if dry_run and yes:
        raise UsageError("setup.both", "--dry-run changes nothing, and --yes agrees to changes")
    if save_answers is not None and (dry_run or yes or plain):
        raise UsageError(
            "setup.both",
            "--save-answers writes the answers and ends: it takes no --dry-run, --yes or --plain",
            "Save them first, then run setup with --answers",
        )
    if save_answers is not None:
        return _save(cli, _answers(cli, answers), save_answers)
    if not (plain or answers is not None or dry_run or yes or cli.as_json) and has_screen():
        return open_screen(cli, setup=True)
    answered = _answers(cli, answers)
    if dry_run or (cli.as_json and not yes):
        return _show(cli, answered)
    if not yes and not can_ask():
        raise RefusedError(
            "confirm.no-terminal",
            "nothing is changed without a yes, and there is no terminal to ask on",
            "Add --yes to go ahead, or --dry-run to see what would happen",
        )
    return _carry_out(cli, answered, yes=yes)


setup.add_command(files)


def _answers(cli: Cli, named: str | None) -> "Answers":
    from actions.setup.answers import read_answers
    from actions.setup.course import remembered_answers
    from console.paths import expand

    if named is None:
        return remembered_answers(cli.session)
    if not named:
        raise UsageError("setup.no-file", "--answers names no file", "Name one, or - for stdin")
    if named == "-":
        named = "/dev/stdin"
    return read_answers(Path(expand(named, cli.environ)))


def _print(cli: Cli) -> int:
    from actions.setup.answers import template

    if cli.as_json:
        return emit({"text": template()})
    write(template().rstrip("\n"))
    return ExitCode.DONE


def _save(cli: Cli, answered: "Answers", named: str) -> int:
    """Write the answers, with what is advised where nothing was answered."""
    from actions.gate import as_error, refusal
    from actions.setup.course import Course
    from console.paths import expand

    if not named:
        raise UsageError("setup.no-file", "--save-answers names no file", "Name one")
    if cli.session.read_only and (reason := refusal(cli.session)) is not None:
        raise as_error(reason)
    cli.session.only_look()
    course = Course(cli.session, answered, applies=False)
    for ident in course.steps:
        course.look(ident)
        course.take_as_written(ident)
    path = Path(expand(named, cli.environ)).absolute()
    course.save(path)
    if cli.as_json:
        return emit({"path": str(path), "answers": course.effective().given})
    write(f"Wrote {path}")
    return ExitCode.DONE


def _show(cli: Cli, answered: "Answers") -> int:
    from actions.setup.course import show
    from screens.cli.setup_text import report_text

    _mark(cli)
    cli.session.only_look()
    reports = []
    for one in show(cli.session, answered):
        reports.append(one)
        if not cli.as_json:
            write(report_text(one, whole=True))
    code = ExitCode.FINDINGS if _bad(reports) else ExitCode.DONE
    if cli.as_json:
        return emit(_data(reports, dry_run=True), code)
    return int(code)


def _carry_out(cli: Cli, answered: "Answers", *, yes: bool) -> int:
    from actions.setup.course import carry_out
    from screens.cli.setup_asking import Questions
    from screens.cli.setup_text import needed_text, report_text

    _mark(cli)

    decide = None if yes or cli.as_json else Questions(answered).decide

    def agree(report: "StepReport") -> bool:
        if not cli.as_json:
            say(needed_text(report))
        return confirm(f"{report.title[:1].upper()}{report.title[1:]}: go ahead?", yes=yes)

    reports: list[StepReport] = []
    try:
        for one in carry_out(cli.session, answered, agree, _Telling(cli).event, decide):
            reports.append(one)
            if not cli.as_json:
                write(report_text(one, whole=False))
                _show_pictures(cli, one)
    except KeyboardInterrupt as error:
        raise InterruptedByUser(
            "setup.left",
            "setup was left; what it began goes on",
            "`gpuconsole setup` takes it up where it stands",
        ) from error
    bad = _error(reports) or (_unfinished(reports) if yes else None)
    if cli.as_json:
        return emit(_data(reports, dry_run=False), error=bad)
    if bad is not None:
        raise bad
    return ExitCode.DONE


def _show_pictures(cli: Cli, one: "StepReport") -> None:
    """Show what a step has made just now, where the terminal shows pictures."""
    if not (one.plan and one.state == "done" and one.pictures and sys.stdout.isatty()):
        return
    from screens.pictures.show import print_picture

    flush()
    for path in one.pictures:
        print_picture(path, sys.stdout, cli.session.settings.ui.pictures, cli.session.environ)


class _Telling:
    """Tells a step's job as the verb itself would, on stderr only."""

    def __init__(self, cli: Cli) -> None:
        self._quiet = cli.as_json
        self._said = ""

    def event(self, _plan: "Plan", event: "AnyEvent") -> None:
        """Tell an event, where it says something new."""
        from actions.plan import PlanFailed, StepProgress
        from screens.cli.plan_view import event_text

        text = event_text(event)
        if self._quiet or isinstance(event, PlanFailed) or not text:
            return
        at = _stage(event) if isinstance(event, StepProgress) else text
        if at != self._said:
            self._said = at
            say(f"  {text}")


def _stage(event: "StepProgress") -> str:
    """Give what changes when there is something new to tell: figures that move fill no log."""
    if event.transfer is not None and event.transfer.bytes_total:
        return (
            f"{event.transfer.note} {10 * event.transfer.bytes_done // event.transfer.bytes_total}"
        )
    if event.edit is not None:
        return f"{event.edit.phase} {event.edit.done}"
    return event.text


def _bad(reports: "list[StepReport]") -> "list[StepReport]":
    return [one for one in reports if one.state in {"blocked", "failed"}]


def _error(reports: "list[StepReport]") -> ConsoleError | None:
    """Give what setup fails with: its first failed step, else its first blocked one."""
    bad = _bad(reports)
    if not bad:
        return None
    failed = [one for one in bad if one.state == "failed"]
    first = (failed or bad)[0]
    hint = first.commands[0] if first.commands else ""
    title = f"{first.id} {'failed' if failed else 'is blocked'}: {first.detail}"
    if not failed:
        return RefusedError("setup.blocked", title, hint)
    error = ConsoleError("setup.failed", title, hint)
    error.exit_code = ExitCode(first.exit_code)
    return error


def _unfinished(reports: "list[StepReport]") -> ConsoleError | None:
    """Give what setup fails with where all was agreed to, and a step is not done all the same."""
    for one in reports:
        if one.state == "needed":
            hint = one.commands[0] if one.commands else "`gpuconsole setup` takes it up again"
            return ConsoleError("setup.unfinished", f"{one.id} is not done: {one.detail}", hint)
    return None


def _data(reports: "list[StepReport]", *, dry_run: bool) -> dict[str, Any]:
    steps = [msgspec.to_builtins(one, enc_hook=str) for one in reports]
    return {"dry_run": dry_run, "finished": not _open(reports), "steps": steps}


def _open(reports: "list[StepReport]") -> bool:
    return any(one.state not in {"done", "skipped"} for one in reports)


def _mark(cli: Cli) -> None:
    if cli.session.rehearsal and not cli.as_json:
        say(f"REHEARSAL ({cli.session.rehearsal})")
