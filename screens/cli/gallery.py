"""`gpuconsole gallery`: the edits that were made: list, show, copy, make again, take away."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actions.operations import Operations
from actions.plan import Plan
from console.errors import ExitCode, UsageError
from console.unknown import plain
from screens.cli.change import Request, carry_out
from screens.cli.context import Cli
from screens.cli.moment import moment
from screens.cli.output import emit, flush, say, write

if TYPE_CHECKING:
    from actions.session import Session
    from console.store.edits import Filter

VERB = "gallery-rm"


@click.group()
def gallery() -> None:
    """The edits that were made: list, show, copy, make again, take away."""


@gallery.command("list")
@click.option("--workflow", metavar="W", default="", help="Only of this workflow.")
@click.option("--variant", metavar="V", default="", help="Only by this model variant.")
@click.option("--service", metavar="S", default="", help="Only on this service.")
@click.option("--state", "states", metavar="STATE", multiple=True, help="done, failed, ...")
@click.option("--text", metavar="T", default="", help="Only with this in a prompt.")
@click.option("--group", metavar="ID", default="", help="Only of this comparison or load run.")
@click.option("--since", metavar="TIME", help="Nothing older: 2h, 3d, 14:30, 2026-11-22.")
@click.option("--until", metavar="TIME", help="Nothing that is not older.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=30, show_default=True, help="At most."
)
@click.option("--before", metavar="ID", default="", help="Go on after this edit of a list.")
@click.pass_obj
def list_(cli: Cli, /, limit: int, before: str, **which: Any) -> int:
    """List edits, newest first."""
    from actions.gallery.data import edit_data
    from actions.gallery.finding import find_edits, one_edit
    from screens.cli.gallery_text import list_text

    session = cli.session
    wanted = _wanted(session, which)
    after = one_edit(session, before).id if before else ""
    found = find_edits(session, wanted, limit, after)
    problem = session.store.problem
    if cli.as_json:
        data: dict[str, Any] = {
            "edits": [edit_data(one) for one in found.edits], "total": found.total,
        }  # fmt: skip
        if problem is not None:
            data["unavailable"] = [{"source": "journal", **plain(problem)}]
        return emit(data)
    if session.rehearsal:
        say(f"REHEARSAL ({session.rehearsal})")
    if problem is not None:
        say(f"gpuconsole: {problem.title}")
    if not found.edits:
        some = any(which.values())
        say("No edit is like that." if some else "No edit was made here yet: gpuconsole edit")
        return ExitCode.DONE
    write(list_text(found, session.clock.now()))
    return ExitCode.DONE


@gallery.command()
@click.argument("name", metavar="ID|last|FILE")
@click.option("--show", "shown", is_flag=True, help="Show the pictures too, in this terminal.")
@click.option("--recipe", is_flag=True, help="Only the recipe, as JSON.")
@click.pass_obj
def show(cli: Cli, name: str, shown: bool, recipe: bool) -> int:
    """Show an edit: what it was asked for with, what it took, where its pictures are.

    Of a picture FILE, what it says itself of how it was made, by whatever program.
    """
    from actions.gallery.finding import as_file, one_edit

    session = cli.session
    path = as_file(session, name)
    if path is not None:
        return _show_file(cli, path, shown=shown, recipe=recipe)
    edit = one_edit(session, name)
    if recipe and not cli.as_json:
        write(_indented(edit.recipe))
        return ExitCode.DONE
    if cli.as_json:
        from actions.gallery.data import edit_data

        return emit(edit_data(edit, recipe=True))
    from screens.cli.gallery_text import edit_text

    write(edit_text(edit, session.clock.now()))
    if shown:
        for one in (*edit.of_role("input"), *edit.of_role("output")):
            _print(session, Path(one.path))
    return ExitCode.DONE


@gallery.command()
@click.argument("names", metavar="[ID...]", nargs=-1)
@click.option("--before", metavar="DATE", help="All that are older: 30d, 2026-11-22.")
@click.option("--failed", is_flag=True, help="All that came to nothing.")
@click.option("--group", metavar="ID", default="", help="All of a comparison or load run.")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def rm(
    cli: Cli,
    names: tuple[str, ...],
    before: str | None,
    failed: bool,
    group: str,
    dry_run: bool,
    yes: bool,
) -> int:
    """Take edits away, with their pictures: they are destroyed.

    Inputs that other edits have too stay, and files that somebody has written to since.
    """
    moment_ = moment(before, cli.session.clock.now(), "--before")
    options: dict[str, Any] = {
        "before": None if moment_ is None else moment_.isoformat(),
        "failed": failed or None,
        "group": group or None,
        "also": list(names[1:]) or None,
    }
    first = names[0] if names else "all"
    request = Request(verb="remove", names=names, options=options, dry_run=dry_run, yes=yes)

    def make(operations: Operations) -> tuple[Plan, ...]:
        return (operations.plan(VERB, first, **options),)

    return carry_out(cli, request, make)


@gallery.command()
@click.argument("name", metavar="ID|last")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--inputs", is_flag=True, help="Its inputs too.")
@click.pass_obj
def copy(cli: Cli, name: str, folder: Path, inputs: bool) -> int:
    """Copy an edit's pictures into a folder, which is made; nothing there is replaced."""
    from actions.edits.places import check_out, kept_files
    from actions.gallery.finding import one_edit
    from actions.gate import as_error, refusal

    session = cli.session
    reason = refusal(session)
    if reason is not None:
        raise as_error(reason)
    edit, files = one_edit(session, name), kept_files(session)
    pictures = edit.pictures if inputs else edit.of_role("output")
    if not pictures:
        raise UsageError(
            "gallery.no-pictures",
            f"edit {edit.id} has no pictures ({edit.state})",
            f"gpuconsole gallery show {edit.id} says why",
        )
    folder = folder.expanduser().absolute()
    check_out(str(folder))
    made = [files.copy_to(one, folder) for one in pictures]
    if cli.as_json:
        return emit({"id": edit.id, "copied": [{"path": str(path)} for path in made]})
    for path in made:
        write(_shown(path))
    return ExitCode.DONE


def _wanted(session: "Session", which: dict[str, Any]) -> "Filter":
    from actions.gallery.finding import variant_meant, wanted_edits

    now = session.clock.now()
    times: dict[str, Any] = {
        name: moment(which.pop(name), now, f"--{name}") for name in ("since", "until")
    }
    if which["variant"]:
        which = {**which, "variant": variant_meant(session, which["variant"])}
    return wanted_edits(**which, **times)


def _show_file(cli: Cli, path: Path, *, shown: bool, recipe: bool) -> int:
    from actions.gallery.data import file_data
    from actions.gallery.from_file import read_file

    session = cli.session
    found = read_file(session, path)
    if cli.as_json:
        return emit(file_data(found))
    if recipe:
        if not found.recipe:
            say(f"{_shown(path)} does not say how it was made")
            return ExitCode.FAILED
        write(_indented(found.recipe))
        return ExitCode.DONE
    from screens.cli.gallery_text import file_text

    write(file_text(found))
    if shown:
        _print(session, path)
    return ExitCode.DONE


def _print(session: "Session", path: Path) -> None:
    """Show a picture, with its path and facts above it."""
    from screens.pictures.show import print_picture

    flush()
    print_picture(path, sys.stdout, session.settings.ui.pictures, session.environ)


def _indented(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=True, default=str)


def _shown(path: Path) -> str:
    from console.text import clean_line

    return clean_line(str(path), 500)


# Subcommands in modules of their own; each adds itself to the group when it is imported.
from screens.cli import gallery_again, gallery_collect  # noqa: E402, F401
