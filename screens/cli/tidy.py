"""`gpuconsole models dedupe|rm|fix`: tidy up model files, each change as a plan."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from actions.operations import Operations
from actions.plan import Plan
from console.errors import UsageError
from console.text import clean_line
from screens.cli.change import Request, carry_out, change
from screens.cli.context import Cli
from screens.cli.models import models
from screens.cli.output import emit, write

if TYPE_CHECKING:
    from actions.models.model import Fix, Issue

_PLAIN_VERBS = ("move", "link", "delete", "quarantine")


def _asks(function: Callable[..., int]) -> Callable[..., int]:
    """Add what every changing verb takes."""
    dry_run = click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
    yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
    return dry_run(yes(click.pass_obj(function)))


@models.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@_asks
def dedupe(cli: Cli, paths: tuple[str, ...], dry_run: bool, yes: bool) -> int:
    """Make one file of copies with the same bytes, by hard links; of PATHs, else of everything.

    Nothing is lost: both files are read in full, unless their hashes are known and they have not
    changed since, and only what is the same on one file system is linked.
    """
    names = paths or ("all",)
    return change(cli, Request(verb="dedupe", names=names, options={}, dry_run=dry_run, yes=yes))


@models.command()
@click.argument("names", metavar="VARIANT|FILE_ID|PATH...", nargs=-1, required=True)
@click.option("--quarantine", is_flag=True, default=None, help="Move aside, do not delete.")
@_asks
def rm(cli: Cli, names: tuple[str, ...], quarantine: bool | None, dry_run: bool, yes: bool) -> int:
    """Remove model files. Of a variant, only those that no other variant here needs.

    What a job fetches or a running service needs is refused.
    """
    options = {"quarantine": quarantine}
    return change(cli, Request(verb="rm", names=names, options=options, dry_run=dry_run, yes=yes))


@models.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--with", "way", metavar="WAY", help="This way of several: move, link, delete, …")
@_asks
def fix(cli: Cli, paths: tuple[str, ...], way: str | None, dry_run: bool, yes: bool) -> int:
    """Put right what is wrong with files; without PATH, list what is wrong and what would help."""
    found = _issues(cli)
    if not paths:
        return _list(cli, found)
    chosen = [_fix_for(found, path, way) for path in paths]
    request = Request(verb="fix", names=paths, options={}, dry_run=dry_run, yes=yes)

    def make(operations: Operations) -> tuple[Plan, ...]:
        return tuple(_planned(operations, one) for one in chosen)

    return carry_out(cli, request, make)


def _issues(cli: Cli) -> "tuple[Issue, ...]":
    from actions.models.inventory import look
    from actions.models.issues import issues

    session = cli.session
    return issues(look(session), session.needed_catalog())


def _fix_for(found: "tuple[Issue, ...]", path: str, way: str | None) -> "Fix":
    """Give the first fix of a file's issues, or the one that was asked for.

    Raises:
        UsageError: nothing is wrong with it, or nothing that a plan could help with.
    """
    from actions.models.marks import place_of

    real = place_of(path)

    def means(other: str) -> bool:
        return place_of(other) == real

    shown = clean_line(path, 200)
    about = [one for one in found if any(means(other) for other in one.paths)]
    fixes = [one for issue in about for one in issue.fixes
             if means(one.path) or one.verb == "pull"]  # fmt: skip
    chosen = [one for one in fixes if way is None or one.verb == way]
    if chosen:
        return chosen[0]
    if not os.path.lexists(real):
        raise UsageError("models.no-file", f"there is no file {shown}",
                         "gpuconsole models fix lists what is wrong")  # fmt: skip
    if not about:
        raise UsageError("models.nothing-wrong", f"nothing is wrong with {shown}, as far as known",
                         "gpuconsole models fix lists what is wrong")  # fmt: skip
    ways = ", ".join(dict.fromkeys(one.verb for one in fixes)) or "none"
    raise UsageError("models.no-fix", f"no such way to put {shown} right", f"there are: {ways}")


def _planned(operations: Operations, one: "Fix") -> Plan:
    if one.verb in _PLAIN_VERBS:
        return operations.plan(f"{one.verb}-file", one.path, to=one.to or None)
    return operations.plan(one.verb, one.path, to=one.to or None)


def _list(cli: Cli, found: "tuple[Issue, ...]") -> int:
    fixable = [one for one in found if one.fixes]
    if cli.as_json:
        import msgspec

        from screens.cli.inventory_text import cleaned

        return emit({"issues": [msgspec.to_builtins(one) for one in cleaned(fixable)]})
    if not fixable:
        write("nothing is wrong that a plan could put right")
        return 0
    lines = []
    for issue in fixable:
        lines.append(f"{clean_line(issue.paths[0], 300)}: {issue.title}")
        lines += [f"    {one.verb}: {clean_line(one.title, 200)}" for one in issue.fixes]
    write("\n".join([*lines, "", "gpuconsole models fix PATH plans the first; --with another"]))
    return 0
