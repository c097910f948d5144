"""The workflows there are: those that ship with the program, and the operator's own."""

import difflib
import errno
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from actions.session import Session
from actions.workflows.reading import read_workflow
from actions.workflows.workflow import Workflow
from console.errors import UsageError
from console.files import read_limited
from console.packaged import packaged
from console.text import clean_line
from console.unknown import Unknown

_LARGEST = 8 << 20
_MOST_OWN = 500


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """All workflows, and what is wrong with those that could not be read.

    Attributes:
        workflows: the packaged ones first.
        problems: by the file.
        folder: where the operator's own belong; it need not exist.
    """

    workflows: tuple[Workflow, ...]
    problems: tuple[tuple[str, Unknown], ...]
    folder: Path


def own_folder(session: Session) -> Path:
    """Give the folder of the operator's own graphs: `workflows`, beside the config file."""
    return session.places.config_file.parent / "workflows"


def open_shelf(session: Session) -> Shelf:
    """Read all workflows; never raises: one that is wrong is told of and the others are there."""
    workflows = list(packaged_workflows())
    problems: list[tuple[str, Unknown]] = []
    folder = own_folder(session)
    taken = {one.name for one in workflows}
    for path in _graphs_in(folder, problems):
        try:
            workflow = _read_own(path)
            if workflow.name in taken:
                raise _of_file(path, "another workflow has its name", "Rename the file")
        except UsageError as error:
            shown = clean_line(str(path), 200)
            problems.append((shown, Unknown(error.code, error.title, error.hint)))
            continue
        taken.add(workflow.name)
        workflows.append(workflow)
    return Shelf(workflows=tuple(workflows), problems=tuple(problems), folder=folder)


@cache
def packaged_workflows() -> tuple[Workflow, ...]:
    """Read the workflows that ship with the program: edits first, then Forge's."""
    folder = packaged("workflows")
    found = [
        read_workflow(path.stem, path.read_bytes(), path.with_suffix(".toml").read_text("utf-8"))
        for path in sorted(folder.glob("*.json"))
    ]
    return tuple(sorted(found, key=lambda one: (one.service, one.order)))


def workflow_named(shelf: Shelf, name: str) -> Workflow:
    """Give a workflow by its name; hyphens, blanks and case do not matter.

    Raises:
        UsageError: there is none (`workflow.unknown`); or it is the operator's and wrong.
    """
    for one in shelf.workflows:
        if _letters(one.name) == _letters(name):
            return one
    for path, problem in shelf.problems:
        if _letters(Path(path).stem) == _letters(name):
            raise UsageError(problem.code, problem.title, problem.hint)
    near = difflib.get_close_matches(name.lower(), [one.name for one in shelf.workflows], 2, 0.4)
    asked = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(
        "workflow.unknown",
        f"there is no workflow {clean_line(name, 80)!r}",
        f"{asked}`gpuconsole workflows list` lists them",
    )


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _graphs_in(folder: Path, problems: list[tuple[str, Unknown]]) -> Iterator[Path]:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".json")
    except FileNotFoundError:
        return
    except OSError as error:
        title = f"the folder {clean_line(str(folder), 200)} cannot be read: {error.strerror}"
        problems.append((clean_line(str(folder), 200), Unknown("workflow.unreadable", title)))
        return
    for name in names[:_MOST_OWN]:
        if not name.startswith("."):
            yield folder / name


def _read_own(path: Path) -> Workflow:
    graph = _bytes_of(path)
    told = b""
    beside = path.with_suffix(".toml")
    if os.path.lexists(beside):
        told = _bytes_of(beside)
    try:
        text = told.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _of_file(beside, "it is not UTF-8") from error
    name = clean_line(path.stem, 80) or "unnamed"
    return read_workflow(name, graph, text, path)


def _bytes_of(path: Path) -> bytes:
    try:
        return read_limited(path, _LARGEST)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise _of_file(path, f"it is larger than {_LARGEST >> 20} MiB") from error
        raise _of_file(path, error.strerror or str(error)) from error


def _of_file(path: Path, why: str, hint: str = "") -> UsageError:
    shown = clean_line(str(path), 200)
    return UsageError(
        "workflow.unreadable", f"the workflow {shown}: {why}", hint or f"Check {shown}"
    )
