"""What a step found, proposes and did."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actions.fit.layout import LayoutFit
from actions.plan import Plan

STATES = ("done", "needed", "blocked", "skipped", "failed")


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may be answered: its value, its name for people, and what speaks for it."""

    value: str
    title: str
    detail: str = ""
    recommended: bool = False


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a step puts to a person; headless, the answers file has what they say.

    Attributes:
        key: of the answer, such as `service.variant`.
        title: the question.
        kind: `text`, `choice` or `flag`; a text with options offers them and takes any other too.
        value: as it is answered now, or would be.
        options: what may be chosen.
        about: what is to be known before one answers.
    """

    key: str
    title: str
    kind: str = "choice"
    value: str | bool = ""
    options: tuple[Option, ...] = ()
    about: str = ""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Things side by side: names of the columns, and each thing's cells."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a step is about to do, and why; nothing is changed by looking.

    Attributes:
        state: `done`, `needed`, `blocked` or `skipped`.
        detail: the state in one sentence.
        found: what is there, line by line.
        proposes: what would be done, and why just that, line by line.
        values: what is written into the config: value by dotted key.
        folder: a folder that is made first.
        plan: the plan that is run.
        command: the equivalent command line, where no plan can be made yet.
        write: writes a file of its own, and gives the paths that it wrote.
        diff: what would change in files, as a unified diff; the config's is added.
        commands: what only a person can do, line by line: as root, on Windows, or by decision.
        asks: what a person may decide here; each has an answer already, given or proposed.
        table: things to compare.
        layouts: to be drawn on the cards.
        pictures: to be shown, such as an edit's input and output.
        there: files of this step that are there; one that a plan brought is among what it wrote.
    """

    state: str
    detail: str
    found: tuple[str, ...] = ()
    proposes: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    folder: Path | None = None
    plan: Plan | None = None
    command: str = ""
    write: Callable[[], tuple[str, ...]] | None = None
    diff: str = ""
    commands: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    table: Table | None = None
    layouts: tuple[LayoutFit, ...] = ()
    pictures: tuple[Path, ...] = ()
    there: tuple[str, ...] = ()


class StepReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a step stands, as views and JSON have it.

    Attributes:
        id: such as `first-edit`.
        state: one of `STATES`.
        able: the step can be done as it stands: there is something to write or to run.
        wrote: the files that were written, backups too.
        plan: id of the job that did it; empty for none.
        steps: command lines of the plan's steps.
        runs: they run once the step is agreed to; else they are offered after what it writes.
        exit_code: what the command exits with where it failed; 0 else.
    """

    id: str
    title: str
    why: str
    state: str
    detail: str
    found: tuple[str, ...] = ()
    proposes: tuple[str, ...] = ()
    diff: str = ""
    steps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    table: Table | None = None
    layouts: tuple[LayoutFit, ...] = ()
    pictures: tuple[Path, ...] = ()
    able: bool = False
    runs: bool = False
    wrote: tuple[str, ...] = ()
    plan: str = ""
    exit_code: int = 0
