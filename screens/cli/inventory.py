"""`models inventory` and `models verify`: what lies in the model folders, and if it is whole."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.errors import ExitCode, UsageError
from console.models.inventory.found import KINDS, FoundFile, Inventory
from console.text import clean_line
from screens.cli.context import Cli
from screens.cli.models import models
from screens.cli.output import emit, say, write

if TYPE_CHECKING:
    from actions.models.verifying import Verdict


@models.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    metavar="KIND",
    help=f"Only files of this kind: {', '.join(KINDS)}.",
)
@click.option("--root", metavar="DIR", help="Only what lies in this models folder.")
@click.option("--issues", "only_issues", is_flag=True, help="Only what is wrong; 5 where that is.")
@click.pass_obj
def inventory(
    cli: Cli, paths: tuple[str, ...], kind: str | None, root: str | None, only_issues: bool
) -> int:
    """Show every file in the model folders: what it is, its size, and what is wrong with it.

    With PATH only files below it, or that one. Headers are read, weights are not.
    """
    from actions.models.inventory import look
    from actions.models.issues import issues
    from screens.cli.inventory_text import inventory_data, inventory_text, issues_text

    session = cli.session
    whole = look(session)
    found = issues(whole, session.catalog)
    keep = _filter(whole, paths, kind, root)
    files = tuple(one for one in whole.files if keep(one))
    # Only a part is asked for: what is wrong elsewhere is left out.
    shown = {one.path for one in files}
    if paths or kind or root:
        found = tuple(one for one in found if shown.intersection(one.paths))
    worst = any(one.severity == "error" for one in found)
    code = ExitCode.FINDINGS if only_issues and worst else ExitCode.DONE
    if cli.as_json:
        return emit(inventory_data(whole, files, found), code)
    _tell_roots(whole)
    write(issues_text(found) if only_issues else inventory_text(whole, files, found))
    return code


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Also files nobody tells anything of.")
@click.option("--full", is_flag=True, help="Read all of it, also what did not change.")
@click.pass_obj
def verify(cli: Cli, names: tuple[str, ...], everything: bool, full: bool) -> int:
    """Compare files with the hashes they should have; at once where nothing changed.

    NAME is a variant or a file of the catalogue, a file's name, or the path of a file or folder;
    without one it is every file whose hash somebody tells, and every one that is no whole model at
    sight. Ends with 5 where something differs.
    """
    from actions.models.inventory import look
    from actions.models.verifying import chosen
    from actions.models.verifying import verify as verified
    from screens.cli.inventory_text import verdict_data, verdict_text, verified_text

    session = cli.session
    clock = session.clock
    begun = clock.monotonic()
    whole = look(session)
    files, missing = chosen(session, whole, names, everything=everything)
    progress = _Progress()
    told: list[Verdict] = []
    for verdict in (*missing, *verified(session, files, full=full, report=progress.report)):
        progress.clear()
        told.append(verdict)
    seconds = clock.monotonic() - begun
    code = ExitCode.DONE if all(one.good for one in told) else ExitCode.FINDINGS
    if cli.as_json:
        return emit(verdict_data(told, seconds), code)
    _tell_roots(whole)
    for verdict in told:
        write(verdict_text(verdict))
    write(verified_text(told, seconds, everything=everything or bool(names)))
    return code


class _Progress:
    """How far the reading is, in one line on a terminal."""

    def __init__(self) -> None:
        self._shows = bool(sys.stderr and sys.stderr.isatty())
        self._open = False

    def report(self, path: str, done: int, size: int) -> None:
        """Tell it, over what was told before."""
        if not self._shows:
            return
        name = clean_line(path.rpartition("/")[2], 60)
        self._put(f"\r\x1b[K{name}  {100 * done // max(size, 1)} %")
        self._open = True

    def clear(self) -> None:
        """Leave no half line behind."""
        if self._open:
            self._put("\r\x1b[K")
            self._open = False

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):  # the terminal went away, the reading goes on
            self._shows = False


def _filter(
    whole: Inventory, paths: Sequence[str], kind: str | None, root: str | None
) -> Callable[[FoundFile], bool]:
    """Give what tells the files that are asked for.

    Raises:
        UsageError: there is no such root, or a path leads nowhere.
    """
    from actions.models.marks import lies_in, place_of

    for one in paths:
        if not os.path.lexists(Path(one).expanduser()):
            raise UsageError(
                "models.no-such-path",
                f"there is no file or folder {clean_line(one, 200)!r}",
                "`gpuconsole models inventory` lists all that is there",
            )
    roots = None if root is None else _roots(whole, root)
    places = [place_of(Path(one).expanduser()) for one in paths]

    def keep(file: FoundFile) -> bool:
        if kind is not None and file.kind != kind:
            return False
        if roots is not None and file.root not in roots:
            return False
        return not places or lies_in(file.path, places)

    return keep


def _roots(whole: Inventory, root: str) -> set[str]:
    wanted = os.path.realpath(Path(root).expanduser())
    found = {one.path for one in whole.roots if os.path.realpath(one.path) == wanted}
    if not found:
        known = ", ".join(clean_line(one.path, 120) for one in whole.roots) or "none is configured"
        raise UsageError(
            "models.no-such-root",
            f"no models folder is {clean_line(root, 200)!r}",
            f"These are: {known}",
        )
    return found


def _tell_roots(whole: Inventory) -> None:
    """Say which folders could not be seen: what is not shown may be there all the same."""
    from console.models.disk import NO_FOLDER

    if not whole.roots:
        say(f"gpuconsole: {NO_FOLDER.title}")
        say(f"  {NO_FOLDER.hint}")
    for one in whole.roots:
        if one.problem is not None:
            say(f"gpuconsole: {clean_line(one.path, 200)}: {clean_line(one.problem.title, 300)}")
